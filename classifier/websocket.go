// SPDX-License-Identifier: MIT

package classifier

import "unicode/utf8"

// webSocketDetector knows WebSocket in the middle of a connection; at the
// beginning it is a request of HTTP.
func webSocketDetector() detector {
	return streamOnly("WebSocket", "web", "\x81", lookWebSocket)
}

// lookWebSocket reads a frame of text (RFC 6455) that is its message's only one:
// a client's is masked and makes text without the mask; a server's is text as it
// is, and longer, and another frame follows it if anything does.
func lookWebSocket(x *sight) verdict {
	const leastMasked, leastPlain, most = 8, 16, 4096
	b := x.data
	if len(b) < 4 {
		return wait
	}
	masked, size, at := b[1]&0x80 != 0, int(b[1]&0x7f), 2
	switch size {
	case 126:
		if size, at = be16(b[2:]), 4; size < 126 {
			return no
		}
	case 127:
		return no
	}
	if size > most || masked && size < leastMasked || !masked && size < leastPlain {
		return no
	}
	if masked {
		at += 4
	}
	if len(b) < at+size {
		return wait
	}
	body := x.line[:0]
	for i, c := range b[at : at+size] {
		if masked {
			c ^= b[at-4+i&3]
		}
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return no
		}
		body = append(body, c)
	}
	if x.line = body; !utf8.Valid(body) {
		return no
	}
	if rest := b[at+size:]; len(rest) > 0 && rest[0]&0x70 != 0 {
		return no
	}
	return done
}
