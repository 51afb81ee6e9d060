// SPDX-License-Identifier: MIT

package classifier

func bacnetDetector() detector {
	return datagramOnly("BACnet", "industrial", "\x81", lookBACnet)
}

// lookBACnet reads a virtual link message (ASHRAE 135, annex J) and the version
// of the network layer behind it.
func lookBACnet(x *sight) verdict {
	b := x.data
	if len(b) < 4 || b[1] > 12 || be16(b[2:]) != len(b) {
		return no
	}
	at := 4
	switch b[1] {
	case 4:
		at = 10
	case 9, 10, 11:
	case 0:
		if len(b) != 6 || b[4] != 0 {
			return no
		}
		return done
	case 2, 6:
		if len(b) != 4 {
			return no
		}
		return done
	case 5:
		if len(b) != 6 {
			return no
		}
		return done
	default:
		if (len(b)-4)%10 != 0 && len(b) != 10 {
			return no
		}
		return done
	}
	if len(b) < at+2 || b[at] != 1 || b[at+1]&0x50 != 0 {
		return no
	}
	return done
}

func knxDetector() detector {
	d := datagramOnly("KNXnet_IP", "industrial", "\x06", func(x *sight) verdict {
		if len(x.data) >= 8 && be16(x.data[4:]) == len(x.data) && isKNX(x.data) {
			return done
		}
		return no
	})
	d.stream = func(x *sight) verdict {
		if v := opensAny(x.data, "\x06\x10", "\x06\x20"); v != enough {
			return v
		}
		switch {
		case len(x.data) < 8:
			return wait
		case isKNX(x.data):
			return done
		}
		return no
	}
	return d
}

// isKNX reads the header of KNXnet/IP (EN 13321-2): service and length.
func isKNX(b []byte) bool {
	service, size := be16(b[2:]), be16(b[4:])
	if b[1] != 0x10 && b[1] != 0x20 || size < 8 || size > 1500 {
		return false
	}
	switch {
	case service >= 0x201 && service <= 0x20c, service >= 0x310 && service <= 0x311, service >= 0x420 && service <= 0x425,
		service >= 0x530 && service <= 0x533, service >= 0x740 && service <= 0x743, service >= 0x950 && service <= 0x955:
		return true
	}
	return false
}
