// SPDX-License-Identifier: MIT

package bpfmap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"nftdict/dict"
)

// kernelTypes is where the kernel describes its types (BTF).
const kernelTypes = "/sys/kernel/btf/vmlinux"

// packetLayout returns where the running kernel keeps what programs read of a
// packet. The library finds that, too, but it takes in all types of the kernel
// and its modules for it: 60 ms, ten times what this takes, in every process
// that loads a rule.
func packetLayout() (rulePacketLayout, error) {
	var l rulePacketLayout
	raw, err := os.ReadFile(kernelTypes)
	if errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("%w: a kernel that describes its types (CONFIG_DEBUG_INFO_BTF) is needed to read this from packets", dict.ErrNotSupported)
	}
	if err != nil {
		return l, explain("find the layout of packets", err)
	}
	at, err := memberOffsets(raw, "sk_buff", "secmark", "network_header", "mac_header")
	if err != nil {
		return l, fmt.Errorf("find the layout of packets: %s: %w", kernelTypes, err)
	}
	l.Secmark, l.NetworkHeader, l.MacHeader = at[0], at[1], at[2]
	return l, nil
}

// Kinds of types; the others only have to be passed over.
const (
	btfStruct = 4
	btfUnion  = 5
)

// btfHeader begins the description.
type btfHeader struct {
	Magic         uint16
	Version       uint8
	Flags         uint8
	Length        uint32
	TypesOffset   uint32
	TypesLength   uint32
	StringsOffset uint32
	StringsLength uint32
}

// btfTypes is a description cut into types.
type btfTypes struct {
	types   []byte
	strings []byte
	starts  []uint32 // of each type in types, by number less one
}

var errBTF = errors.New("not a description of types")

// memberOffsets returns the offsets, in bytes, of members of a structure, also
// of those within members that have no name.
func memberOffsets(raw []byte, structure string, members ...string) ([]uint32, error) {
	b, err := parseBTF(raw)
	if err != nil {
		return nil, err
	}
	for _, start := range b.starts {
		if t := b.types[start:]; b.kind(t) == btfStruct && b.name(t) == structure {
			out := make([]uint32, len(members))
			for i, m := range members {
				bits, ok := b.find(t, m, 0)
				if !ok || bits%8 != 0 {
					return nil, fmt.Errorf("struct %s has no %s: %w", structure, m, dict.ErrNotSupported)
				}
				out[i] = bits / 8
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("no struct %s: %w", structure, dict.ErrNotSupported)
}

// parseBTF finds out where each type begins.
func parseBTF(raw []byte) (*btfTypes, error) {
	var h btfHeader
	if _, err := binary.Decode(raw, binary.NativeEndian, &h); err != nil || h.Magic != 0xeb9f || h.Version != 1 {
		return nil, errBTF
	}
	part := func(offset, length uint32) []byte {
		from := uint64(h.Length) + uint64(offset)
		if to := from + uint64(length); to <= uint64(len(raw)) {
			return raw[from:to]
		}
		return nil
	}
	b := &btfTypes{types: part(h.TypesOffset, h.TypesLength), strings: part(h.StringsOffset, h.StringsLength)}
	// What follows a type of each kind: bytes, and bytes for each of its parts.
	more := [...][2]int{
		1: {4}, 2: {}, 3: {12}, btfStruct: {0, 12}, btfUnion: {0, 12}, 6: {0, 8}, 7: {}, 8: {}, 9: {}, 10: {}, 11: {}, 12: {},
		13: {0, 8}, 14: {4}, 15: {0, 12}, 16: {}, 17: {4}, 18: {}, 19: {0, 12},
	}
	for at := 0; at < len(b.types); {
		if len(b.types)-at < 12 {
			return nil, errBTF
		}
		kind, parts := b.kind(b.types[at:]), b.parts(b.types[at:])
		if kind == 0 || kind >= len(more) {
			return nil, fmt.Errorf("type of kind %d: %w", kind, errBTF)
		}
		b.starts = append(b.starts, uint32(at))
		at += 12 + more[kind][0] + parts*more[kind][1]
		if at > len(b.types) {
			return nil, errBTF
		}
	}
	return b, nil
}

func (b *btfTypes) info(t []byte) uint32 { return binary.NativeEndian.Uint32(t[4:]) }
func (b *btfTypes) kind(t []byte) int    { return int(b.info(t) >> 24 & 0x1f) }
func (b *btfTypes) parts(t []byte) int   { return int(b.info(t) & 0xffff) }

// name returns the name of a type or a member.
func (b *btfTypes) name(t []byte) string {
	at := binary.NativeEndian.Uint32(t)
	if uint64(at) >= uint64(len(b.strings)) {
		return ""
	}
	name, _, _ := bytes.Cut(b.strings[at:], []byte{0})
	return string(name)
}

// find returns the offset of a member in bits.
func (b *btfTypes) find(t []byte, member string, depth int) (uint32, bool) {
	const deepest = 16
	if depth > deepest {
		return 0, false
	}
	for i := range b.parts(t) {
		m := t[12+12*i:]
		offset := binary.NativeEndian.Uint32(m[8:])
		if b.info(t)>>31 != 0 { // the upper bits are the width of a bit field
			offset &= 0xffffff
		}
		name := b.name(m)
		if name == member {
			return offset, true
		}
		number := binary.NativeEndian.Uint32(m[4:])
		if name != "" || number == 0 || uint64(number) > uint64(len(b.starts)) {
			continue
		}
		inner := b.types[b.starts[number-1]:]
		if kind := b.kind(inner); kind != btfStruct && kind != btfUnion {
			continue
		}
		if within, ok := b.find(inner, member, depth+1); ok {
			return offset + within, true
		}
	}
	return 0, false
}
