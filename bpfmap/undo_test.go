// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"testing"

	"nftdict/bpfmap"
	"nftdict/dict"
)

// TestRefusedPutLeavesOthers: a put that finds no room for its last cells takes
// nothing from the rows that were put before it.
func TestRefusedPutLeavesOthers(t *testing.T) {
	s, err := bpfmap.Open(bpfmap.Options{Dir: testDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const fields = 12 // more than the maps were made for
	if err := s.AddTable(dict.Table{Name: "t", Key: dict.KeyInt, Limit: 200}); err != nil {
		t.Fatal(err)
	}
	var more []dict.Field
	for i := range fields {
		more = append(more, dict.Field{Name: fmt.Sprint("s", i), Type: dict.String})
	}
	if err := s.AddFields("t", more...); err != nil {
		t.Fatal(err)
	}
	row := func(n int) dict.Row {
		r := dict.Row{Key: dict.IntKey(uint32(n))}
		for _, f := range more {
			v, err := dict.StringValue(fmt.Sprint(f.Name, " of ", n))
			if err != nil {
				t.Fatal(err)
			}
			r.Cells = append(r.Cells, dict.Cell{Field: f.Name, Value: v})
		}
		return r
	}
	stored := 0
	for ; err == nil && stored < 200; stored++ {
		err = s.Put("t", row(stored))
	}
	if !errors.Is(err, dict.ErrFull) {
		t.Fatalf("%d rows, %v: want %v", stored, err, dict.ErrFull)
	}
	stored--
	for batch := []dict.Row{row(300), row(301), row(302)}; ; batch = nil {
		if err := s.Put("t", batch...); len(batch) > 0 && !errors.Is(err, dict.ErrFull) {
			t.Fatal(err)
		}
		rows := 0
		for r, err := range s.Rows("t") {
			if err != nil {
				t.Fatal(err)
			}
			if rows++; len(r.Cells) != fields {
				t.Errorf("row %s has %d of %d values", r.Key.Text(), len(r.Cells), fields)
			}
		}
		if rows != stored {
			t.Errorf("%d rows, want %d", rows, stored)
		}
		if batch == nil {
			return
		}
	}
}
