// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// replyLine reads "220 text" or "220-text": the code of the first line of a
// server's answer. Code 0 is none, -1 needs more bytes.
func replyLine(b []byte) (code int, line, rest []byte) {
	for i := range min(len(b), 3) {
		if !isDigit(b[i]) {
			return 0, nil, nil
		}
	}
	if len(b) >= 4 && b[3] != ' ' && b[3] != '-' {
		return 0, nil, nil
	}
	if len(b) > 600 {
		b = b[:600]
	}
	line, rest, ended := textLine(b)
	switch {
	case !isText(line[min(len(line), 3):]):
		return 0, nil, nil
	case !ended && len(b) >= 512:
		return 0, nil, nil
	case !ended || len(line) < 3:
		return -1, nil, nil
	}
	return int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0'), line[3:], rest
}

// containsFold reports whether b has word, in capitals, in any case.
func containsFold(b []byte, word string) bool {
	for len(b) >= len(word) {
		if opensFold(b, word) == enough {
			return true
		}
		b = b[1:]
	}
	return false
}

// command tells whether b begins with a line of text that is one of the words,
// in capitals, alone or with a space and more behind it.
func command(b []byte, words ...string) verdict {
	best := no
	for _, w := range words {
		v := opensFold(b, w)
		if v == enough {
			rest := b[len(w):]
			switch {
			case len(rest) == 0:
				v = wait
			case rest[0] != ' ' && rest[0] != '\r' && rest[0] != '\n':
				v = no
			default:
				line, _, ended := textLine(rest)
				switch {
				case len(line) > 512 || !isText(line):
					v = no
				case !ended:
					v = wait
				}
			}
		}
		best = max(best, v)
	}
	return best
}

// secured returns the place of the TLS record that follows a text, 0 if none
// does.
func secured(b []byte) int { return bytes.Index(b, []byte("\n\x16\x03")) + 1 }

// plainUntil wraps the look of a text protocol that can turn to TLS in the
// middle: when it does, the session is that of the detector named after.
func plainUntil(after string, look func(*sight) verdict) func(*sight) verdict {
	return func(x *sight) verdict {
		if x.s.detector == nil {
			if v := look(x); v == no || v == wait {
				return v
			}
			return found
		}
		if secured(x.data) == 0 {
			if len(x.data) > 4096 {
				return enough
			}
			return found
		}
		if d := x.become(after, ""); d != nil {
			return d.stream(x)
		}
		return enough
	}
}

// securedAfter is the look of a text protocol that has turned to TLS.
func securedAfter(look func(*sight) verdict) func(*sight) verdict {
	return func(x *sight) verdict {
		if x.s.detector == nil {
			if secured(x.data) == 0 {
				return no
			}
			if v := look(x); v == no || v == wait {
				return no
			}
		}
		at := secured(x.data)
		if at == 0 {
			return found
		}
		b := x.data
		x.data = b[at:]
		v := lookTLS(x)
		x.data = b
		if v == no || v == wait {
			return found
		}
		return v
	}
}

// textLine is cutLine that returns what there is of a line without an end.
func textLine(b []byte) (line, rest []byte, ended bool) {
	if line, rest, ended = cutLine(b); ended {
		return line, rest, true
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return b[:n-1], nil, false
	}
	return b, nil, false
}

// become gives the session to another detector, by its protocol and, unless
// empty, its application. It is for what shows only later.
func (x *sight) become(name, upper string) *detector {
	for i := range x.c.detectors {
		d := &x.c.detectors[i]
		if d.name == name && (upper == "" || d.upper == upper) {
			x.s.detector, x.s.place, x.s.certainty = d, uint8(i), d.confidence
			x.id = i
			x.note(d.name, []byte(d.upper), int(d.confidence))
			x.s.touch()
			return d
		}
	}
	return nil
}
