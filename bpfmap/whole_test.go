// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"fmt"
	"sync"
	"testing"

	"nftdict/dict"
)

// TestRowsAreWhole: what is put together is seen together, whoever writes at
// once.
func TestRowsAreWhole(t *testing.T) {
	t.Parallel()
	const fields, puts = 40, 4000
	dir := testDir(t)
	table := dict.Table{Name: "t", Key: dict.KeyMark, Limit: 10}
	for i := range fields {
		f := dict.Field{Name: fmt.Sprint("f", i), Type: dict.Int}
		if i%4 == 0 {
			f.Type = dict.String
		}
		table.Fields = append(table.Fields, f)
	}
	s := openDir(t, dir)
	if err := s.AddTable(table); err != nil {
		t.Fatal(err)
	}
	row := func(n int) dict.Row {
		r := dict.Row{Key: dict.Mark(1)}
		for _, f := range table.Fields {
			v := dict.IntValue(int32(n))
			if f.Type == dict.String {
				v = dict.MustString(fmt.Sprint(n))
			}
			r.Cells = append(r.Cells, dict.Cell{Field: f.Name, Value: v})
		}
		return r
	}
	whole := func(r dict.Row) {
		for _, c := range r.Cells {
			if c.Value.String() != r.Cells[0].Value.String() {
				t.Errorf("%v", r.Cells)
				return
			}
		}
	}
	if err := s.Put("t", row(0)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 3 {
		writer := openDir(t, dir)
		wg.Go(func() {
			for i := range puts {
				if err := writer.Put("t", row(w*puts+i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		r, err := s.Get("t", dict.Mark(1))
		if err != nil || len(r.Cells) != fields {
			t.Fatalf("%d cells, %v", len(r.Cells), err)
		}
		whole(r)
		for r, err := range s.Rows("t") {
			if err != nil {
				t.Fatal(err)
			}
			whole(r)
		}
		if t.Failed() {
			break
		}
	}
	<-done
}
