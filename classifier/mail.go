// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func smtpDetector() detector {
	return streamOnly("SMTP", "mail", "2EHLeheHl", plainUntil("SMTPS", lookSMTP))
}

func smtpsDetector() detector {
	return streamOnly("SMTPS", "mail", "2EHLehel", securedAfter(lookSMTP))
}

// lookSMTP reads the greeting (RFC 5321): the server's where it names the
// protocol or goes on as only this one does, else the client's.
func lookSMTP(x *sight) verdict {
	b := x.data
	if b[0] == '2' {
		code, line, rest := replyLine(b)
		if code == -1 {
			return wait
		}
		greeting := line
		for code == 220 {
			if containsFold(line, "SMTP") {
				return x.smtpHost(greeting)
			}
			if opensFold(x.peer(), "EHLO ") == enough || opensFold(x.peer(), "HELO ") == enough {
				return x.smtpHost(greeting)
			}
			if len(rest) == 0 {
				return wait
			}
			if code, line, rest = replyLine(rest); code == -1 {
				return wait
			} else if code == 250 {
				return x.smtpHost(greeting)
			}
		}
		return no
	}
	return command(b, "EHLO", "HELO", "LHLO")
}

// smtpHost takes the server's name of its greeting, the first word, for the
// detail.
func (x *sight) smtpHost(greeting []byte) verdict {
	if len(greeting) > 0 {
		greeting = greeting[1:] // behind the code
	}
	word, _, _ := bytes.Cut(greeting, []byte(" "))
	if name, address, ok := cleanHost(word); ok && !address && len(name) <= x.c.opts.MaxString {
		x.s.note("smtp/greeting", name, 0)
		x.detail(name)
	}
	return enough
}

func pop3Detector() detector {
	return streamOnly("POP3", "mail", "+UASCuasc", plainUntil("POPS", lookPOP3))
}

func popsDetector() detector {
	return streamOnly("POPS", "mail", "+SCsc", securedAfter(lookPOP3))
}

// lookPOP3 reads the server's "+OK" (RFC 1939), which needs the protocol's name
// or a client's command beside it.
func lookPOP3(x *sight) verdict {
	b := x.data
	if b[0] != '+' {
		if v := command(b, "CAPA", "STLS", "USER", "APOP", "AUTH"); v != enough {
			return v
		}
		if opens(x.peer(), "+OK") == enough {
			return enough
		}
		return wait
	}
	if v := opens(b, "+OK"); v != enough {
		return v
	}
	line, rest, ended := textLine(b)
	switch {
	case !isText(line) || len(line) > 512:
		return no
	case ended && (containsFold(line, "POP3") || containsFold(line, "POP SERVER")):
		return enough
	case command(x.peer(), "CAPA", "STLS", "USER", "APOP", "AUTH") == enough && ended:
		return enough
	case ended && opens(rest, "+OK") == enough:
		return enough
	case ended && len(rest) > 3:
		return no
	}
	return wait
}

func imapDetector() detector {
	d := streamOnly("IMAP", "mail", "", plainUntil("IMAPS", lookIMAP))
	d.starts = startsIMAP
	return d
}

func imapsDetector() detector {
	d := streamOnly("IMAPS", "mail", "", securedAfter(lookIMAP))
	d.starts = startsIMAP
	return d
}

func startsIMAP(b byte) bool { return b == '*' || isAlphanumeric(b) }

// lookIMAP reads the server's greeting (RFC 9051) or a tagged command of the
// client.
func lookIMAP(x *sight) verdict {
	b := x.data
	if b[0] == '*' {
		v := opensAny(b, "* OK ", "* PREAUTH ", "* BYE ")
		if v != enough {
			return v
		}
		line, rest, ended := textLine(b)
		switch {
		case !isText(line):
			return no
		case ended && (containsFold(line, "IMAP") || containsFold(line, "[CAPABILITY ")):
			return enough
		case ended && opens(rest, "* CAPABILITY ") == enough:
			return enough
		case len(line) > 512:
			return no
		}
		return wait
	}
	if !isAlphanumeric(b[0]) {
		return no
	}
	tag, _, ok := bytes.Cut(b[:min(len(b), 32)], []byte(" "))
	switch {
	case len(tag) > 16 || !isWord(tag):
		return no
	case !ok:
		return wait
	}
	rest := b[len(tag)+1:]
	switch v := command(rest, "CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE"); v {
	case enough:
		if bytes.IndexByte([]byte("CcSs"), rest[0]) < 0 && opens(x.peer(), "* OK") != enough {
			return wait
		}
		return enough
	default:
		return v
	}
}
