// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"nftdict/dict"
)

// writers: many writers of the same rows, each with its own field, lose
// nothing, and no reader sees a cell go back.
func (x *suite) writers(t *testing.T) {
	const writers, rows, rounds = 4, 8, 150
	tab := dict.Table{Name: "shared", Key: dict.KeyInt, Limit: 100}
	for w := range writers {
		tab.Fields = append(tab.Fields, dict.Field{Name: fmt.Sprint("w", w), Type: dict.Int64})
	}
	s := x.with(t, tab)
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range int64(rounds) {
				for k := range uint32(rows) {
					if err := s.Put("shared", row(dict.IntKey(k), tab.Fields[w].Name, num(n+1))); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	stop := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			last := map[string]int64{}
			see := func(r dict.Row) {
				for _, c := range r.Cells {
					at := r.Key.Text() + c.Field
					if c.Value.Int64() < last[at] {
						t.Errorf("row %s: %s went from %d back to %s", r.Key.Text(), c.Field, last[at], c.Value.Text())
					}
					last[at] = c.Value.Int64()
				}
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				for k := range uint32(rows) {
					r, err := s.Get("shared", dict.IntKey(k))
					if err == nil {
						see(r)
					} else if !errors.Is(err, dict.ErrNotExist) {
						t.Error(err)
					}
				}
				for r, err := range s.Rows("shared") {
					if err != nil {
						t.Error(err)
						return
					}
					see(r)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	for k := range uint32(rows) {
		wantRow(t, s, "shared", dict.IntKey(k), "w0", num(rounds), "w1", num(rounds), "w2", num(rounds), "w3", num(rounds))
	}
	wantRows(t, s, "shared", rows)
}

// twins returns the schema of rows whose cells always say the same.
func twins() dict.Table {
	return dict.Table{Name: "twins", Key: dict.KeyInt, Limit: 1000, Fields: []dict.Field{
		{Name: "a", Type: dict.Int64}, {Name: "s", Type: dict.String}, {Name: "b", Type: dict.Int64}, {Name: "t", Type: dict.String}, {Name: "c", Type: dict.Int64},
	}}
}

// twin returns a row of twins that says n.
func twin(k uint32, n int64) dict.Row {
	text := str(fmt.Sprintf("%0100d", n))
	return row(dict.IntKey(k), "a", num(n), "s", text, "b", num(n), "t", text, "c", num(n))
}

// checkTwin returns an error unless the row is one that twin made.
func checkTwin(r dict.Row) error {
	a, _ := r.Get("a")
	want := twin(r.Key.Uint32(), a.Int64())
	whole := len(r.Cells) == len(want.Cells)
	for i := 0; whole && i < len(r.Cells); i++ {
		whole = r.Cells[i] == want.Cells[i]
	}
	if !whole {
		return fmt.Errorf("row %s is not whole: %v", r.Key.Text(), r.Cells)
	}
	return nil
}

// readTwins reads all twins until stop is closed; each must be whole.
func readTwins(t testing.TB, s dict.Store, keys uint32, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		for k := range keys {
			r, err := s.Get("twins", dict.IntKey(k))
			if errors.Is(err, dict.ErrNotExist) {
				continue
			}
			if err == nil {
				err = checkTwin(r)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
		for r, err := range s.Rows("twins") {
			if err == nil {
				err = checkTwin(r)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}
}

// incarnations: a row that is deleted and put again is never seen half, nor
// with cells of its former life.
func (x *suite) incarnations(t *testing.T) {
	const keys = 4
	s := x.with(t, twins())
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		reading.Go(func() { readTwins(t, s, keys, stop) })
	}
	for k := range uint32(keys) {
		writing.Go(func() {
			for n := range int64(400) {
				if err := s.Put("twins", twin(k, n)); err != nil {
					t.Error(err)
					return
				}
				if err := s.Delete("twins", dict.IntKey(k)); err != nil {
					t.Error(err)
					return
				}
			}
			if err := s.Put("twins", twin(k, 1000)); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	wantRows(t, s, "twins", keys)
	for k := range uint32(keys) {
		r, err := s.Get("twins", dict.IntKey(k))
		must(t, err)
		must(t, checkTwin(r))
	}
}

// admins: of many who add the same table or field one does, and fields that
// differ are all added.
func (x *suite) admins(t *testing.T) {
	s := x.with(t, people(), dict.Table{Name: "free", Key: dict.KeyInt, Open: true})
	const n = 4
	count := func(what string, f func(i int) error) {
		t.Helper()
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() { errs[i] = f(i) })
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !errors.Is(err, dict.ErrExist) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if done != 1 {
			t.Errorf("%s: %d of %d did it, want 1: %v", what, done, n, errs)
		}
	}
	for round := range 5 {
		name := fmt.Sprint("raced", round)
		count("add table", func(int) error { return s.AddTable(dict.Table{Name: name, Key: dict.KeyInt}) })
		count("add field", func(int) error { return s.AddFields("people", dict.Field{Name: name, Type: dict.Int}) })
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for j := range 10 {
				field := fmt.Sprintf("own%d_%d", i, j)
				if err := s.AddFields("people", dict.Field{Name: field, Type: dict.Int}); err != nil {
					t.Error(err)
				}
				if err := s.Put("people", row(key("al"), field, dict.IntValue(int32(j)))); err != nil {
					t.Error(err)
				}
				if err := s.Put("free", row(dict.IntKey(1), field, num(int64(j)), "common", num(1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range []struct {
		table string
		key   dict.Key
		cells int
	}{{"people", key("al"), 10 * n}, {"free", dict.IntKey(1), 10*n + 1}} {
		r, err := s.Get(c.table, c.key)
		must(t, err)
		if len(r.Cells) != c.cells {
			t.Errorf("%s: row holds %d cells, want %d", c.table, len(r.Cells), c.cells)
		}
		tab, err := s.Table(c.table)
		must(t, err)
		if _, err := tab.Normal(); err != nil {
			t.Errorf("%s: the schema is wrong now: %v", c.table, err)
		}
	}
}

// lastPlace: writers that race for the last places of a table get them all,
// and the rest is refused and counted. Each processor may put one row too many.
func (x *suite) lastPlace(t *testing.T) {
	const writers, each, limit = 4, 60, 50
	tab := people()
	tab.Limit = limit
	s := x.with(t, tab)
	var mu sync.Mutex
	var wg sync.WaitGroup
	full := 0
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := s.Put("people", row(key(fmt.Sprint(w, "-", i)), "quota", num(1), "groups", str("g")))
				if errors.Is(err, dict.ErrFull) {
					mu.Lock()
					full++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	st, err := s.Stats("people")
	must(t, err)
	if st.Rows < limit || st.Rows > limit+runtime.NumCPU() {
		t.Errorf("%d rows landed in a table of %d", st.Rows, limit)
	}
	if full != writers*each-st.Rows || st.Refused != uint64(full) {
		t.Errorf("%d rows were refused and %d counted, want %d", full, st.Refused, writers*each-st.Rows)
	}
	wantRows(t, s, "people", st.Rows)
}
