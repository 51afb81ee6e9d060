// SPDX-License-Identifier: MIT

package classifier

// multicastDetectors lists what sends files to many at once.
func multicastDetectors() []detector {
	return []detector{
		datagramOnly("UFTP", "file", "\x40\x50", func(x *sight) verdict { return sure(isUFTP(x.data)) }),
		datagramOnly("FLUTE", "file", "", func(x *sight) verdict { return sure(isFLUTE(x.data)) }),
	}
}

// isUFTP reads the head that every packet of UFTP 4 and 5 has, sixteen bytes
// with the function in the second; the function's own part begins with it once
// more, and with its length in words. What is encrypted has two lengths instead,
// of a signature and of the rest.
func isUFTP(b []byte) bool {
	const head, encrypted = 16, 18
	if len(b) < head+4 || b[0] != 0x40 && b[0] != 0x50 || b[1] < 1 || b[1] > 21 {
		return false
	}
	if be32(b[4:]) == 0 || b[15] != 0 {
		return false
	}
	if b[1] == encrypted {
		return len(b) >= head+12 && head+12+be16(b[head+8:])+be16(b[head+10:]) == len(b)
	}
	size := 4 * int(b[head+1])
	return b[head] == b[1] && size >= 4 && head+size <= len(b)
}

// isFLUTE reads the header of layered coding (RFC 5651) and its extensions, which
// must fill it: among them, of object 0, the one by which FLUTE (RFC 6726)
// describes files.
func isFLUTE(b []byte) bool {
	const instance = 192 // EXT_FDT
	if len(b) < 16 || b[0]>>4 != 1 || b[0]&3 != 0 || b[1]&0x0c != 0 {
		return false
	}
	end := 4 * int(b[2])
	half := int(b[1] >> 4 & 1)
	session := 4*int(b[1]>>7) + 2*half
	object := 4*int(b[1]>>5&3) + 2*half
	at := 4 + 4*(1+int(b[0]>>2&3)) + session
	if end > len(b) || session == 0 || object == 0 || at+object > end || !isZero(b[at:at+object]) {
		return false
	}
	described := false
	for at += object; at < end; {
		size := 4
		if b[at] < 128 {
			size = 4 * int(b[at+1])
		}
		if size == 0 || at+size > end {
			return false
		}
		if b[at] == instance {
			described = b[at+1]>>4 == 1 || b[at+1]>>4 == 2
		}
		at += size
	}
	return described && at == end
}
