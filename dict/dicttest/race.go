// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

// noReturn: a row that was deleted stays so, whoever renews it or deletes its
// fields meanwhile.
func (x *suite) noReturn(t *testing.T) {
	s := x.with(t, people())
	al := key("al")
	var others sync.WaitGroup
	stop := make(chan struct{})
	end := sync.OnceFunc(func() {
		close(stop)
		others.Wait()
	})
	defer end()
	meddle := func(f func() error) {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil && !errors.Is(err, dict.ErrNotExist) {
					t.Error(err)
					return
				}
			}
		})
	}
	meddle(func() error { _, err := s.Renew("people", time.Hour, al); return err })
	meddle(func() error { return s.Delete("people", al, "age") })
	for n := range int32(500) {
		must(t, s.Put("people", row(al, "age", dict.IntValue(n), "groups", str("g"))))
		must(t, s.Delete("people", al))
		if r, err := s.Get("people", al); !errors.Is(err, dict.ErrNotExist) {
			t.Fatalf("a deleted row is there: %v, %v", r, err)
		}
	}
	end()
	wantNone(t, s, "people", al)
	wantRows(t, s, "people", 0)
}

// deletedInUse: a table that goes, and comes again as another, under its
// readers and writers makes them err, not stop, and leaves nothing of itself.
func (x *suite) deletedInUse(t *testing.T) {
	s := x.with(t, people())
	var users sync.WaitGroup
	stop := make(chan struct{})
	use := func(f func() error) {
		users.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil && !errors.Is(err, dict.ErrNotExist) && !errors.Is(err, dict.ErrType) {
					t.Error(err)
					return
				}
			}
		})
	}
	use(func() error { return s.Put("people", row(key("al"), "quota", num(1), "groups", str("g"))) })
	use(func() error { _, err := s.Get("people", key("al")); return err })
	use(func() error {
		for _, err := range s.Rows("people") {
			if err != nil {
				return err
			}
		}
		return nil
	})
	other := dict.Table{Name: "people", Key: dict.KeyInt, Limit: 5, Fields: []dict.Field{{Name: "quota", Type: dict.Bool}}}
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		if err = s.DeleteTable("people"); err == nil {
			err = s.AddTable([]dict.Table{other, people()}[i%2])
		}
	}
	if err == nil {
		if err = s.DeleteTable("people"); err == nil {
			err = s.AddTable(other)
		}
	}
	close(stop)
	users.Wait()
	must(t, err)
	wantRows(t, s, "people", 0)
	must(t, s.Put("people", row(dict.IntKey(1), "quota", dict.BoolValue(true))))
	wantRow(t, s, "people", dict.IntKey(1), "quota", dict.BoolValue(true))
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
