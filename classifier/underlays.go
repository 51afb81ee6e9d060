// SPDX-License-Identifier: MIT

package classifier

// underlayDetectors lists what carries networks and steers those who do.
func underlayDetectors() []detector {
	return []detector{
		datagramOnly("VXLAN", "network", "\x08", func(x *sight) verdict { return sure(isVXLAN(x.data)) }),
		datagramOnly("LISP", "network", "", lookLISP),
		dlepDetector(),
		datagramOnly("PFCP", "network", "\x20\x21\x22\x23\x24\x26", func(x *sight) verdict { return sure(isPFCP(x.data)) }),
		bfcpDetector(),
	}
}

// isVXLAN reads the header of RFC 7348, whose reserved parts are zero, and the
// Ethernet frame behind it, of a type that is used.
func isVXLAN(b []byte) bool {
	const header, ethernet = 8, 14
	if len(b) < header+ethernet+20 || be32(b) != 0x08000000 || b[7] != 0 {
		return false
	}
	kind, payload := be16(b[header+12:]), b[header+ethernet:]
	switch kind {
	case 0x0800:
		return payload[0]>>4 == 4
	case 0x86dd:
		return payload[0]>>4 == 6
	case 0x0806:
		return be32(payload) == 0x00010800
	case 0x8100:
		return payload[2] == 0x08 || payload[2] == 0x86
	}
	return false
}

// lookLISP reads the control messages of RFC 9301 and the data of RFC 9300, both
// on their ports: too little of them is fixed for others.
func lookLISP(x *sight) verdict {
	const portData, portControl = 4341, 4342
	b := x.data
	switch {
	case x.port(portControl):
		return sure(isLISPControl(b))
	case x.port(portData) && len(b) >= 8+20:
		inner := b[8:]
		return sure(inner[0]>>4 == 4 && be16(inner[2:]) == len(inner) || inner[0]>>4 == 6 && len(inner) >= 40 && 40+be16(inner[4:]) == len(inner))
	}
	return no
}

func isLISPControl(b []byte) bool {
	const nonce, record = 12, 12 // bytes up to the end of the first, bytes of the least of the second
	if len(b) < 16 {
		return false
	}
	count := int(b[3])
	family := func(n int) bool { return n <= 2 || n == 6 || n == 16387 || n == 16389 }
	isRecord := func(b []byte) bool { // a time to live, how many ways, a mask, an address
		return len(b) >= record && b[4] <= 32 && b[5] <= 128 && family(be16(b[10:]))
	}
	switch b[0] >> 4 {
	case 1: // a map is asked for
		return count >= 1 && count <= 8 && isSessionID(b[4:nonce]) && !isZero(b[6:8]) && !isZero(b[8:10]) && family(be16(b[nonce:]))
	case 2: // answered
		return count >= 1 && count <= 8 && isSessionID(b[4:nonce]) && isRecord(b[nonce:])
	case 3, 4: // registered, and confirmed
		n := be16(b[nonce+2:])
		return be16(b[nonce:]) <= 8 && (n == 0 || n == 16 || n == 20 || n == 32) && count >= 1 && count <= 64 && len(b) >= 16+n && isRecord(b[16+n:])
	case 8: // in a packet of its own
		return b[1]|b[2]|b[3] == 0 && (b[4]>>4 == 4 || b[4]>>4 == 6) && len(b) >= 4+20+8
	}
	return false
}

// dlepDetector knows how radios and routers find each other (RFC 8175), and on
// its port the session that follows.
func dlepDetector() detector {
	const port = 854
	d := datagramOnly("DLEP", "network", "D\x00", func(x *sight) verdict {
		b := x.data
		return sure(len(b) >= 8 && opens(b, "DLEP") == enough && be16(b[4:])-1 < 2 && be16(b[6:]) == len(b)-8)
	})
	d.stream = func(x *sight) verdict {
		b := x.data
		if !x.port(port) {
			return no
		}
		if len(b) < 4 {
			return wait
		}
		size := 4 + be16(b[2:])
		if kind := be16(b); kind < 1 || kind > 16 || size > 4096 {
			return no
		}
		if len(b) < size {
			return wait
		}
		return sure(size > 4 && areItems(b[4:size], 4, 0))
	}
	return d
}

// areItems reports whether b is items of a kind and a length, two bytes each,
// that fill it. Their head counts as part of the length if it is included.
func areItems(b []byte, head, included int) bool {
	for len(b) > 0 {
		if len(b) < head {
			return false
		}
		size := head + be16(b[2:]) - included
		if size < head || size > len(b) {
			return false
		}
		b = b[size:]
	}
	return true
}

// isPFCP reads a message between the control and the user plane of mobile
// networks (3GPP TS 29.244): its version, its flags, a length that is the
// datagram's, and the elements that fill it.
func isPFCP(b []byte) bool {
	if len(b) < 8 || b[0]>>5 != 1 || b[0]&0x18 != 0 || 4+be16(b[2:]) != len(b) {
		return false
	}
	head := 8
	switch kind := b[1]; {
	case kind >= 1 && kind <= 15 && b[0]&1 == 0: // of nodes
		if b[7] != 0 {
			return false
		}
	case kind >= 50 && kind <= 57 && b[0]&1 != 0: // of sessions
		head = 16
	default:
		return false
	}
	if len(b) < head+5 {
		return false
	}
	first := be16(b[head:])
	return first > 0 && first < 512 && areItems(b[head:], 4, 0)
}

func bfcpDetector() detector {
	return detector{
		name: "BFCP", upper: "BFCP", category: "conferencing", confidence: 93,
		starts: func(b byte) bool { return b&7 == 0 && (b>>5 == 1 || b>>5 == 2) },
		stream: func(x *sight) verdict {
			b := x.data
			if len(b) < 12 {
				return wait
			}
			size := 12 + 4*be16(b[2:])
			if size > 1024 {
				return no
			}
			if len(b) < size {
				return wait
			}
			return sure(isBFCP(b[:size]))
		},
		datagram: func(x *sight) verdict { return sure(isBFCP(x.data)) },
	}
}

// isBFCP reads a message by which who may speak or show is settled (RFC 8855):
// what is wanted, a length in words, who, and attributes that fill it.
func isBFCP(b []byte) bool {
	if len(b) < 12 || b[1] < 1 || b[1] > 18 || 12+4*be16(b[2:]) != len(b) || be32(b[4:]) == 0 {
		return false
	}
	rest := b[12:]
	if len(rest) == 0 { // a greeting, or an answer that needs no more
		return b[1] == 11 && be16(b[8:]) != 0 && be16(b[10:]) != 0 && be32(b[4:]) < 1<<24
	}
	for len(rest) > 0 {
		kind, size := rest[0]>>1, int(rest[1])
		if kind < 1 || kind > 18 || size < 2 || (size+3)&^3 > len(rest) || !isZero(rest[size:(size+3)&^3]) {
			return false
		}
		rest = rest[(size+3)&^3:]
	}
	return true
}
