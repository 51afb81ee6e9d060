// SPDX-License-Identifier: MIT

package genl

import (
	"testing"

	"nftdict/dict"
)

// fourFields is a row of four short fields, as the figures of the project are
// for.
func fourFields(key uint32) dict.Row {
	return dict.Row{Key: dict.IntKey(key), Cells: []dict.Cell{
		{Field: "f_bool", Value: dict.BoolValue(true)}, {Field: "f_int", Value: dict.IntValue(5)},
		{Field: "f_int64", Value: dict.Int64Value(1 << 40)}, {Field: "f_long_string", Value: dict.MustString("NETFLIX")},
	}}
}

// BenchmarkEncode is what a row costs here before it is sent.
func BenchmarkEncode(b *testing.B) {
	t, r, m := everything(dict.KeyInt, false), fourFields(1), newBuilder()
	b.ReportAllocs()
	for b.Loop() {
		m.reset()
		if !m.row(t, &r) {
			b.Fatal("a plain row was not taken")
		}
	}
}

// BenchmarkDecode is what a row costs here after it came.
func BenchmarkDecode(b *testing.B) {
	t, r, m := everything(dict.KeyInt, false), fourFields(1), newBuilder()
	m.row(t, &r)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseOnly(t, m.buf); err != nil {
			b.Fatal(err)
		}
	}
}
