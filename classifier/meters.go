// SPDX-License-Identifier: MIT

package classifier

func dlmsDetector() detector {
	d := streamOnly("IEC62056", "industrial", "\x00\x7e", func(x *sight) verdict {
		if x.data[0] == 0x7e {
			return lookHDLC(x.data)
		}
		if v := opens(x.data, "\x00\x01"); v < found {
			return v
		}
		switch {
		case len(x.data) < 10:
			return wait
		case isDLMS(x.data):
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 10 && (x.data[0] == 0x7e && lookHDLC(x.data) == done || be16(x.data[6:])+8 == len(x.data) && isDLMS(x.data)) {
			return done
		}
		return no
	}
	return d
}

// lookHDLC reads a frame of IEC 62056-46: its length between two flags, and its
// checksum (the one of X.25).
func lookHDLC(b []byte) verdict {
	if len(b) > 1 && b[1]&0xf0 != 0xa0 {
		return no
	}
	if len(b) < 9 {
		return wait
	}
	size := be16(b[1:]) & 0x7ff
	if size < 7 {
		return no
	}
	if len(b) < size+2 {
		return wait
	}
	sum := 0xffff
	for _, c := range b[1 : size-1] {
		sum ^= int(c)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0x8408
			} else {
				sum >>= 1
			}
		}
	}
	if b[size+1] != 0x7e || le16(b[size-1:]) != sum^0xffff {
		return no
	}
	return done
}

// isDLMS reads the wrapper of IEC 62056-4-7 and the tag of what is in it; both
// ends' ports are small numbers.
func isDLMS(b []byte) bool {
	size := be16(b[6:])
	if be16(b) != 1 || be16(b[2:]) == 0 && be16(b[4:]) == 0 || be16(b[2:]) > 0x80 && be16(b[4:]) > 0x80 || size < 2 || size > 4096 {
		return false
	}
	switch tag := b[8]; {
	case tag == 0x60 || tag == 0x61: // association: its length
		return size >= 10 && (int(b[9]) == size-2 || b[9] == 0x81)
	case tag >= 0xc0 && tag <= 0xc7 && tag != 0xc6: // get, set, event, action: choice
		return b[9] >= 1 && b[9] <= 4 && size >= 4
	case tag >= 0xc8 && tag <= 0xcf, tag == 0xdb, tag == 0xdd, tag == 0xe6: // ciphered: its length
		return int(b[9]) == size-2 || b[9] == 0x81 || b[9] == 0x82
	case tag == 0x62 || tag == 0x63:
		return int(b[9]) == size-2
	}
	return false
}
