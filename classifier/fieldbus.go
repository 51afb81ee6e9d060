// SPDX-License-Identifier: MIT

package classifier

func dnp3Detector() detector {
	d := streamOnly("DNP3", "industrial", "\x05", func(x *sight) verdict {
		if v := opens(x.data, "\x05\x64"); v != enough {
			return v
		}
		switch {
		case len(x.data) < 10:
			return wait
		case isDNP3(x.data):
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 10 && opens(x.data, "\x05\x64") == enough && isDNP3(x.data) {
			return done
		}
		return no
	}
	return d
}

// isDNP3 reads a link header and its checksum (IEEE 1815): polynomial 0x3d65,
// bits reflected, result inverted.
func isDNP3(b []byte) bool {
	sum := 0
	for _, c := range b[:8] {
		sum ^= int(c)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xa6bc
			} else {
				sum >>= 1
			}
		}
	}
	return b[2] >= 5 && le16(b[8:]) == sum^0xffff
}

func iec104Detector() detector {
	return streamOnly("IEC60870", "industrial", "\x68", lookIEC104)
}

// lookIEC104 reads units of IEC 60870-5-104: start, length, four bytes of
// control, and what is carried. One that carries nothing has few forms; of
// others, kind, count and cause must be right.
func lookIEC104(x *sight) verdict {
	b := x.data
	for sure := 0; ; {
		if len(b) < 6 {
			if len(b) > 0 && b[0] != 0x68 || len(b) > 1 && (b[1] < 4 || b[1] > 253) {
				return no
			}
			return wait
		}
		size := int(b[1])
		if b[0] != 0x68 || size < 4 || size > 253 {
			return no
		}
		switch {
		case b[2]&3 == 3:
			switch b[2] {
			case 0x07, 0x0b, 0x13, 0x23, 0x43, 0x83:
			default:
				return no
			}
			if size != 4 || !isZero(b[3:6]) {
				return no
			}
			sure += 2
		case b[2]&3 == 1:
			if size != 4 || b[2] != 1 || b[3] != 0 || b[4]&1 != 0 {
				return no
			}
			sure++
		default:
			if size < 13 || b[4]&1 != 0 {
				return no
			}
			if len(b) < 12 {
				return wait
			}
			kind, count, cause := b[6], b[7]&0x7f, b[8]&0x3f
			if kind == 0 || kind > 127 || count == 0 || cause == 0 || cause > 47 {
				return no
			}
			if (kind >= 45 && kind <= 69 || kind >= 100 && kind <= 113) && count != 1 || kind < 45 && b[7]&0x80 == 0 && int(count)*4 > size-10 {
				return no
			}
			sure++
		}
		if sure >= 2 {
			return done
		}
		if len(b) < size+2 {
			return wait
		}
		if b = b[size+2:]; len(b) == 0 {
			if x.port(2404) {
				return done
			}
			if len(x.peer()) >= 6 && x.peer()[0] == 0x68 {
				return done
			}
			return wait
		}
	}
}

func synchrophasorDetector() detector {
	d := streamOnly("IEEE-C37118", "industrial", "\xaa", func(x *sight) verdict { return lookSynchrophasor(x.data) })
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 16 && be16(x.data[2:]) == len(x.data) && lookSynchrophasor(x.data) == enough {
			return done
		}
		return no
	}
	return d
}

// lookSynchrophasor reads a frame of IEEE C37.118.2 and its checksum:
// polynomial 0x1021, from all ones.
func lookSynchrophasor(b []byte) verdict {
	if len(b) < 4 {
		return wait
	}
	size := be16(b[2:])
	if b[1]>>4 > 5 || b[1]&15 < 1 || b[1]&15 > 3 || size < 16 || size > 16<<10 {
		return no
	}
	if len(b) < size {
		return wait
	}
	sum := uint16(0xffff)
	for _, c := range b[:size-2] {
		sum ^= uint16(c) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	if be16(b[size-2:]) != int(sum) {
		return no
	}
	return enough
}

func hartDetector() detector {
	d := streamOnly("HART-IP", "industrial", "\x01\x02", func(x *sight) verdict {
		switch {
		case len(x.data) < 8:
			return wait
		case be16(x.data[6:]) > 13 && x.data[2] == 0:
			return no
		case len(x.data) < min(be16(x.data[6:]), 300) && x.data[1] <= 2 && x.data[2] <= 4:
			return wait
		case isHART(x.data, len(x.data)):
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 8 && isHART(x.data, len(x.data)) {
			return done
		}
		return no
	}
	return d
}

// isHART reads the header of HART-IP: version, kind, message, status, length. A
// session begins with its being set up.
func isHART(b []byte, size int) bool {
	if b[0] < 1 || b[0] > 2 || b[1] > 2 && b[1] != 15 || b[2] > 4 || b[3] > 16 && b[3] < 64 || be16(b[6:]) != size {
		return false
	}
	switch b[2] {
	case 0: // set up: master type, timer
		return size == 13 && b[8] <= 1
	case 1, 2:
		return size == 8
	}
	return size >= 12
}
