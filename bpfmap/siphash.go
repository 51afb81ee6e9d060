// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"math/bits"
)

// secret keys the digests of a namespace's strings, so that nobody outside
// can make two strings with one digest.
type secret [2]uint64

// digest is SipHash-2-4 with 128 bits of output.
type digest [2]uint64

// sip is the state of SipHash.
type sip struct{ a, b, c, d uint64 }

func (s *sip) round() {
	s.a += s.b
	s.b = bits.RotateLeft64(s.b, 13) ^ s.a
	s.a = bits.RotateLeft64(s.a, 32)
	s.c += s.d
	s.d = bits.RotateLeft64(s.d, 16) ^ s.c
	s.a += s.d
	s.d = bits.RotateLeft64(s.d, 21) ^ s.a
	s.c += s.b
	s.b = bits.RotateLeft64(s.b, 17) ^ s.c
	s.c = bits.RotateLeft64(s.c, 32)
}

func (s *sip) word(w uint64) {
	s.d ^= w
	s.round()
	s.round()
	s.a ^= w
}

func (s *sip) finish() uint64 {
	for range 4 {
		s.round()
	}
	return s.a ^ s.b ^ s.c ^ s.d
}

// sum returns the digest of a text.
func (k secret) sum(text string) digest {
	s := sip{
		a: k[0] ^ 0x736f6d6570736575,
		b: k[1] ^ 0x646f72616e646f6d ^ 0xee,
		c: k[0] ^ 0x6c7967656e657261,
		d: k[1] ^ 0x7465646279746573,
	}
	last := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		var w [8]byte
		copy(w[:], text)
		s.word(binary.LittleEndian.Uint64(w[:]))
	}
	for i := range len(text) {
		last |= uint64(text[i]) << (8 * i)
	}
	s.word(last)
	var d digest
	s.c ^= 0xee
	d[0] = s.finish()
	s.b ^= 0xdd
	d[1] = s.finish()
	return d
}
