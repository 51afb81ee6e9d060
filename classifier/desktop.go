// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func rdpDetector() detector {
	return streamOnly("RDP", "remote", "\x03", func(x *sight) verdict {
		if x.s.detector == nil {
			if v := lookRDP(x); v < found {
				return v
			}
		}
		return lookBehindRDP(x)
	})
}

// lookRDP reads the connection request or its confirmation (MS-RDPBCGR 2.2.1.1):
// a cookie, or the protocols for its security.
func lookRDP(x *sight) verdict {
	b := x.data
	body, state := readCOTP(b)
	switch {
	case state == partial:
		return wait
	case state == malformed || b[5] != 0xe0 && b[5] != 0xd0:
		return no
	}
	if opens(body, "Cookie: ") == enough {
		return done
	}
	if len(body) >= 8 {
		n := body[len(body)-8:]
		if b[5] == 0xe0 && n[0] == 1 && n[1]&^0x0b == 0 && le16(n[2:]) == 8 && low32(n[4:]) < 32 {
			return done
		}
		if b[5] == 0xd0 && (n[0] == 2 || n[0] == 3) && n[1] < 32 && le16(n[2:]) == 8 && low32(n[4:]) < 32 {
			return done
		}
	}
	if len(body) == 0 && x.port(3389) {
		return done
	}
	return no
}

// lookBehindRDP names the session TLS if that follows the negotiation.
func lookBehindRDP(x *sight) verdict {
	b := x.data
	if len(b) < 4 || len(b) < be16(b[2:])+2 {
		return found
	}
	if b = b[be16(b[2:]):]; b[0] != 0x16 || b[1] != 3 {
		return enough
	}
	x.label(&labelRDP)
	x.application("RDP", "remote", 95)
	return done
}

// readCOTP returns the variable part of the transport packet b begins with (RFC
// 1006): of a connection request or confirmation (X.224, 13.3), or the data of
// one with data (13.7).
func readCOTP(b []byte) (body []byte, state parsed) {
	const header = 4 + 7
	if opens(b, "\x03\x00") == no {
		return nil, malformed
	}
	if len(b) < header {
		return nil, partial
	}
	size := be16(b[2:])
	if size < 7 || size > 8192 || int(b[4])+5 != size && b[5] != 0xf0 || int(b[4])+5 > size {
		return nil, malformed
	}
	if len(b) < size {
		return nil, partial
	}
	if b[5] == 0xf0 {
		return b[4+1+int(b[4]) : size], whole
	}
	if size < header {
		return nil, malformed
	}
	return b[header:size], whole
}

func vncDetector() detector {
	return streamOnly("VNC", "remote", "R", lookVNC)
}

// lookVNC reads the version of the protocol (RFC 6143).
func lookVNC(x *sight) verdict {
	b := x.data
	const form = "RFB 000.000\n"
	for i, c := range b[:min(len(b), len(form))] {
		if form[i] == '0' && !isDigit(c) || form[i] != '0' && c != form[i] {
			return no
		}
	}
	if len(b) < len(form) {
		return wait
	}
	return done
}

func citrixDetector() detector {
	return streamOnly("Citrix", "network", "\x7f\x1a", func(x *sight) verdict {
		return certain(opensAny(x.data, "\x7f\x7fICA\x00", "\x1aCGP/01"))
	})
}

func radminDetector() detector {
	return streamOnly("Radmin", "remote", "\x01", func(x *sight) verdict {
		return opensAny(x.data, "\x01\x00\x00\x00\x01\x00\x00\x00\x08\x08", "\x01\x00\x00\x00\x05\x00\x00\x02\x27\x27\x02\x00\x00\x00")
	})
}

func teamviewerDetector() detector {
	d := streamOnly("TeamViewer", "remote", "\x17\x11", lookTeamViewer)
	d.starts = oneOf("\x00\x17\x11")
	d.datagram = func(x *sight) verdict {
		if b := x.data; len(b) >= 16 && b[0] == 0 && b[11] == 0x17 && b[12] == 0x24 && isZero(b[2:4]) {
			return done
		}
		return no
	}
	return d
}

// lookTeamViewer reads the mark of either version of the protocol. It is short,
// so that both sides must have sent it.
func lookTeamViewer(x *sight) verdict {
	v := opensAny(x.data, "\x17\x24", "\x11\x30")
	if v != enough {
		return v
	}
	switch opensAny(x.peer(), "\x17\x24", "\x11\x30") {
	case enough:
		return done
	case no:
		if len(x.peer()) > 0 {
			return no
		}
	}
	return wait
}

func x11Detector() detector {
	return streamOnly("X11", "remote", "lB", lookX11)
}

// lookX11 reads a client's set-up: byte order, version 11.0, and the name of
// the way to prove itself.
func lookX11(x *sight) verdict {
	b := x.data
	if len(b) < 12 {
		return wait
	}
	major, minor, n := le16(b[2:]), le16(b[4:]), le16(b[6:])
	if b[0] == 'B' {
		major, minor, n = be16(b[2:]), be16(b[4:]), be16(b[6:])
	}
	if major != 11 || minor != 0 || n > 64 || b[10] != 0 && b[11] != 0 {
		return no
	}
	if len(b) < 12+n {
		return wait
	}
	if n > 0 && !isWord(b[12:12+n]) {
		return no
	}
	return done
}

func xdmcpDetector() detector {
	return datagramOnly("XDMCP", "remote", "\x00", func(x *sight) verdict {
		b := x.data
		if len(b) < 6 || be16(b) != 1 || be16(b[2:]) < 1 || be16(b[2:]) > 15 || be16(b[4:]) != len(b)-6 {
			return no
		}
		if len(b) == 6 || len(b) == 7 && !x.port(177) {
			return no
		}
		return done
	})
}

// hasText reports whether what there is of b has text.
func hasText(b []byte, text string) bool { return bytes.Contains(b, []byte(text)) }
