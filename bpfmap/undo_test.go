// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

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

// TestFailedMergeLeavesRow: wherever the kernel has no memory left, a row is as
// it was or as it shall be, and nothing of it is left over.
func TestFailedMergeLeavesRow(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	if err := s.AddTable(dict.Table{Name: "t", Key: dict.KeyInt, Limit: 100, Open: true}); err != nil {
		t.Fatal(err)
	}
	key := dict.IntKey(5)
	cells := func(values ...any) (out []dict.Cell) {
		for i := 0; i < len(values); i += 2 {
			c := dict.Cell{Field: values[i].(string)}
			switch v := values[i+1].(type) {
			case int:
				c.Value = dict.IntValue(int32(v))
			case string:
				c.Value = dict.MustString(v)
			}
			out = append(out, c)
		}
		return out
	}
	old := cells("a", 1, "b", 2, "s", "one", "t", "two", "turns", "text")
	for _, tt := range []struct {
		name   string
		before []dict.Cell // nil is no row
		put    []dict.Cell
		least  int // of allocations
	}{
		{"a new row", nil, old, 6},
		{"one narrow value", old, cells("a", 7), 2},
		{"one string", old, cells("s", "seven"), 2},
		{"a new value before one that is there", old, cells("new", 1, "a", 7), 3},
		{"narrow values", old, cells("a", 7, "b", 8), 3},
		{"both kinds", old, cells("a", 7, "s", "seven", "b", 8, "t", "eight"), 6},
		{"both kinds, strings first", old, cells("s", "seven", "t", "eight", "a", 7), 5},
		{"a string becomes a number", old, cells("turns", 1, "a", 7), 3},
		{"numbers become strings", old, cells("a", "x", "b", "y", "s", "z"), 4},
	} {
		n, _ := failEach(t, s, tt.name, dict.Row{Key: key, Cells: tt.before}, func() error { return s.Put("t", dict.Row{Key: key, Cells: tt.put}) })
		if n < tt.least {
			t.Errorf("%s: %d allocations, want %d at least", tt.name, n, tt.least)
		}
	}
}

// failEach has one allocation after the other of a change to a row of table t fail,
// until the change is made: every time before that the row is as it was, and nothing
// is left over. It returns how many there are, and the row then. No cells are no row.
func failEach(t *testing.T, s *bpfmap.Store, name string, before dict.Row, change func() error) (allocations int, row string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func() string {
		r, err := s.Get("t", before.Key)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(r.Cells)
	}
	for n := uint32(1); ; n++ {
		must(s.FailAt("t", 0))
		if err := s.Delete("t", before.Key); err != nil && !errors.Is(err, dict.ErrNotExist) {
			t.Fatal(err)
		}
		if before.Cells != nil {
			must(s.Put("t", before))
		}
		was, elements := is(), elements3(t, s, "t")
		must(s.FailAt("t", n))
		err := change()
		if err == nil {
			return int(n) - 1, is()
		}
		if !errors.Is(err, unix.ENOMEM) {
			t.Fatal(err)
		}
		if got := is(); got != was {
			t.Errorf("%s, allocation %d: row is %s, want %s", name, n, got, was)
		}
		if got := elements3(t, s, "t"); got != elements {
			t.Errorf("%s, allocation %d: %v elements, want %v", name, n, got, elements)
		}
	}
}
