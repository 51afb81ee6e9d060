// SPDX-License-Identifier: MIT

package classifier

// plantDetectors lists protocols of plants and stations that have heads of their
// own over TCP and UDP.
func plantDetectors() []detector {
	return []detector{
		melsecDetector(),
		datagramOnly("CNP-IP", "industrial", "", func(x *sight) verdict { return sure(isCNPIP(x.data, x.port(1628, 1629))) }),
		datagramOnly("EtherSIO", "industrial", "E", func(x *sight) verdict {
			// A name, and whether it is about a transfer, its state, or data (SAIA).
			return sure(len(x.data) >= 8 && opens(x.data, "ESIO") == enough && be16(x.data[4:]) <= 2)
		}),
		streamOnly("ATG", "industrial", "\x01", lookATG),
		streamOnly("NMEA_0183", "industrial", "$!", lookNMEA),
		datagramOnly("NMEA_0183", "industrial", "$!", func(x *sight) verdict { return sure(lookNMEA(x) == done) }),
		loraDetector(),
	}
}

// melsecDetector knows Mitsubishi's protocol for controllers (SLMP, MELSEC's 3E
// and 4E frames, binary): a mark, where it goes, and the length of the rest.
func melsecDetector() detector {
	return detector{
		name: "MELSEC", upper: "MELSEC", category: "industrial", confidence: 94,
		starts: oneOf("\x50\x54\xd0\xd4"),
		stream: func(x *sight) verdict {
			size, v := melsecFrame(x.data)
			if v == enough && len(x.data) < size {
				return wait
			}
			return certain(v)
		},
		datagram: func(x *sight) verdict {
			size, v := melsecFrame(x.data)
			return sure(v == enough && size == len(x.data))
		},
	}
}

// melsecFrame returns the size of the frame that b begins.
func melsecFrame(b []byte) (int, verdict) {
	if len(b) < 2 {
		return 0, wait
	}
	answer, at := b[0]&0x80 != 0, 2
	if b[1] != 0 {
		return 0, no
	}
	if b[0]&0x04 != 0 { // 4E has a number
		at = 6
	}
	if len(b) < at+9 {
		return 0, wait
	}
	if at == 6 && (b[4] != 0 || b[5] != 0) {
		return 0, no
	}
	b = b[at:]
	// Network, station, the module that is asked, and which of them.
	size := le16(b[5:])
	if b[0] > 239 || le16(b[2:]) < 0x03d0 || le16(b[2:]) > 0x03ff || b[4] > 31 || size < 2 || size > 4096 || !answer && size < 6 {
		return 0, no
	}
	return at + 7 + size, enough
}

// isCNPIP reads the header of a control network's packet (ANSI/CEA-852): its
// length, version 1, a kind, then sizes and the vendor, 0 if it is nobody's own.
func isCNPIP(b []byte, expected bool) bool {
	if len(b) < 20 || be16(b) != len(b) || b[2] != 1 || b[4] != 0 || !expected && (be16(b[6:]) != 0 || be32(b[8:]) == 0) {
		return false
	}
	switch b[3] {
	case 0x01, 0x03, 0x04, 0x06, 0x07, 0x08, 0x60, 0x63, 0x64, 0x66, 0x68, 0x70, 0x71, 0x72, 0x7f:
		return true
	}
	return false
}

// lookATG reads a command to a gauge of tanks, or its echo in front of the
// answer: a mark, I or S, three digits of function and two of the tank.
func lookATG(x *sight) verdict {
	b := x.data[1:]
	for range 2 {
		if len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
			b = b[1:]
		}
	}
	for i, c := range b[:min(len(b), 6)] {
		switch {
		case i == 0 && (c|0x20 == 'i' || c|0x20 == 's'):
		case i > 0 && isDigit(c), i > 0 && i < 4 && c|0x20 >= 'a' && c|0x20 <= 'f':
		default:
			return no
		}
	}
	if len(b) < 6 {
		return wait
	}
	return done
}

// lookNMEA reads a sentence of NMEA 0183: an address of five letters or more,
// fields, and a checksum over what stands before it.
func lookNMEA(x *sight) verdict {
	const digits = "0123456789ABCDEF"
	line, _, ended := textLine(x.data[:min(len(x.data), 100)])
	sum := byte(0)
	for i, c := range line[1:] {
		switch {
		case c == '*':
			rest := line[1+i+1:]
			if i < 6 || len(rest) > 2 {
				return no
			}
			for j, c := range rest {
				if c&^0x20 != digits[sum>>(4*(1-j))&15]&^0x20 {
					return no
				}
			}
			if len(rest) < 2 {
				if ended {
					return no
				}
				return wait
			}
			return done
		case i < 5 && (c < 'A' || c > 'Z') && !(i > 0 && isDigit(c)), i == 5 && c != ',' && (c < 'A' || c > 'Z'), c < ' ' || c > '~':
			return no
		}
		sum ^= c
	}
	if ended || len(line) >= 90 {
		return no
	}
	return wait
}

// loraDetector knows how gateways of LoRaWAN talk to their server (Semtech's
// packet forwarder): a version, a number, a kind; then the gateway and an object
// of JSON, or in a beat without one, the server's answer with the same number.
func loraDetector() detector {
	return datagramOnly("LoRaWAN", "industrial", "\x01\x02", func(x *sight) verdict {
		const push, pull, answer, pulled = 0, 2, 3, 4
		b := x.data
		if len(b) < 4 {
			return no
		}
		switch b[3] {
		case push:
			return sure(len(b) > 14 && hasAny(b[12:], `{"rxpk"`, `{"stat"`))
		case answer:
			return sure(hasAny(b[4:], `{"txpk"`))
		case pull, pulled:
			if b[3] == pull && len(b) != 12 || b[3] == pulled && len(b) != 4 && len(b) != 12 {
				return no
			}
			memo := x.memo()
			if memo == nil {
				return no
			}
			if b[3] == pulled {
				return sure(memo[3] == 1 && [3]byte(memo[:]) == [3]byte(b))
			}
			copy(memo[:3], b)
			memo[3] = 1
			return wait
		}
		return no
	})
}
