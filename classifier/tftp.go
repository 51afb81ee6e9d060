// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func tftpDetector() detector {
	return datagramOnly("TFTP", "file", "\x00", lookTFTP)
}

// lookTFTP reads a request (RFC 1350), the options of an answer (RFC 2347), or
// an error with its text.
func lookTFTP(x *sight) verdict {
	b := x.data
	if len(b) < 4 || b[0] != 0 || len(b) < 6 && b[1] != 4 && b[1] != 3 {
		return no
	}
	switch b[1] {
	case 3, 4:
		return tftpBlock(x)
	case 1, 2:
		name, rest, ok := bytes.Cut(b[2:], []byte{0})
		mode, rest, ended := bytes.Cut(rest, []byte{0})
		if !ok || !ended || len(name) == 0 || !isText(name) || !tftpWord(mode, "NETASCII", "OCTET", "MAIL") || !tftpOptions(rest) {
			return no
		}
		return done
	case 5:
		text, rest, ok := bytes.Cut(b[4:], []byte{0})
		if !ok || len(rest) > 0 || be16(b[2:]) > 8 || len(text) < 4 || !isPrintable(text) {
			return no
		}
		return done
	case 6:
		if tftpOptions(b[2:]) {
			return done
		}
	}
	return no
}

// tftpOptions reports whether b is pairs of names and values, the first of a
// known name; or nothing.
func tftpOptions(b []byte) bool {
	for first := true; len(b) > 0 && !isZero(b); first = false {
		name, rest, ok := bytes.Cut(b, []byte{0})
		value, rest, ended := bytes.Cut(rest, []byte{0})
		if !ok || !ended || !isWord(name) || !isText(value) || first && !tftpWord(name, "BLKSIZE", "TSIZE", "TIMEOUT", "WINDOWSIZE", "MULTICAST", "ROLLOVER", "BLKSIZE2", "UTIMEOUT") {
			return false
		}
		b = rest
	}
	return true
}

// tftpWord reports whether b is one of the words, in capitals, in any case.
func tftpWord(b []byte, words ...string) bool {
	for _, w := range words {
		if len(b) == len(w) && opensFold(b, w) == enough {
			return true
		}
	}
	return false
}

// tftpBlock believes in data when the other side acknowledges the same block.
func tftpBlock(x *sight) verdict {
	b, m := x.data, x.memo()
	if b[1] == 4 && len(b) != 4 {
		return no
	}
	if m != nil && m[0] != 0 && m[0] != b[1] && m[1] == byte(x.dir^1) && m[2] == b[2] && m[3] == b[3] {
		return done
	}
	if m != nil {
		m[0], m[1], m[2], m[3] = b[1], byte(x.dir), b[2], b[3]
	}
	return wait
}
