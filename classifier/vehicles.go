// SPDX-License-Identifier: MIT

package classifier

func someipDetector() detector {
	d := datagramOnly("SOMEIP", "rpc", "", func(x *sight) verdict {
		for b := x.data; len(b) >= 16 && isSOMEIP(b) && num32(b[4:]) <= len(b)-8; {
			if b = b[8+num32(b[4:]):]; len(b) == 0 {
				return done
			}
		}
		return no
	})
	d.stream = func(x *sight) verdict {
		b := x.data
		if len(b) > 4 && b[4] != 0 || len(b) > 5 && b[5] != 0 || len(b) > 12 && b[12] != 1 {
			return no
		}
		for n := 0; len(b) >= 16; n++ {
			if !isSOMEIP(b) || num32(b[4:]) > 1<<16 {
				return no
			}
			if n == 1 || len(b) == 8+num32(b[4:]) {
				return done
			}
			if len(b) < 8+num32(b[4:]) {
				return wait
			}
			b = b[8+num32(b[4:]):]
		}
		return wait
	}
	return d
}

// isSOMEIP reads a header of the automobile's middleware (AUTOSAR, SOME/IP).
func isSOMEIP(b []byte) bool {
	if be16(b) == 0 || num32(b[4:]) < 8 || b[12] != 1 || b[15] > 0x5e {
		return false
	}
	switch b[14] &^ 0x20 { // parts of a long message
	case 0, 1, 2: // asked, told: all is well
		return b[15] == 0
	case 0x80, 0x81:
		return true
	}
	return false
}

func rtpsDetector() detector {
	return datagramOnly("RTPS", "rpc", "R", func(x *sight) verdict {
		b := x.data // header of twenty bytes, then parts
		if len(b) < 24 || opens(b, "RTPS") < found || b[4] < 1 || b[4] > 2 || b[5] > 9 {
			return no
		}
		return done
	})
}

func doipDetector() detector {
	d := datagramOnly("DoIP", "industrial", "\x01\x02\x03\x04\xff", func(x *sight) verdict {
		if b := x.data; len(b) >= 8 && num32(b[4:]) == len(b)-8 && isDoIP(b) {
			return done
		}
		return no
	})
	d.stream = func(x *sight) verdict {
		b := x.data
		if len(b) > 1 && b[0]^b[1] != 0xff {
			return no
		}
		if len(b) < 8 {
			return wait
		}
		if isDoIP(b) && num32(b[4:]) < 1<<16 {
			return done
		}
		return no
	}
	return d
}

// isDoIP reads a header of diagnostics of vehicles (ISO 13400-2): version, its
// inverse, kind and the length that kind has.
func isDoIP(b []byte) bool {
	if b[0]^b[1] != 0xff || b[0] < 1 || b[0] > 4 && b[0] != 0xff {
		return false
	}
	size := num32(b[4:])
	switch be16(b[2:]) {
	case 1, 7, 0x4001, 0x4003:
		return size == 0
	case 0:
		return size == 1
	case 2:
		return size == 6
	case 3:
		return size == 17
	case 4:
		return size == 32 || size == 33
	case 5:
		return size == 7 || size == 11
	case 6:
		return size == 9 || size == 13
	case 0x8001, 0x8002, 0x8003:
		return size >= 5 && size < 1<<16
	}
	return false
}
