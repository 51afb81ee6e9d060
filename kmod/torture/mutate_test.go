// SPDX-License-Identifier: MIT

package torture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// most is how many bytes a message has at most, about.
const most = 150 << 10

// mutate changes something in the attributes below root.
func mutate(r *rand.Rand, root *node) {
	list := root.places(nil)
	if len(list) == 0 {
		root.kids = append(root.kids, raw(r.IntN(20), noise(r, r.IntN(40))))
		return
	}
	p := list[r.IntN(len(list))]
	n := p.node()
	other := list[r.IntN(len(list))].node()
	switch r.IntN(13) {
	case 0: // it is not there
		p.in.kids = slices.Delete(p.in.kids, p.at, p.at+1)
	case 1: // twice
		if len(n.append(nil)) > most/4 {
			return
		}
		p.in.kids = slices.Insert(p.in.kids, r.IntN(len(p.in.kids)+1), n.clone())
	case 2: // many times
		size := len(n.append(nil))
		times := pick(r, 10, 10, 33, 33, 129, 257)
		if chance(r, 30) {
			times = 4097
		}
		for range min(times, (most-len(root.append(nil)))/size) {
			p.in.kids = append(p.in.kids, n)
		}
	case 3: // in another order
		r.Shuffle(len(p.in.kids), func(i, j int) { p.in.kids[i], p.in.kids[j] = p.in.kids[j], p.in.kids[i] })
	case 4: // another type
		n.typ = n.typ&(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER) | uint16([]int{0, int(n.typ&0xff) + 1, r.IntN(20), r.IntN(1 << 14)}[r.IntN(4)])
	case 5: // other flags
		n.typ ^= []uint16{unix.NLA_F_NESTED, unix.NLA_F_NET_BYTEORDER}[r.IntN(2)]
	case 6: // a wrong length
		n.lie = []int{1, 2, 3, 4, 5, 8, len(n.data) + 3, len(n.data) + 5, len(n.data) + 8, 0xffff, 0x8000}[r.IntN(11)]
	case 7: // other bytes
		n.flat()
		n.data = noise(r, len(n.data))
	case 8: // more or fewer bytes
		n.flat()
		n.data = append(n.data[:r.IntN(len(n.data)+1)], noise(r, []int{0, 0, 1, 3, 4, 16, 63, 64, 65, 128, 129, 1000, 20000}[r.IntN(13)])...)
	case 9: // a remarkable value
		n.flat()
		n.data = remarkable(r)
	case 10: // nested deeper
		for range []int{1, 2, 3, 4, 20, 1000}[r.IntN(6)] {
			p.in.kids[p.at] = nest(int(n.typ&0xff), p.in.kids[p.at])
		}
	case 11: // what is elsewhere
		if len(other.append(nil)) > most/4 {
			return
		}
		p.in.kids[p.at] = other.clone()
	case 12: // what is elsewhere, in it
		switch {
		case len(other.append(nil)) > most/4:
		case n.nest:
			n.kids = append(n.kids, other.clone())
		default:
			n.data = other.append(nil)
		}
	}
}

// flat makes an attribute one of bytes.
func (n *node) flat() {
	if n.nest {
		n.data, n.kids, n.nest = encode(nil, n.kids), nil, false
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// remarkable returns bytes at the edges of what is allowed.
func remarkable(r *rand.Rand) []byte {
	number := []uint64{0, 1, 2, 0x7f, 0x80, 0xff, 255, 256, 257, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 63, 1<<63 - 1, 1<<64 - 1, 31536000, 31536001}
	word := []string{
		"", "\x00", "a\x00b\x00", strings.Repeat("n", 63) + "\x00", strings.Repeat("n", 64) + "\x00", strings.Repeat("s", 128), strings.Repeat("s", 129),
		"a-b_c\x00", "\xff\xfe", "é", "\xc3", "*?[!a-z]*", "../..\x00", "%s%n\x00", "None\x00", "sessions\x00",
	}
	n := number[r.IntN(len(number))]
	switch r.IntN(5) {
	case 0:
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	case 1:
		return binary.BigEndian.AppendUint32(nil, uint32(n))
	case 2:
		return binary.NativeEndian.AppendUint64(nil, n)
	case 3:
		return bytes.Repeat([]byte{byte(n)}, []int{1, 2, 6, 16, 17, 32, 64, 480, 481}[r.IntN(9)])
	}
	return []byte(word[r.IntN(len(word))])
}

// spoil changes bytes of a whole datagram, or cuts it off.
func spoil(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	if r.IntN(3) == 0 {
		return b[:r.IntN(len(b))]
	}
	for range 1 + r.IntN(4) {
		b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
	}
	return b
}
