// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func ssdpDetector() detector {
	return detector{
		name: "SSDP", upper: "SSDP", category: "network", confidence: 97,
		starts:   func(b byte) bool { return b == 'M' || b == 'N' || b == 'H' },
		datagram: lookSSDP,
	}
}

// lookSSDP recognises the messages of the UPnP Device Architecture's discovery:
// HTTP heads in datagrams. An answer is one only with the header that says what
// was found.
func lookSSDP(x *sight) verdict {
	line, rest, ok := cutLine(x.data)
	if !ok {
		return no
	}
	answer := false
	switch string(line) {
	case "M-SEARCH * HTTP/1.1", "M-SEARCH * HTTP/1.0", "NOTIFY * HTTP/1.1", "NOTIFY * HTTP/1.0":
	case "HTTP/1.1 200 OK", "HTTP/1.0 200 OK":
		answer = true
	default:
		return no
	}
	for {
		if line, rest, ok = cutLine(rest); !ok || len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		value = bytes.Trim(value, " \t")
		switch {
		case equalFold(name, "host") && !answer && isPrintable(value) && len(value) <= x.c.opts.MaxString:
			x.detail(lower(value))
		case equalFold(name, "user-agent") && !answer:
			x.text(&x.s.heads().agent, "ssdp/user-agent", value)
		case equalFold(name, "st"), equalFold(name, "usn"):
			answer = false
		}
	}
	if answer {
		return no
	}
	return done
}
