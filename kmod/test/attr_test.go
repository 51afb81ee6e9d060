// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// attr returns an attribute of the parts, padded.
func attr(typ uint16, parts ...[]byte) []byte {
	out := make([]byte, 4)
	for _, p := range parts {
		out = append(out, p...)
	}
	binary.NativeEndian.PutUint16(out, uint16(len(out)))
	binary.NativeEndian.PutUint16(out[2:], typ)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

// nest returns an attribute that holds attributes.
func nest(typ uint16, parts ...[]byte) []byte { return attr(typ|unix.NLA_F_NESTED, parts...) }

// text returns an attribute that holds a string and its end.
func text(typ uint16, s string) []byte { return attr(typ, []byte(s), []byte{0}) }

// num returns a number in the order of the machine, as generic netlink has it.
func num(typ uint16, n uint32) []byte {
	return attr(typ, binary.NativeEndian.AppendUint32(nil, n))
}

// big returns a number in the order of the network, as nf_tables has it.
func big(typ uint16, n uint32) []byte {
	return attr(typ, binary.BigEndian.AppendUint32(nil, n))
}

// val returns the attribute of a value.
func val(v dict.Value) []byte {
	typ := uint16(v.Type())
	switch v.Type() {
	case dict.Bool:
		return attr(typ, []byte{byte(v.Int64())})
	case dict.Int:
		return attr(typ, binary.NativeEndian.AppendUint32(nil, uint32(v.Int64())))
	case dict.Int64:
		return attr(typ, binary.NativeEndian.AppendUint64(nil, uint64(v.Int64())))
	case dict.IPv4, dict.IPv6:
		return attr(typ, v.Addr().AsSlice())
	case dict.Ether:
		m := v.Ether()
		return attr(typ, m[:])
	}
	return attr(typ, []byte(v.Str()))
}

// cat joins what is encoded already.
func cat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// parsed is an attribute that was read.
type parsed struct {
	typ  uint16 // without flags
	data []byte
}

func (p parsed) num() uint32   { return binary.NativeEndian.Uint32(p.data) }
func (p parsed) num64() uint64 { return binary.NativeEndian.Uint64(p.data) }

// text returns a string without its end.
func (p parsed) text() string {
	if n := len(p.data); n > 0 && p.data[n-1] == 0 {
		return string(p.data[:n-1])
	}
	return string(p.data)
}

// split reads attributes.
func split(tb testing.TB, data []byte) (out []parsed) {
	tb.Helper()
	for len(data) >= 4 {
		n := int(binary.NativeEndian.Uint16(data))
		if n < 4 || n > len(data) {
			tb.Fatalf("attribute of %d bytes in %d", n, len(data))
		}
		out = append(out, parsed{binary.NativeEndian.Uint16(data[2:]) & 0x3fff, data[4:n]})
		data = data[min((n+3)&^3, len(data)):]
	}
	return out
}

// find returns the first attribute of a type.
func find(tb testing.TB, data []byte, typ uint16) (parsed, bool) {
	tb.Helper()
	for _, p := range split(tb, data) {
		if p.typ == typ {
			return p, true
		}
	}
	return parsed{}, false
}
