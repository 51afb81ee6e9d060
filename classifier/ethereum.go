// SPDX-License-Identifier: MIT

package classifier

func ethereumDetector() detector {
	return detector{
		name: "ETHEREUM", upper: "ETHEREUM", category: "cryptocurrency", confidence: 85,
		stream:   lookRLPx,
		datagram: func(x *sight) verdict { return sure(isDiscovery4(x.data)) },
	}
}

// Parts of a packet of the node discovery protocol, version 4: a hash, a
// signature that ends in the recovery id, a type, and one RLP list.
const (
	discoveryRecovery = 32 + 64
	discoveryType     = discoveryRecovery + 1
	discoveryList     = discoveryType + 1
)

// isDiscovery4 checks recovery id, type, and that the list ends where the
// packet ends and holds well-formed items of the number its type has.
func isDiscovery4(b []byte) bool {
	if len(b) < discoveryList+4 || b[discoveryRecovery] > 1 || !isVaried(b) {
		return false
	}
	kind := b[discoveryType]
	if kind < 1 || kind > 6 {
		return false
	}
	list, rest, isList, ok := rlpItem(b[discoveryList:])
	if !ok || !isList || len(rest) != 0 {
		return false
	}
	items := 0
	for len(list) > 0 {
		if _, list, _, ok = rlpItem(list); !ok {
			return false
		}
		items++
	}
	least := [7]int{1: 4, 2: 3, 3: 2, 4: 2, 5: 1, 6: 2}
	return items >= least[kind] && items <= 8
}

// rlpItem takes one item of the recursive length prefix encoding off b.
func rlpItem(b []byte) (item, rest []byte, list, ok bool) {
	if len(b) == 0 {
		return nil, nil, false, false
	}
	first, head, size := b[0], 1, 0
	switch {
	case first < 0x80:
		return b[:1], b[1:], false, true
	case first <= 0xb7:
		size = int(first - 0x80)
	case first >= 0xc0 && first <= 0xf7:
		size, list = int(first-0xc0), true
	default:
		n := int(first-0xb7) & 15
		if first > 0xf7 {
			n, list = int(first-0xf7), true
		}
		if n > 2 || len(b) < 1+n || b[1] == 0 {
			return nil, nil, false, false
		}
		for _, c := range b[1 : 1+n] {
			size = size<<8 | int(c)
		}
		if size < 56 {
			return nil, nil, false, false
		}
		head += n
	}
	if size > len(b)-head {
		return nil, nil, false, false
	}
	return b[head : head+size], b[head+size:], list, true
}

// lookRLPx reads the handshake of EIP-8: a length that is all of it, then an
// uncompressed point and what is encrypted to it. Nothing follows until the
// other side has answered.
func lookRLPx(x *sight) verdict {
	b := x.data
	if len(b) < 3 {
		return wait
	}
	size := be16(b)
	// A point, an initialisation vector, the shortest body, a digest.
	if b[2] != 4 || size < 65+16+100+32 || size > 1024 {
		return no
	}
	switch {
	case len(b) < 2+size:
		return wait
	case len(b) > 2+size:
		return no
	}
	return sure(isVaried(b[3:67]) && isVaried(b[len(b)-64:]))
}
