// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// studioDetectors lists what carries light, sound and pictures, and what routers
// and sleeping hosts hear.
func studioDetectors() []detector {
	return []detector{
		datagramOnly("ArtNet", "iot", "A", func(x *sight) verdict { return sure(len(x.data) >= 10 && opens(x.data, "Art-Net\x00") == enough) }),
		datagramOnly("sACN", "iot", "\x00", func(x *sight) verdict {
			return sure(len(x.data) >= 38 && opens(x.data, "\x00\x10\x00\x00ASC-E1.17\x00\x00\x00") == enough)
		}),
		datagramOnly("OSC", "streaming", "#", func(x *sight) verdict { return sure(isOSC(x.data)) }),
		datagramOnly("SRT", "streaming", "\x80", func(x *sight) verdict { return sure(isSRT(x.data)) }),
		datagramOnly("RIP", "network", "\x01\x02", func(x *sight) verdict { return sure(x.port(520) && isRIP(x.data)) }),
		datagramOnly("Babel", "network", "\x2a", func(x *sight) verdict { return sure(isBabel(x.data)) }),
		datagramOnly("WakeOnLAN", "network", "\xff", func(x *sight) verdict { return sure(isWake(x.data)) }),
	}
}

// isOSC reads a bundle of Open Sound Control 1.0: its word, a time, then elements
// with their lengths, which fill it in words.
func isOSC(b []byte) bool {
	if len(b) < 16+4+4 || opens(b, "#bundle\x00") != enough {
		return false
	}
	for b = b[16:]; len(b) > 0; {
		if len(b) < 4 {
			return false
		}
		n := be32(b)
		if n%4 != 0 || n == 0 || n > uint32(len(b)-4) || b[4] != '/' && b[4] != '#' {
			return false
		}
		b = b[4+n:]
	}
	return true
}

// isSRT reads a handshake of Secure Reliable Transport: a control packet of kind
// 0, then version 4 or 5, what is supported, a number, the size of packets, how
// many may be on the way, the kind of handshake, an id, a cookie and an address.
func isSRT(b []byte) bool {
	const head, handshake = 16, 48
	if len(b) < head+handshake || be32(b) != 0x80000000 || be32(b[4:]) != 0 {
		return false
	}
	h := b[head:]
	version, extension := be32(h), be16(h[6:])
	switch kind := be32(h[20:]); kind {
	case 1: // induction
		if len(b) != head+handshake || version == 4 && extension != 2 || version == 5 && extension != 0x4a17 {
			return false
		}
	case 0xffffffff, 0xfffffffe: // conclusion, agreement
	default:
		return kind >= 1000 && kind < 2000 && len(b) == head+handshake && version == 5 // refusal
	}
	size, window := be32(h[12:]), be32(h[16:])
	return (version == 4 || version == 5) && h[8]&0x80 == 0 && size >= 76 && size <= 1500 && window >= 32 && window <= 1<<20 && be32(h[24:]) != 0 && len(b) <= 1500
}

// isRIP reads a message of RIP, version 1 or 2 (RFC 2453): a command, a version,
// then entries of twenty bytes. A request for all has one of no family.
func isRIP(b []byte) bool {
	const head, entry = 4, 20
	if len(b) < head+entry || (len(b)-head)%entry != 0 || len(b) > head+25*entry || b[0] < 1 || b[0] > 2 || b[1] < 1 || b[1] > 2 || b[2]|b[3] != 0 {
		return false
	}
	for e := b[head:]; len(e) > 0; e = e[entry:] {
		family, metric := be16(e), be32(e[16:])
		switch {
		case family == 0xffff && b[1] == 2: // who sends it
		case family == 2 && metric >= 1 && metric <= 16:
		case family == 0 && b[0] == 1 && metric == 16:
		default:
			return false
		}
	}
	return true
}

// isBabel reads a packet of RFC 8966: mark 42, version 2, and things with kind and
// length that fill it as far as the head says; what follows signs it.
func isBabel(b []byte) bool {
	if len(b) < 4+4 || b[0] != 42 || b[1] != 2 || be16(b[2:]) > len(b)-4 || be16(b[2:]) < 4 {
		return false
	}
	count := 0
	for b = b[4 : 4+be16(b[2:])]; len(b) > 0; count++ {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[0] > 32 || int(b[1]) > len(b)-2 {
			return false
		}
		if n := int(b[1]); b[0] == 4 && n < 6 || b[0] == 5 && n < 6 || b[0] == 6 && n != 10 || b[0] == 8 && n < 10 {
			return false
		}
		b = b[2+b[1]:]
	}
	return count > 0
}

// isWake finds six bytes of ones and sixteen times an address, perhaps with a
// word behind that has to fit.
func isWake(b []byte) bool {
	const size = 6 + 16*6
	if len(b) != size && len(b) != size+4 && len(b) != size+6 || opens(b, "\xff\xff\xff\xff\xff\xff") != enough {
		return false
	}
	address := b[6:12]
	return bytes.Equal(b[6:size-6], b[12:size]) && !bytes.Equal(address, b[:6]) && bytes.Count(address, []byte{0}) < 6
}
