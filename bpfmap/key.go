// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"net/netip"

	"nftdict/dict"
)

// keySize is the room for any key.
const keySize = 24

// rawKey is a key as the rows map holds it, in the first size bytes: 32-bit
// numbers and IPv4 addresses in four, MAC addresses in the low 48 bits of
// eight, IPv6 addresses as two numbers, addresses of either family as the
// family (4 or 6) and two numbers, strings by their digest. Numbers are in
// host order.
type rawKey [keySize]byte

// sizeOfKey returns how many bytes keys of a type take.
func sizeOfKey(t dict.KeyType) int {
	switch t {
	case dict.KeyEther:
		return 8
	case dict.KeyIPv6, dict.KeyString:
		return 16
	case dict.KeyAddress:
		return 24
	}
	return 4
}

func (r *rawKey) word(i int, w uint64) { binary.NativeEndian.PutUint64(r[8*i:], w) }

// encode writes a key that fits its table.
func (r *rawKey) encode(k dict.Key, s secret) {
	*r = rawKey{}
	switch k.Type() {
	case dict.KeyEther:
		r.word(0, etherNumber(k.Ether()))
	case dict.KeyIPv4:
		binary.NativeEndian.PutUint32(r[:], uint32(addrWords(k.Addr())[1]))
	case dict.KeyIPv6:
		w := addrWords(k.Addr())
		r.word(0, w[0])
		r.word(1, w[1])
	case dict.KeyAddress:
		w := addrWords(k.Addr())
		r.word(0, family(k.Addr()))
		r.word(1, w[0])
		r.word(2, w[1])
	case dict.KeyString:
		d := s.sum(k.Str())
		r.word(0, d[0])
		r.word(1, d[1])
	default:
		binary.NativeEndian.PutUint32(r[:], k.Uint32())
	}
}

// decode returns the key that raw stands for; name is the text of a string.
func decodeKey(t dict.KeyType, raw []byte, name string) (dict.Key, error) {
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(raw[8*i:]) }
	switch t {
	case dict.KeyCtID:
		return dict.CtID(binary.NativeEndian.Uint32(raw)), nil
	case dict.KeyMark:
		return dict.Mark(binary.NativeEndian.Uint32(raw)), nil
	case dict.KeyInt:
		return dict.IntKey(binary.NativeEndian.Uint32(raw)), nil
	case dict.KeyEther:
		return dict.EtherKey(etherBytes(word(0))), nil
	case dict.KeyIPv4:
		return dict.AddrKey(wordsAddr(4, [2]uint64{1: uint64(binary.NativeEndian.Uint32(raw))})).Convert(t)
	case dict.KeyIPv6:
		return dict.AddrKey(wordsAddr(6, [2]uint64{word(0), word(1)})).Convert(t)
	case dict.KeyAddress:
		return dict.AddrKey(wordsAddr(word(0), [2]uint64{word(1), word(2)})), nil
	}
	return dict.StringKey(name)
}

// lock returns which of the table's locks guards the row. All processes must
// agree, so it is part of the layout.
func (r *rawKey) lock() uint32 {
	var h uint64
	for i := 0; i < keySize; i += 8 {
		h = (h ^ binary.NativeEndian.Uint64(r[i:])) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return uint32(h >> 40)
}

// family returns 4 or 6.
func family(a netip.Addr) uint64 {
	if a.Is4() {
		return 4
	}
	return 6
}

// addrWords returns an address as two numbers that order as addresses do; an
// IPv4 address is in the second.
func addrWords(a netip.Addr) [2]uint64 {
	if a.Is4() {
		b := a.As4()
		return [2]uint64{1: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return [2]uint64{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func wordsAddr(family uint64, w [2]uint64) netip.Addr {
	if family == 4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(w[1]))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w[0])
	binary.BigEndian.PutUint64(b[8:], w[1])
	return netip.AddrFrom16(b)
}

func etherNumber(m [6]byte) uint64 {
	return uint64(binary.BigEndian.Uint16(m[:2]))<<32 | uint64(binary.BigEndian.Uint32(m[2:]))
}

func etherBytes(n uint64) (m [6]byte) {
	binary.BigEndian.PutUint16(m[:2], uint16(n>>32))
	binary.BigEndian.PutUint32(m[2:], uint32(n))
	return m
}
