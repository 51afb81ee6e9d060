// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"strconv"
)

// QUIC long-header packet types, as version 1 numbers them.
const (
	quicInitial = iota
	quicZeroRTT
	quicHandshake
	quicRetry
)

// quicVersion is what Initial packets of one version are protected with.
type quicVersion struct {
	number  uint32
	salt    [20]byte
	key     string // labels of the key derivation
	iv      string
	hp      string
	rotated bool // packet types are numbered as in version 2
	google  bool // frames are Google's, numbered otherwise
}

var (
	quicSaltV1 = [20]byte{
		0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
		0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
	}
	quicSaltV2 = [20]byte{
		0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
		0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
	}
	quicSaltDraft29 = [20]byte{
		0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
		0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99,
	}
	quicSaltDraft23 = [20]byte{
		0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
		0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02,
	}
)

// Of Google's last versions before the standard, one with its own hello and two
// with TLS's.
var (
	quicSaltQ050 = [20]byte{
		0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
		0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45,
	}
	quicSaltT050 = [20]byte{
		0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
		0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10,
	}
	quicSaltT051 = [20]byte{
		0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
		0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d,
	}
)

// Version numbers that stand apart from the drafts'.
const (
	quicV1     = 0x00000001
	quicV2     = 0x6b3343cf
	quicDrafts = 0xff000000 // and the draft's number
	quicQ050   = 0x51303530
	quicT050   = 0x54303530
	quicT051   = 0x54303531
	quicMvfst  = 0xfaceb002 // draft 27 by another number
	quicMvfstX = 0xfaceb00e // and by a third
)

// lookupQUIC returns the parameters of a version this package can read.
func lookupQUIC(number uint32) (quicVersion, bool) {
	v := quicVersion{number: number, key: "quic key", iv: "quic iv", hp: "quic hp"}
	draft := number - quicDrafts
	switch {
	case number == quicV1, draft >= 33 && draft <= 34:
		v.salt = quicSaltV1
	case number == quicV2:
		v.salt, v.rotated = quicSaltV2, true
		v.key, v.iv, v.hp = "quicv2 key", "quicv2 iv", "quicv2 hp"
	case draft >= 29 && draft <= 32:
		v.salt = quicSaltDraft29
	case draft >= 23 && draft <= 28, number == quicMvfst, number == quicMvfstX:
		v.salt = quicSaltDraft23
	case number == quicQ050:
		v.salt, v.google = quicSaltQ050, true
	case number == quicT050:
		v.salt, v.google = quicSaltT050, true
	case number == quicT051:
		v.salt, v.google = quicSaltT051, true
	default:
		return quicVersion{}, false
	}
	return v, true
}

// quicName returns "1", "2", "draft-29" or "mvfst-27", and Google's own versions
// as they write them; nothing for 0.
func quicName(number uint32) string {
	switch number {
	case 0:
		return ""
	case quicV1:
		return "1"
	case quicV2:
		return "2"
	case quicMvfst, quicMvfstX:
		return "mvfst-27"
	}
	if number>>8 < quicDrafts>>8 { // four letters
		return string(binary.BigEndian.AppendUint32(nil, number))
	}
	return "draft-" + strconv.Itoa(int(number-quicDrafts))
}

// packetType returns the type in a long header's first byte as version 1
// numbers it.
func (v *quicVersion) packetType(first byte) int {
	t := int(first>>4) & 3
	if v.rotated {
		return (t + 3) & 3
	}
	return t
}

// isReservedQUIC reports whether number is one that only asks for version
// negotiation.
func isReservedQUIC(number uint32) bool { return number&0x0f0f0f0f == 0x0a0a0a0a }
