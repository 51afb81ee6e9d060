// SPDX-License-Identifier: MIT

package classifier

func canDetector() detector {
	return datagramOnly("Controller_Area_Network", "industrial", "I", func(x *sight) verdict {
		// Frames of the bus in datagrams, behind the number of its standard.
		b := x.data
		if len(b) < 15 || opens(b, "ISO11898") != enough || b[8] == 0 {
			return no
		}
		return done
	})
}

func rmcpDetector() detector {
	return datagramOnly("RMCP", "system", "\x06", lookRMCP)
}

// lookRMCP reads the header of remote management and control (ASF 2.0, IPMI
// 2.0): an acknowledgement, a message of ASF with its number, or one of IPMI.
func lookRMCP(x *sight) verdict {
	b := x.data
	if len(b) < 4 || b[1] != 0 {
		return no
	}
	switch class := b[3]; {
	case class == 0x86 || class == 0x87 || class == 0x88:
		if len(b) == 4 {
			return done
		}
	case class == 6 && len(b) >= 12:
		if num32(b[4:]) == 0x11be && int(b[11])+12 == len(b) {
			return done
		}
	case class == 7 && len(b) >= 14:
		switch {
		case b[4] == 6: // of version 2: kind, session, length
			if b[5]&0x3f <= 0x15 && len(b) >= 16 && le16(b[14:])+16 <= len(b) {
				return done
			}
		case b[4] == 0 && int(b[13])+14 <= len(b) && len(b) <= int(b[13])+15:
			return done
		case b[4] <= 5 && len(b) >= 30 && int(b[29])+30 <= len(b) && len(b) <= int(b[29])+31:
			return done
		}
	}
	return no
}

func c1222Detector() detector {
	d := streamOnly("ANSI_C1222", "industrial", "\x60", func(x *sight) verdict {
		e, state := readBER(x.data)
		switch {
		case state == partial:
			return wait
		case state == malformed || e.size < 8 || e.size > 1<<14 || len(x.data) > e.head && !isC1222Tag(x.data[e.head]):
			return no
		case len(x.data) < e.total():
			return wait
		case isC1222(x.data[e.head:e.total()]):
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if e, state := readBER(x.data); state == whole && e.total() == len(x.data) && isC1222(x.data[e.head:]) {
			return done
		}
		return no
	}
	return d
}

// isC1222Tag tells what an association of a meter can begin with: its context,
// who is called, who calls.
func isC1222Tag(tag byte) bool { return tag == 0xa1 || tag == 0xa2 || tag == 0xa6 || tag == 0xa8 }

// isC1222 reads the elements of an association (ANSI C12.22), which fill b, are
// in order and end with the user's information.
func isC1222(b []byte) bool {
	last, n := byte(0), 0
	for ; len(b) > 0; n++ {
		e, state := readBER(b)
		if state != whole || e.total() > len(b) || e.tag <= last || e.tag < 0x80 || n == 0 && !isC1222Tag(e.tag) {
			return false
		}
		switch e.tag {
		case 0xa1, 0xa2, 0xa4, 0xa6, 0xa7, 0xa8, 0x8b, 0xac, 0xbe:
		default:
			return false
		}
		last = 0xff
		if e.tag == 0xbe {
			return n >= 2 && e.total() == len(b) && e.size > 2 && b[e.head] == 0x28
		}
		if e.tag != 0x8b && e.tag != 0xac {
			last = e.tag
		} else {
			last = 0xac - 1 // the mechanism's name and its value come late
		}
		b = b[e.total():]
	}
	return false
}

func finsDetector() detector {
	d := datagramOnly("FINS", "industrial", "\x80\x81\xc0\xc1", func(x *sight) verdict {
		if len(x.data) >= 12 && isFINS(x.data) {
			return done
		}
		return no
	})
	d.starts = oneOf("\x80\x81\xc0\xc1F")
	d.stream = func(x *sight) verdict {
		b := x.data
		if v := opens(b, "FINS"); v != enough {
			return v
		}
		if len(b) < 12 {
			return wait
		}
		if size := num32(b[4:]); size < 8 || size > 4096 || num32(b[8:]) > 6 {
			return no
		}
		return done
	}
	return d
}

// isFINS reads a header of Omron's factory network: reserved byte, gateways,
// units, and a command of the manual.
func isFINS(b []byte) bool {
	if b[1] != 0 || b[2] > 7 || b[2] == 0 || b[3] > 127 || b[6] > 127 {
		return false
	}
	if b[0]&0x40 != 0 && len(b) < 14 {
		return false
	}
	main, sub := b[10], b[11]
	switch main {
	case 1, 2:
		return sub >= 1 && sub <= 5
	case 3:
		return sub >= 6 && sub <= 8
	case 4, 6, 7, 9, 0x0c, 0x21:
		return sub >= 1 && sub <= 3 || main == 6 && sub == 0x20
	case 5:
		return sub == 1 || sub == 2
	case 0x22, 0x23:
		return sub >= 1 && sub <= 0x20 || main == 0x23 && sub == 0x0a
	}
	return false
}

func cphaDetector() detector {
	return datagramOnly("CPHA", "network", "\x1a", func(x *sight) verdict {
		// Cluster control of Check Point's firewalls, on its own port.
		b := x.data
		if len(b) < 20 || be16(b) != 0x1a90 || !x.port(8116) {
			return no
		}
		return done
	})
}
