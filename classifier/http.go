// SPDX-License-Identifier: MIT

package classifier

import "bytes"

const (
	maxBlank   = 16       // bytes of empty lines in front of a request
	maxMethod  = 24       // bytes of a request's method
	maxRequest = 16 << 10 // bytes of a request's first line
)

func httpDetector() detector {
	return detector{
		name: "HTTP", upper: "HTTP", category: "web", confidence: 98,
		starts: func(b byte) bool { return b >= 'A' && b <= 'Z' || b == '\r' || b == '\n' },
		stream: lookHTTP,
	}
}

// lookHTTP reads the head of the first request of a direction, or recognises a
// response by its status line.
func lookHTTP(x *sight) verdict {
	if v := lookStatus(x); v != no {
		return v
	}
	// Servers step over empty lines, so that is no way to hide behind.
	data := bytes.TrimLeft(x.data, "\r\n")
	if len(x.data)-len(data) > maxBlank {
		return no
	}
	line, rest, ok := cutLine(data)
	if !ok {
		if len(data) > maxRequest || !isRequestStart(data) {
			return no
		}
		return wait
	}
	method, target, ok := cutRequest(line)
	if !ok {
		return no
	}
	if authority := targetAuthority(method, target); len(authority) > 0 {
		x.requestHost(authority, target)
		if x.label(&labelProxy); string(method) == "CONNECT" {
			x.label(&labelConnect)
		}
	}
	// What the body is names the application only where the host does not, and
	// may stand before it.
	var kind []byte
	soap := false
	for {
		if line, rest, ok = cutLine(rest); !ok || len(line) == 0 {
			if kind != nil {
				x.contentType(kind)
			}
			if soap {
				x.nameless("SOAP", "web", confidenceName)
			}
		}
		if !ok {
			return found
		}
		if len(line) == 0 {
			if x.s.once(sawHost) {
				x.s.note("http/host: none", "", 0)
			}
			x.httpUse(method, target)
			x.agentUse(x.s.heads().agent)
			if x.c.opts.Certificates && x.s.found.application == nil {
				x.s.flags |= settled
				return enough
			}
			return done
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		value = bytes.Trim(value, " \t")
		switch {
		case equalFold(name, "host"):
			x.requestHost(value, target)
		case equalFold(name, "user-agent"):
			if x.s.once(sawAgent) {
				x.text(&x.s.heads().agent, "http/user-agent", value)
			}
		case equalFold(name, "upgrade") && equalFold(value, "websocket"):
			x.label(&labelSocket)
		case equalFold(name, "content-type"):
			kind = value
		case equalFold(name, "soapaction"):
			soap = true
		}
	}
}

// requestHost learns from the host of a request, and makes the URL. The first
// host counts: the target's own comes before that of a header.
func (x *sight) requestHost(authority, target []byte) {
	if !x.s.once(sawHost) {
		return
	}
	f := x.s.heads()
	x.host(&f.host, "http/host", stripPort(authority))
	if f.host == "" {
		return
	}
	scheme, path := []byte("http"), target
	if target[0] != '/' {
		var rest []byte
		var ok bool
		if scheme, rest, ok = bytes.Cut(target, []byte("://")); !ok {
			return // the authority of CONNECT, or "*"
		}
		_, path = cutAuthority(rest)
	}
	x.line = append(append(x.line[:0], scheme...), "://"...)
	x.line = append(append(x.line, authority...), path...)
	x.text(&f.url, "http/url", x.line)
}

// matchStatus recognises the first line of a response.
func matchStatus(b []byte) verdict {
	const prefix = "HTTP/1."
	if n := min(len(b), len(prefix)); string(b[:n]) != prefix[:n] {
		return no
	}
	if len(b) < len("HTTP/1.1 200") {
		return wait
	}
	if b[7] != '0' && b[7] != '1' || b[8] != ' ' || !isDigit(b[9]) || !isDigit(b[10]) || !isDigit(b[11]) {
		return no
	}
	return enough
}

// lookStatus is matchStatus, and learns from the head of the response.
func lookStatus(x *sight) verdict {
	v := matchStatus(x.data)
	if v != enough {
		return v
	}
	_, rest, ok := cutLine(x.data)
	for ok {
		var line []byte
		if line, rest, ok = cutLine(rest); !ok || len(line) == 0 {
			break
		}
		name, value, colon := bytes.Cut(line, []byte{':'})
		switch {
		case !colon:
		case equalFold(name, "content-type"):
			x.contentType(bytes.Trim(value, " \t"))
		case equalFold(name, "icy-name"), equalFold(name, "icy-br"), equalFold(name, "ice-audio-info"):
			x.nameless("ICECAST", "streaming", confidenceName)
		}
	}
	return enough
}

// cutLine cuts b after its first line and takes the end of line off.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil, b, false
	}
	line, rest = b[:i], b[i+1:]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, rest, true
}

// isRequestStart reports whether b can be the beginning of a request line.
func isRequestStart(b []byte) bool {
	i := 0
	for i < len(b) && isMethodByte(b[i]) {
		i++
	}
	if i == len(b) {
		return i <= maxMethod
	}
	if i < 3 || i > maxMethod || b[i] != ' ' {
		return false
	}
	for _, c := range b[i+1:] {
		if c < 0x20 && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// cutRequest takes a request line apart and reports whether it is one of
// HTTP/1.
func cutRequest(line []byte) (method, target []byte, ok bool) {
	const version = " HTTP/1."
	n := len(line) - len(version) - 1
	if n < 0 || string(line[n:n+len(version)]) != version || !isDigit(line[len(line)-1]) || !isRequestStart(line) {
		return nil, nil, false
	}
	method, target, ok = bytes.Cut(line[:n], []byte(" "))
	target = bytes.Trim(target, " ")
	return method, target, ok && len(target) > 0
}

// targetAuthority returns the host and port that a target names itself: that of
// CONNECT, and of a request to a proxy.
func targetAuthority(method, target []byte) []byte {
	if string(method) == "CONNECT" {
		return target
	}
	_, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || target[0] == '/' {
		return nil
	}
	authority, _ := cutAuthority(rest)
	return authority
}

// cutAuthority cuts what follows "://" behind the host and port. The name and
// password of a user are left out: they are nobody's business.
func cutAuthority(b []byte) (authority, path []byte) {
	authority = b
	if i := bytes.IndexAny(b, "/?#"); i >= 0 {
		authority, path = b[:i], b[i:]
	}
	return authority[bytes.LastIndexByte(authority, '@')+1:], path
}

// stripPort takes the port off an authority.
func stripPort(b []byte) []byte {
	i := bytes.LastIndexByte(b, ':')
	if i < 0 || bytes.IndexByte(b, ':') != i && (i == 0 || b[i-1] != ']') {
		return b // no port, or an IPv6 address without brackets
	}
	for _, c := range b[i+1:] {
		if !isDigit(c) {
			return b
		}
	}
	return b[:i]
}

// equalFold compares b with a word in lower case.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func isMethodByte(c byte) bool { return c >= 'A' && c <= 'Z' || c == '-' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
