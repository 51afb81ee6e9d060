// SPDX-License-Identifier: MIT

package classifier

func bgpDetector() detector {
	return streamOnly("BGP", "network", "\xff", lookBGP)
}

// lookBGP reads a message header (RFC 4271): sixteen bytes of ones, length,
// kind.
func lookBGP(x *sight) verdict {
	b := x.data
	for _, c := range b[:min(len(b), 16)] {
		if c != 0xff {
			return no
		}
	}
	if len(b) < 19 {
		return wait
	}
	const opening, update, notice, alive, refresh = 1, 2, 3, 4, 5
	n := be16(b[16:])
	switch b[18] {
	case opening:
		if len(b) < 20 {
			return wait
		}
		return sure(n >= 29 && n <= 4096 && b[19] == 4)
	case update:
		return sure(n >= 23 && n <= 4096)
	case notice:
		return sure(n >= 21 && n <= 4096)
	case alive:
		return sure(n == 19)
	case refresh:
		return sure(n == 23)
	}
	return no
}

func ldpDetector() detector {
	d := streamOnly("LDP", "network", "\x00", func(x *sight) verdict {
		switch {
		case len(x.data) < 18:
			return min(opens(x.data, "\x00\x01"), wait)
		case isLDP(x.data):
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 18 && be16(x.data[2:])+4 == len(x.data) && isLDP(x.data) {
			return done
		}
		return no
	}
	return d
}

// isLDP reads the headers of a packet and of its first message (RFC 5036).
func isLDP(b []byte) bool {
	size, kind, n := be16(b[2:]), be16(b[10:])&0x7fff, be16(b[12:])
	switch kind {
	case 1, 0x100, 0x200, 0x201, 0x300, 0x301, 0x400, 0x401, 0x402, 0x403, 0x404:
	default:
		return false
	}
	return be16(b) == 1 && size >= 14 && size <= 4096 && be16(b[8:]) == 0 && n >= 4 && n+10 <= size
}

func bfdDetector() detector {
	return datagramOnly("BFD", "network", "", lookBFD)
}

// lookBFD reads a control packet (RFC 5880).
func lookBFD(x *sight) verdict {
	b := x.data
	if x.p.DstPort == 3785 && x.p.Src == x.p.Dst && !x.p.Src.IsLoopback() && x.p.Hops >= 254 {
		return done // an echo: to itself by way of the neighbour (RFC 5881, 4)
	}
	if len(b) < 24 || len(b) > 64 || b[0]>>5 != 1 || b[0]&0x1f > 8 || int(b[3]) != len(b) || b[2] == 0 || b[1]&1 != 0 ||
		b[1]&0x30 == 0x30 || (b[1]&4 != 0) != (len(b) > 24) || num32(b[4:]) == 0 {
		return no
	}
	const slowest = 255_000_000 // microseconds
	if num32(b[12:]) > slowest || num32(b[16:]) > slowest || num32(b[20:]) > slowest {
		return no
	}
	return done
}

func hsrpDetector() detector {
	return datagramOnly("HSRP", "network", "\x00\x01", lookHSRP)
}

// lookHSRP reads a hello of version 1 (RFC 2281), or the parts of version 2. It
// has little that is fixed: the port must be the protocol's.
func lookHSRP(x *sight) verdict {
	b := x.data
	if !x.port(1985, 2029) || len(b) < 16 {
		return no
	}
	if b[0] == 0 && b[1] <= 2 && len(b) >= 20 {
		switch b[2] {
		case 0, 1, 2, 4, 8, 16:
			if b[7] == 0 && b[3] > 0 && b[4] >= b[3] {
				return done
			}
		}
		return no
	}
	if b[0] == 0 && b[1] == 3 { // advertisement
		if size := be16(b[4:]); be16(b[2:]) <= 2 && size+4 <= len(b) {
			return done
		}
		return no
	}
	for first := true; len(b) > 0; first = false {
		if len(b) < 2 || 2+int(b[1]) > len(b) || b[0] < 1 || b[0] > 4 || first && (b[0] != 1 && b[0] != 2 || b[0] == 1 && b[1] != 40) {
			return no
		}
		b = b[2+int(b[1]):]
	}
	return done
}

func capwapDetector() detector {
	return datagramOnly("CAPWAP", "network", "\x00\x01", lookCAPWAP)
}

// lookCAPWAP reads the header (RFC 5415) and the control message in it; data is
// told from others by the port only.
func lookCAPWAP(x *sight) verdict {
	b := x.data
	if len(b) < 16 {
		return no
	}
	if b[0] == 1 { // DTLS behind four bytes
		if num32(b) == 0x01000000 && b[4] >= 20 && b[4] <= 25 && b[5] == 0xfe && (b[6] == 0xff || b[6] == 0xfd) {
			return done
		}
		return no
	}
	head := int(b[1]>>3) * 4
	if head < 8 || head+8 > len(b) || b[3]&7 != 0 {
		return no
	}
	if x.port(5247) {
		binding := (num32(b) >> 9) & 0x1f
		whole, extended := b[3]&0x80 == 0, b[3]&0x30 != 0
		memo := x.memo()
		if memo == nil || binding > 3 || whole && !isZero(b[4:8]) || extended != (head > 8) {
			return no
		}
		// So little tells only if two datagrams agree: on the radio and its binding.
		if memo[0] == 1 && memo[1] == b[1]&7 && memo[2] == b[2] {
			return done
		}
		memo[0], memo[1], memo[2] = 1, b[1]&7, b[2]
		return wait
	}
	m := b[head:]
	if kind := num32(m); kind >= 1 && kind <= 26 && be16(m[5:])+5 == len(m) && m[7] == 0 {
		return done
	}
	return no
}

func gtpControlDetector() detector {
	return gtpDetector("GTP_C", "\x30\x32\x33\x34\x36\x40\x48\x50\x58", func(x *sight) bool {
		b := x.data
		if len(b) < 8 || b[1] == 255 || b[1] == 0 {
			return false
		}
		if b[0]>>5 == 2 { // version 2 (TS 29.274)
			return be16(b[2:])+4 == len(b) && len(b) > 8+int(b[0]&8)/2 && (b[0]&0x10 != 0 || isGTPElements(b[4+int(b[0]&8)/2+4:]))
		}
		return x.port(2123) && be16(b[2:])+8 == len(b) && b[0]&2 != 0 && len(b) >= 12 // numbered, all of them
	})
}

// isGTPElements reports whether b is information elements of version 2.
func isGTPElements(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 4 || b[0] == 0 || be16(b[1:])+4 > len(b) {
			return false
		}
		b = b[4+be16(b[1:]):]
	}
	return true
}

func gtpUserDetector() detector {
	return gtpDetector("GTP_U", "\x30\x32\x33\x34\x35\x36", func(x *sight) bool { // TS 29.281
		b := x.data
		if len(b) < 8 || be16(b[2:])+8 != len(b) {
			return false
		}
		at := 8
		if b[0]&7 != 0 {
			at = 12
		}
		switch b[1] {
		case 255:
			return len(b) >= at+20 && (x.port(2152) || b[0]&7 == 0 && (b[at] == 0x45 || b[at]>>4 == 6))
		case 1, 2, 26, 31, 254:
			return len(b) >= at && x.port(2152)
		}
		return false
	})
}

func gtpPrimeDetector() detector {
	return gtpDetector("GTP_PRIME", "\x0e\x0f\x2e\x2f\x4e\x4f", func(x *sight) bool { // TS 32.295
		b := x.data
		if len(b) < 6 || !x.port(3386) || be16(b[2:])+6 != len(b) && be16(b[2:])+20 != len(b) {
			return false
		}
		return b[1] >= 1 && b[1] <= 7 || b[1] == 240 || b[1] == 241
	})
}

// gtpDetector describes one of the GPRS tunnelling protocols.
func gtpDetector(application, first string, is func(*sight) bool) detector {
	d := datagramOnly("GTP", "network", first, func(x *sight) verdict {
		if is(x) {
			return done
		}
		return no
	})
	d.upper = application
	return d
}

func openflowDetector() detector {
	return streamOnly("OpenFlow", "network", "\x01\x02\x03\x04\x05\x06", lookOpenFlow)
}

// lookOpenFlow reads the hello that both sides begin with.
func lookOpenFlow(x *sight) verdict {
	b := x.data
	if len(b) < 8 {
		if len(b) > 1 && b[1] != 0 {
			return no
		}
		return wait
	}
	n := be16(b[2:])
	if b[1] != 0 || n != 8 && n != 16 {
		return no
	}
	if n == 16 {
		if len(b) < 12 {
			return wait
		}
		if be16(b[8:]) != 1 || be16(b[10:]) != 8 {
			return no
		}
	}
	if len(b) > n && b[n] != b[0] && (b[n] < 1 || b[n] > 6) {
		return no
	}
	return done
}
