// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// value appends the attribute of a value: its number is that of the type.
// Numbers are in the machine's byte order, whatever the builder's is.
func (b *builder) value(v dict.Value) {
	at := b.begin(uint16(v.Type()))
	switch v.Type() {
	case dict.Bool:
		b.buf = append(b.buf, byte(v.Int64()))
	case dict.Int:
		b.buf = binary.NativeEndian.AppendUint32(b.buf, uint32(v.Int64()))
	case dict.Int64:
		b.buf = binary.NativeEndian.AppendUint64(b.buf, uint64(v.Int64()))
	case dict.IPv4, dict.IPv6:
		b.addr(v.Addr())
	case dict.Ether:
		m := v.Ether()
		b.buf = append(b.buf, m[:]...)
	case dict.String:
		b.buf = append(b.buf, v.Str()...)
	}
	b.end(at)
}

// cell appends a row's cell as nest, uint32, value and end would, but for the order of
// bytes, which is the machine's: all at once, as rows are mostly cells.
func (b *builder) cell(field uint32, v dict.Value) {
	const before = 4 * attrHeader // the headers of cell, field and value, and the field
	var number [8]byte
	payload := number[:4]
	switch v.Type() {
	case dict.Bool:
		number[0] = byte(v.Int64())
		payload = number[:1]
	case dict.Int:
		binary.NativeEndian.PutUint32(payload, uint32(v.Int64()))
	case dict.Int64:
		payload = number[:]
		binary.NativeEndian.PutUint64(payload, uint64(v.Int64()))
	case dict.String:
		payload = nil
	default:
		at := b.nest(rowCell)
		b.uint32(cellField, field)
		b.value(v)
		b.end(at)
		return
	}
	n := len(payload) + len(v.Str())
	start, size := len(b.buf), before+(n+attrHeader-1)&^(attrHeader-1)
	b.buf = slices.Grow(b.buf, size)[:start+size]
	w := b.buf[start:]
	put := func(at, length int, typ uint16) {
		binary.NativeEndian.PutUint16(w[at:], uint16(length))
		binary.NativeEndian.PutUint16(w[at+2:], typ)
	}
	put(0, size, rowCell|unix.NLA_F_NESTED)
	put(attrHeader, attrHeader+4, cellField)
	binary.NativeEndian.PutUint32(w[2*attrHeader:], field)
	clear(w[size-attrHeader:]) // what is behind the last byte
	put(3*attrHeader, attrHeader+n, uint16(v.Type()))
	copy(w[before:], payload)
	copy(w[before:], v.Str())
}

// addr appends the bytes of an address.
func (b *builder) addr(a netip.Addr) {
	if a.Is4() {
		m := a.As4()
		b.buf = append(b.buf, m[:]...)
		return
	}
	m := a.As16()
	b.buf = append(b.buf, m[:]...)
}

// parseValue reads what value appends. The error wraps dict.ErrInvalid.
func parseValue(a attr) (dict.Value, error) {
	switch t := dict.Type(a.typ); {
	case t == dict.Bool && len(a.data) == 1:
		return dict.BoolValue(a.data[0] != 0), nil
	case t == dict.Int && len(a.data) == 4:
		return dict.IntValue(int32(binary.NativeEndian.Uint32(a.data))), nil
	case t == dict.Int64 && len(a.data) == 8:
		return dict.Int64Value(int64(binary.NativeEndian.Uint64(a.data))), nil
	case t == dict.IPv4 && len(a.data) == 4:
		return dict.AddrValue(netip.AddrFrom4([4]byte(a.data))), nil
	case t == dict.IPv6 && len(a.data) == 16:
		return dict.AddrValue(netip.AddrFrom16([16]byte(a.data))), nil
	case t == dict.Ether && len(a.data) == 6:
		return dict.EtherValue([6]byte(a.data)), nil
	case t == dict.String:
		return dict.StringValue(string(a.data))
	}
	return dict.Value{}, errAnswer(fmt.Sprintf("value of %s in %d bytes", dict.Type(a.typ), len(a.data)))
}

// key appends the attribute of a row's key.
func (b *builder) key(k dict.Key) {
	at := b.begin(rowKey)
	switch k.Type() {
	case dict.KeyCtID, dict.KeyMark, dict.KeyInt:
		b.buf = binary.NativeEndian.AppendUint32(b.buf, k.Uint32())
	case dict.KeyIPv4, dict.KeyIPv6, dict.KeyAddress:
		b.addr(k.Addr())
	case dict.KeyEther:
		m := k.Ether()
		b.buf = append(b.buf, m[:]...)
	case dict.KeyString:
		b.buf = append(b.buf, k.Str()...)
	}
	b.end(at)
}

// parseKey reads what key appends, a key of type t. The error wraps
// dict.ErrInvalid.
func parseKey(t dict.KeyType, data []byte) (dict.Key, error) {
	number := func() uint32 { return binary.NativeEndian.Uint32(data) }
	switch n := len(data); {
	case t == dict.KeyCtID && n == 4:
		return dict.CtID(number()), nil
	case t == dict.KeyMark && n == 4:
		return dict.Mark(number()), nil
	case t == dict.KeyInt && n == 4:
		return dict.IntKey(number()), nil
	case (t == dict.KeyIPv4 || t == dict.KeyAddress) && n == 4:
		return dict.AddrKey(netip.AddrFrom4([4]byte(data))).Convert(t)
	case (t == dict.KeyIPv6 || t == dict.KeyAddress) && n == 16:
		return dict.AddrKey(netip.AddrFrom16([16]byte(data))).Convert(t)
	case t == dict.KeyEther && n == 6:
		return dict.EtherKey([6]byte(data)), nil
	case t == dict.KeyString:
		return dict.StringKey(string(data))
	}
	return dict.Key{}, errAnswer(fmt.Sprintf("key of %s in %d bytes", t, len(data)))
}
