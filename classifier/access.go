// SPDX-License-Identifier: MIT

package classifier

func radiusDetector() detector {
	return datagramOnly("Radius", "network", "\x01\x02\x03\x04\x05\x0b\x0c\x0d\x28\x29\x2a\x2b\x2c\x2d", lookRadius)
}

// lookRadius reads a packet (RFC 2865): its length, and attributes that fill it.
func lookRadius(x *sight) verdict {
	b := x.data
	if len(b) < 20 || len(b) > 4096 || be16(b[2:]) != len(b) {
		return no
	}
	if len(b) == 20 { // an answer may have no attributes
		if x.port(1812, 1813, 1645, 1646, 3799) {
			return done
		}
		return no
	}
	for b = b[20:]; len(b) > 0; {
		if len(b) < 2 || b[0] == 0 || b[1] < 2 || int(b[1]) > len(b) {
			return no
		}
		b = b[b[1]:]
	}
	return done
}

func diameterDetector() detector {
	return streamOnly("Diameter", "network", "\x01", lookDiameter)
}

// lookDiameter reads the header and the first attribute's (RFC 6733).
func lookDiameter(x *sight) verdict {
	b := x.data
	if len(b) < 28 {
		return wait
	}
	size := num32(b) & 0xffffff
	if b[0] != 1 || size < 28 || size%4 != 0 || size > 1<<16 || b[4]&0x0f != 0 {
		return no
	}
	switch code := num32(b[4:]) & 0xffffff; {
	case code == 257, code == 258, code >= 260 && code <= 330, code == 271, code == 272,
		code >= 8388608 && code <= 8388740:
	default:
		return no
	}
	return lookFirstAVP(b[20:], size-20)
}

// lookFirstAVP checks flags and length of an attribute in size bytes.
func lookFirstAVP(b []byte, size int) verdict {
	if len(b) < 8 {
		return wait
	}
	n := num32(b[4:]) & 0xffffff
	if num32(b) == 0 || num32(b) > 1<<16 || b[4]&0x1f != 0 || n < 8 || n > size {
		return no
	}
	return done
}

func tacacsDetector() detector {
	return streamOnly("TACACS", "network", "\xc0\xc1", lookTacacs)
}

// lookTacacs reads the header (RFC 8907) and holds its length against what is
// there; the first packet of a client has number 1.
func lookTacacs(x *sight) verdict {
	b := x.data
	if len(b) < 12 {
		return wait
	}
	first := byte(1)
	if x.dir == Reply {
		first = 2
	}
	size := num32(b[8:])
	if b[1] < 1 || b[1] > 3 || b[2] != first || b[3]&^5 != 0 || size < 5 || size > 1<<12 || len(b) > 12+size {
		return no
	}
	if len(b) < 12+size {
		return wait
	}
	return done
}

func slpDetector() detector {
	return datagramOnly("Service_Location_Protocol", "rpc", "\x01\x02", lookSLP)
}

// lookSLP reads a header of version 1 (RFC 2165) or 2 (RFC 2608): length,
// language.
func lookSLP(x *sight) verdict {
	b := x.data
	if b[0] == 1 {
		if len(b) < 12 || b[1] < 1 || b[1] > 11 || be16(b[2:]) != len(b) || b[4]&7 != 0 || b[5] != 0 || !isLanguage(b[6:8]) {
			return no
		}
		return done
	}
	if len(b) < 16 || b[1] < 1 || b[1] > 11 || num32(b[1:])&0xffffff != len(b) || b[5]&0x1f != 0 || b[6] != 0 {
		return no
	}
	n := be16(b[12:])
	if n < 2 || n > 8 || 14+n > len(b) || !isLanguage(b[14:16]) {
		return no
	}
	return done
}

// isLanguage reports whether b is two letters.
func isLanguage(b []byte) bool {
	for _, c := range b {
		if c |= 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func socksDetector() detector {
	return streamOnly("SOCKS", "web", "\x00\x04\x05", lookSOCKS)
}

// lookSOCKS reads a request of version 4 or the methods of version 5 (RFC
// 1928), which are too little alone: both sides must have spoken. Which of them
// asks is told by what they say.
func lookSOCKS(x *sight) verdict {
	b, o := x.data, x.peer()
	return max(socksTurn(b, o), socksTurn(o, b))
}

// socksTurn is done if answers belong to what asks.
func socksTurn(asks, answers []byte) verdict {
	q, a := socksRequest(asks), socksAnswer(answers)
	switch {
	case q == no || a == no:
		return no
	case q != enough || a != enough:
		return wait
	case (asks[0] == 5) == (answers[0] == 5):
		return done
	}
	return no
}

// socksRequest reads what a client opens with.
func socksRequest(b []byte) verdict {
	switch {
	case len(b) == 0:
		return wait
	case b[0] == 5:
		if len(b) < 2 {
			return wait
		}
		n := int(b[1])
		if n < 1 || n > 10 {
			return no
		}
		for _, m := range b[2:min(len(b), 2+n)] {
			if m > 9 && m < 0x80 {
				return no
			}
		}
		if len(b) < 2+n {
			return wait
		}
		if len(b) > 2+n && b[2+n] != 5 && b[2+n] != 1 {
			return no
		}
		return enough
	case b[0] == 4:
		if len(b) < 9 {
			return wait
		}
		if b[1] != 1 && b[1] != 2 {
			return no
		}
		for i, c := range b[8:] {
			if c == 0 {
				return enough
			}
			if c < ' ' || c > '~' || i > 255 {
				return no
			}
		}
		return wait
	}
	return no
}

// socksAnswer reads what a server answers first.
func socksAnswer(b []byte) verdict {
	switch {
	case len(b) == 0:
		return wait
	case b[0] == 5:
		if len(b) < 2 {
			return wait
		}
		if b[1] > 9 && b[1] < 0x80 {
			return no
		}
		return enough
	case b[0] == 0:
		if len(b) < 8 {
			return wait
		}
		if b[1] < 0x5a || b[1] > 0x5d {
			return no
		}
		return enough
	}
	return no
}
