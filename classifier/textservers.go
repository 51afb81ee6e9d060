// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"strings"
)

func nntpDetector() detector {
	return streamOnly("Usenet", "web", "2MCAGmcag", lookNNTP)
}

// lookNNTP reads the greeting of a news server (RFC 3977), which must name the
// protocol, or be followed by what only this protocol has.
func lookNNTP(x *sight) verdict {
	b := x.data
	client := func(b []byte) verdict {
		return command(b, "MODE READER", "AUTHINFO USER", "GROUP", "CAPABILITIES", "ARTICLE")
	}
	if b[0] != '2' {
		if v := client(b); v != enough {
			return v
		}
		if code, _, _ := replyLine(x.peer()); code == 200 || code == 201 {
			return enough
		}
		return wait
	}
	code, line, rest := replyLine(b)
	switch {
	case code == -1:
		return wait
	case code != 200 && code != 201:
		return no
	case containsFold(line, "NNTP") || containsFold(line, "NEWS") || client(x.peer()) == enough:
		return enough
	case len(rest) == 0:
		return wait
	}
	switch code, _, _ = replyLine(rest); code {
	case -1:
		return wait
	case 381, 480, 200, 201:
		return enough
	}
	return no
}

func ircDetector() detector {
	return streamOnly("IRC", "messaging", ":NUPCnupc", lookIRC)
}

// lookIRC reads what a client registers with, or a server's first notice (RFC
// 1459).
func lookIRC(x *sight) verdict {
	b := x.data
	line, rest, ended := textLine(b)
	if !isText(line) || len(line) > 512 {
		return no
	}
	if b[0] == ':' {
		server, text, ok := bytes.Cut(line[1:], []byte(" "))
		switch {
		case len(server) > 128 || len(server) > 0 && !isWord(server) || ok && len(server) == 0:
			return no
		case !ok:
			return wait
		}
		return opensAny(text, "NOTICE AUTH :", "NOTICE * :", "020 * :", "001 ")
	}
	first := command(b, "NICK", "USER", "PASS", "CAP LS", "CAP REQ")
	switch {
	case first != enough:
		return first
	case command(b, "CAP LS") == enough:
		return enough
	case !ended || len(rest) == 0:
		if opens(x.peer(), ":") == enough {
			return command(b, "NICK")
		}
		return wait
	}
	return command(rest, "NICK", "USER")
}

func whoisDetector() detector {
	d := streamOnly("Whois-DAS", "network", "", lookWhois)
	d.starts = func(b byte) bool { return isAlphanumeric(b) || strings.IndexByte(whoisSigns+"\r\n", b) >= 0 }
	return d
}

// whoisSigns are the signs of a question beside letters and digits.
const whoisSigns = ".-:/ =,"

// lookWhois is a line of the client and nothing more (RFC 3912); that is too
// little on any port but the protocol's own.
func lookWhois(x *sight) verdict {
	if x.p.DstPort != 43 && x.p.DstPort != 4343 {
		return no
	}
	line, rest, ended := textLine(x.data)
	for _, c := range line {
		if !isAlphanumeric(c) && strings.IndexByte(whoisSigns, c) < 0 {
			return no
		}
	}
	switch {
	case len(line) > 100 || len(rest) > 0 || ended && (len(line) < 3 || len(line)+2 != len(x.data)):
		return no
	case !ended:
		return wait
	}
	// The last word is what is asked about, behind flags and kinds.
	if name, address, ok := cleanHost(line[bytes.LastIndexByte(line, ' ')+1:]); ok && !address && len(name) <= x.c.opts.MaxString {
		x.s.note("whois/query", name, 0)
		x.detail(name)
	}
	return done
}

func telnetDetector() detector {
	return streamOnly("Telnet", "remote", "\xff", lookTelnet)
}

// lookTelnet reads two or more commands that settle options (RFC 854).
func lookTelnet(x *sight) verdict {
	b := x.data
	for n := 0; ; n++ {
		if n == 3 || n == 2 && len(b) == 0 {
			return done
		}
		for i, c := range b[:min(len(b), 3)] {
			if i == 0 && c != 0xff || i == 1 && (c < 0xfb || c == 0xff) || i == 2 && c > 49 {
				return no
			}
		}
		if len(b) < 3 {
			return wait
		}
		b = b[3:]
	}
}

func rsyncDetector() detector {
	return streamOnly("RSYNC", "file", "@", func(x *sight) verdict {
		return certain(opens(x.data, "@RSYNCD: "))
	})
}
