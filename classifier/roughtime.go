// SPDX-License-Identifier: MIT

package classifier

// roughtimeMagic begins a message since the protocol is a draft of the IETF.
const roughtimeMagic = "ROUGHTIM"

func roughtimeDetector() detector {
	return detector{
		name: "Roughtime", upper: "ROUGHTIME", category: "network", confidence: 94,
		datagram: func(x *sight) verdict { return sure(isRoughtime(x.data)) },
	}
}

// isRoughtime reads the tags of a message: their number, the places of all
// values but the first, the names, all little endian and ascending.
func isRoughtime(b []byte) bool {
	framed := opens(b, roughtimeMagic) == enough
	if framed {
		if len(b) < 12 || int(le32(b[8:])) != len(b)-12 {
			return false
		}
		b = b[12:]
	}
	if len(b) < 16 || len(b)%4 != 0 {
		return false
	}
	n := le32(b)
	if n < 2 || n > 16 || len(b) < int(8*n) {
		return false
	}
	values, last := uint32(len(b))-8*n, uint32(0)
	for i := range n - 1 {
		place := le32(b[4+4*i:])
		if place%4 != 0 || place < last || place > values {
			return false
		}
		last = place
	}
	names, known := b[4*n:8*n], false
	for i := range n {
		name := names[4*i : 4*i+4]
		if i > 0 && le32(name) <= le32(names[4*i-4:]) {
			return false
		}
		switch string(name) {
		case "NONC", "SIG\x00", "SREP":
			known = true
		}
	}
	return known
}
