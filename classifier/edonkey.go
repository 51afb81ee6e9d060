// SPDX-License-Identifier: MIT

package classifier

// First bytes of the messages of eDonkey and its extensions.
const (
	donkeyPlain = 0xe3
	donkeyMule  = 0xc5
	donkeyKad   = 0xe4
)

func eDonkeyDetector() detector {
	return detector{
		name: "eDonkey", upper: "EDONKEY", category: "p2p", confidence: 88,
		starts:   oneOf("\xe3\xc5\xe4"),
		stream:   lookEDonkey,
		datagram: func(x *sight) verdict { return sure(isKad(x.data)) },
	}
}

// lookEDonkey reads the first message: protocol, length (little endian) and
// opcode, and the tags of what client and server greet each other with.
func lookEDonkey(x *sight) verdict {
	b := x.data
	if b[0] != donkeyPlain {
		return no
	}
	if len(b) < 30 {
		if len(b) >= 6 && (le32(b[1:]) > 4096 || b[5] != 1 && b[5] != 0x4c) {
			return no
		}
		return wait
	}
	size := int(le32(b[1:]))
	if size < 24 || size > 4096 {
		return no
	}
	body := b[6:]
	switch b[5] {
	case 0x01: // hello of a client, of 16 as length of the hash that follows; or a login, without it
		if body[0] == 16 && len(body) > 22 {
			body = body[1:]
		}
	case 0x4c: // its answer
	default:
		return no
	}
	// A hash of the users of eMule has two bytes that are fixed.
	return sure(body[5] == 14 && body[14] == 111)
}

// isKad reports whether b is a question for nodes, or the answer, of Kademlia
// as eMule speaks it: both tell their length by what they hold.
func isKad(b []byte) bool {
	if len(b) < 35 || b[0] != donkeyKad {
		return false
	}
	switch b[1] {
	case 0x21:
		return len(b) == 35 && (b[2] == 2 || b[2] == 4 || b[2] == 11)
	case 0x29:
		return b[18] > 0 && len(b) == 19+25*int(b[18]) && b[19+24] >= 2 && b[19+24] <= 12
	}
	return false
}
