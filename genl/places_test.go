// SPDX-License-Identifier: MIT

package genl

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"nftdict/dict"
)

func TestPlaces(t *testing.T) {
	one := &table{fields: map[string]int{"a_b": 3, "a": 5, "a_b_c": 7}}
	other := &table{fields: map[string]int{"a_b": 4}}
	long := strings.Clone("a-b-c") // whose beginnings lie where it does
	var p places
	for range 3 {
		for _, c := range []struct {
			t     *table
			field string
			want  int
		}{{one, long[:3], 3}, {one, long[:1], 5}, {one, long, 7}, {one, "a_b", 3}, {other, long[:3], 4}, {other, long, -1}, {other, "", -1}} {
			index, ok := p.of(c.t, c.field)
			if ok != (c.want >= 0) || ok && index != c.want {
				t.Errorf("field %q: %d, %v; want %d", c.field, index, ok, c.want)
			}
		}
	}
}

// cell writes what its parts would.
func TestCell(t *testing.T) {
	values := []dict.Value{
		dict.BoolValue(true), dict.IntValue(-7), dict.Int64Value(1 << 40), dict.EtherValue([6]byte{2, 3}),
		dict.AddrValue(netip.MustParseAddr("192.0.2.1")), dict.AddrValue(netip.MustParseAddr("2001:db8::1")),
		dict.MustString(""), dict.MustString("x"), dict.MustString("four"), dict.MustString("seven.."),
	}
	whole := builder{order: binary.NativeEndian, buf: bytes.Repeat([]byte{0xff}, 4096)[:0]} // padding is zeros
	parts := builder{order: binary.NativeEndian}
	for i, v := range values {
		whole.cell(uint32(i), v)
		at := parts.nest(rowCell)
		parts.uint32(cellField, uint32(i))
		parts.value(v)
		parts.end(at)
		if !bytes.Equal(whole.buf, parts.buf) {
			t.Fatalf("%s:\n%x, want\n%x", v.Text(), whole.buf, parts.buf)
		}
	}
}
