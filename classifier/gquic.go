// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
)

// maxCHLOTags bounds the values of one hello of Google's QUIC.
const maxCHLOTags = 64

func gquicDetector() detector {
	return detector{
		name: "QUIC", upper: "QUIC", category: "web", confidence: confidenceSealed, answers: answersGQUIC,
		datagram: lookGQUIC,
	}
}

// lookGQUIC recognises the QUIC that Google used before there was a standard,
// versions Q001 to Q046: a version in clear, and a hello of tagged values that
// nothing hides.
func lookGQUIC(x *sight) verdict {
	b := x.data
	number, rest := gquicVersion(b)
	if number == 0 {
		if x.s.detector != nil || isGQUICAnswer(b) {
			return found
		}
		return no
	}
	if h := x.s.handshake(); h.quic == 0 {
		h.quic = 'Q'<<24 | '0'<<16 | uint32('0'+number/10)<<8 | uint32('0'+number%10)
		x.s.note("quic/version", quicName(h.quic), 0)
		x.s.touch()
	}
	// The hello is the first frame, behind a packet number and a hash.
	i := bytes.Index(rest[:min(len(rest), 48)], []byte("CHLO"))
	if i < 0 {
		return found
	}
	if x.learnCHLO(rest[i:]) {
		return done
	}
	return found
}

// gquicVersion returns the version that a client's packet names, 0 if none, and
// what follows the version and the ids.
func gquicVersion(b []byte) (number int, rest []byte) {
	if len(b) < 20 {
		return 0, nil
	}
	switch {
	case b[0]&0xc0 == 0xc0: // from version 44 on the header has the new form
		if number = gquicNumber(b[1:]); number < 44 {
			return 0, nil
		}
		if number < 46 {
			return number, b[13:]
		}
		n := 0
		for _, size := range []byte{b[5] >> 4, b[5] & 15} {
			if size > 0 {
				n += int(size) + 3
			}
		}
		return number, b[min(len(b), 6+n):]
	case b[0]&0xc1 == 0x01 && b[0]&0x08 != 0:
		if number = gquicNumber(b[9:]); number == 0 || number > 43 {
			return 0, nil
		}
		return number, b[13:]
	}
	return 0, nil
}

// isGQUICAnswer reports whether b is a server's refusal of a hello, or its own:
// tagged values behind a header without a version.
func isGQUICAnswer(b []byte) bool {
	if len(b) < 64 || b[0]&0xc3 != 0 {
		return false
	}
	head := b[10:64]
	i := bytes.Index(head, []byte("REJ\x00"))
	if i < 0 {
		i = bytes.Index(head, []byte("SHLO"))
	}
	return i >= 0 && isTagged(head[i:])
}

// isTagged reports whether b begins with a name, a count, and values in clear
// that do not contradict it.
func isTagged(b []byte) bool {
	if len(b) < 16 || b[6]|b[7] != 0 {
		return false
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	end := binary.LittleEndian.Uint32(b[12:])
	return n > 0 && n <= maxCHLOTags && end <= maxQUICPlaintext
}

// gquicNumber returns the number of a version in text, 0 if b begins with
// another.
func gquicNumber(b []byte) int {
	if b[0] != 'Q' || b[1] != '0' || !isDigit(b[2]) || !isDigit(b[3]) {
		return 0
	}
	return int(b[2]-'0')*10 + int(b[3]-'0')
}

// learnCHLO reads the tagged values of a client's hello as far as they are there
// and reports whether that was one: each has a name and where it ends, from the
// end of the list on, numbers in little endian.
func (x *sight) learnCHLO(b []byte) bool {
	if len(b) < 8 || b[6]|b[7] != 0 {
		return false
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n == 0 || n > maxCHLOTags || len(b) < 8+8*n {
		return false
	}
	values, from := b[8+8*n:], 0
	for i := range n {
		tag := b[8+8*i:]
		to := int(binary.LittleEndian.Uint32(tag[4:]))
		if to < from || to > maxHello {
			return false
		}
		if to > len(values) {
			break
		}
		value := values[from:to]
		from = to
		switch string(tag[:4]) {
		case "SNI\x00":
			if x.s.once(sawSNI) {
				x.host(&x.s.handshake().sni, "quic/sni", value)
			}
		case "UAID":
			if x.s.once(sawAgent) {
				x.text(&x.s.heads().agent, "quic/user-agent", value)
			}
		}
	}
	x.s.certainty = confidenceHello
	return true
}
