// SPDX-License-Identifier: MIT

package test

import (
	"testing"

	"nftdict/dict"
)

// TestRowsRemains: what follows the last attribute of a row is passed over,
// also where rows made alike follow each other.
func TestRowsRemains(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "many", dict.KeyInt, 0, field("i", dict.Int), field("l", dict.Int64))
	at := func(i uint32, v dict.Value) []byte { return nest(rowCell, num(cellField, i), val(v)) }
	for n, rest := range [][]byte{nil, {0, 0, 0, 0}, {1, 0, 3, 0}, {3, 0, 1, 0}, {0xff, 0xff, 3, 0x80}, {8, 0, 1, 0}, make([]byte, 64), append(at(1, dict.Int64Value(1))[:16], 0, 0, 0, 0)} {
		var list [][]byte
		for i := range uint32(4) {
			list = append(list, row(intKey(uint32(n)<<8|i), at(0, dict.IntValue(int32(i))), at(1, dict.Int64Value(int64(n))), rest))
		}
		if err := f.put(t, "many", list...); err != nil {
			t.Fatalf("% x: %v", rest, err)
		}
		for i := range uint32(4) {
			got, err := h.store.Get("many", dict.IntKey(uint32(n)<<8|i))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Cells) != 2 || got.Cells[0].Value != dict.IntValue(int32(i)) || got.Cells[1].Value != dict.Int64Value(int64(n)) {
				t.Errorf("% x: row %d is %v", rest, i, got.Cells)
			}
		}
	}
}
