// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"nftdict/bpfmap"
	"nftdict/dict"
)

func elements3(t *testing.T, s *bpfmap.Store, table string) [3]int {
	t.Helper()
	n, err := s.Elements(table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testTable() dict.Table {
	return dict.Table{Name: "t", Key: dict.KeyMark, Limit: 1000, Fields: []dict.Field{
		{Name: "n", Type: dict.Int}, {Name: "m", Type: dict.Int}, {Name: "s", Type: dict.String},
	}}
}

func testRow(i uint32) dict.Row {
	return dict.Row{Key: dict.Mark(i), Cells: []dict.Cell{
		{Field: "n", Value: dict.IntValue(int32(i))}, {Field: "m", Value: dict.IntValue(int32(i))}, {Field: "s", Value: dict.MustString(fmt.Sprint(i))},
	}}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(10) {
		r := testRow(i)
		if i < 3 {
			r.TTL = time.Second
		}
		if err := s.Put("t", r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(2) {
		if err := s.Orphan("t", dict.Mark(5+i)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := elements3(t, s, "t"), [3]int{8, 20, 10}; got != want {
		t.Fatalf("before: %v elements, want %v", got, want)
	}
	time.Sleep(2200 * time.Millisecond)
	if err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	if got, want := elements3(t, s, "t"), [3]int{5, 10, 5}; got != want {
		t.Fatalf("after: %v elements, want %v", got, want)
	}
	for i := range uint32(10) {
		r, err := s.Get("t", dict.Mark(i))
		gone := i < 3 || i == 5 || i == 6
		if gone != errors.Is(err, dict.ErrNotExist) || !gone && len(r.Cells) != 3 {
			t.Errorf("row %d: %v, %v", i, r.Cells, err)
		}
	}
}

// TestSweepWhileWriting sweeps as rows are made and removed: none may lose a
// value.
func TestSweepWhileWriting(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := openDir(t, dir)
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range uint32(2) {
		other := openDir(t, dir)
		wg.Go(func() {
			for i := uint32(0); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				r := testRow(w<<16 | i%50)
				if err := other.Put("t", r); err != nil {
					t.Error(err)
					return
				}
				got, err := other.Get("t", r.Key)
				if err != nil || len(got.Cells) != 3 {
					t.Errorf("row %s: %v, %v", r.Key, got.Cells, err)
					return
				}
				if err := other.Delete("t", r.Key); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 30 {
		if err := s.Sweep("t"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if err := s.Sweep("t"); err != nil {
		t.Fatal(err)
	}
	if got := elements3(t, s, "t"); got != [3]int{} {
		t.Errorf("%v elements left", got)
	}
}

// TestPacketsAgainstWriters runs the programs of statements while user space
// writes the same rows.
func TestPacketsAgainstWriters(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	table := testTable()
	table.Limit = 8
	if err := s.AddTable(table); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, text := range []string{"dict t meta mark flush", "dict t meta mark n add 1", `dict t meta mark s set "x"`, `dict t meta mark m set 3`} {
		p := program(t, s, text)
		wg.Go(func() {
			for i := uint32(0); ; i++ {
				select {
				case <-stop:
					return
				default:
					perRun(t, p, i%10, 100)
				}
			}
		})
	}
	full := 0
	for i := range uint32(20000) {
		r := testRow(i % 10)
		if err := s.Put("t", r); errors.Is(err, dict.ErrFull) {
			full++
		} else if err != nil {
			t.Error(err)
			break
		}
		if got, err := s.Get("t", r.Key); err == nil {
			for _, c := range got.Cells {
				if c.Field == "s" && c.Value.Str() != "x" && c.Value.Str() != r.Key.String() && c.Value != r.Cells[2].Value {
					t.Errorf("row %s: %v", r.Key, got.Cells)
				}
			}
		} else if !errors.Is(err, dict.ErrNotExist) {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if full == 0 {
		t.Error("the table was never full")
	}
	if st, err := s.Stats("t"); err != nil || st.Rows > 8 || st.Refused == 0 {
		t.Errorf("stats %+v, %v", st, err)
	}
	if _, err := dict.Flush(s, "t"); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep("t"); err != nil {
		t.Fatal(err)
	}
	if got := elements3(t, s, "t"); got != [3]int{} {
		t.Errorf("%v elements left", got)
	}
}

// TestExpired: a row that expired answers no packet, and a packet's write
// begins it anew.
func TestExpired(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	table := testTable()
	table.Timeout = 3 * time.Second
	table.Limit = 1
	if err := s.AddTable(table); err != nil {
		t.Fatal(err)
	}
	// They take long to load on a slow machine.
	match, missing := program(t, s, "dict t meta mark n 1"), program(t, s, "dict t meta mark n missing")
	set := program(t, s, "dict t meta mark m set 7")
	if err := s.Put("t", testRow(1)); err != nil {
		t.Fatal(err)
	}
	ask := func(want uint32) {
		t.Helper()
		got, _ := perRun(t, match, 1, 1)
		not, _ := perRun(t, missing, 1, 1)
		if got != want || not != 1-want {
			t.Errorf("match %d, missing %d, want %d and %d", got, not, want, 1-want)
		}
	}
	ask(1)
	time.Sleep(table.Timeout + 1200*time.Millisecond)
	ask(0)
	perRun(t, set, 1, 1)
	ask(0)
	r, err := s.Get("t", dict.Mark(1))
	if err != nil || len(r.Cells) != 1 || r.Cells[0].Value != dict.IntValue(7) || r.TTL <= 0 || r.TTL > table.Timeout {
		t.Errorf("row %v, ttl %v, %v, want m 7 alone, from now on", r.Cells, r.TTL, err)
	}
	if got, want := elements3(t, s, "t"), [3]int{1, 1, 0}; got != want {
		t.Errorf("%v elements, want %v", got, want)
	}
	time.Sleep(table.Timeout + 1200*time.Millisecond)
	if err := s.Put("t", testRow(2)); err != nil {
		t.Errorf("the expired row made no room: %v", err)
	}
}

// TestLease: a row that a packet makes in a bound table is a lease.
func TestLease(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	if err := s.AddTable(dict.Table{Name: "t", Key: dict.KeyCtID, Bound: true, Limit: 2, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}); err != nil {
		t.Fatal(err)
	}
	perRun(t, program(t, s, "dict t ct id n set 7"), 0, 1)
	r, err := s.Get("t", dict.CtID(0))
	if err != nil || r.TTL < dict.Lease-5*time.Second || r.TTL > dict.Lease {
		t.Errorf("ttl %v, %v, want about %v", r.TTL, err, dict.Lease)
	}
}

// TestAddIsAtomic counts with several processors at once.
func TestAddIsAtomic(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	p := program(t, s, "dict t meta mark n add 1")
	var wg sync.WaitGroup
	const goroutines, runs = 4, 50000
	for range goroutines {
		wg.Go(func() { perRun(t, p, 5, runs) })
	}
	wg.Wait()
	r, err := s.Get("t", dict.Mark(5))
	if v, _ := r.Get("n"); err != nil || v != dict.IntValue(goroutines*runs) {
		t.Errorf("counted %s, %v, want %d", v.Text(), err, goroutines*runs)
	}
}

// TestRuleMakesRoom: expired rows leave their places to rows that packets make.
func TestRuleMakesRoom(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	const limit = 1000
	for _, name := range []string{"short", "long"} {
		table := testTable()
		table.Name, table.Limit = name, limit
		if err := s.AddTable(table); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(limit) {
		r := testRow(i)
		if err := s.Put("long", r); err != nil {
			t.Fatal(err)
		}
		if r.TTL = time.Second; i%2 == 0 {
			r.TTL = time.Hour
		}
		if err := s.Put("short", r); err != nil {
			t.Fatal(err)
		}
	}
	add, refused := program(t, s, "dict short meta mark n add 7"), program(t, s, "dict long meta mark n add 7")
	time.Sleep(2200 * time.Millisecond)
	perRun(t, refused, 5000, 1)
	if st, err := s.Stats("long"); err != nil || st.Rows != limit || st.Refused != 1 {
		t.Errorf("a full table: %+v, %v, want %d rows, 1 refused", st, err, limit)
	}
	for i := range uint32(limit / 2) {
		var r dict.Row
		var err error
		// A packet's sweep is short, and there is one a tick.
		for range 100 {
			perRun(t, add, 5000+i, 1)
			if r, err = s.Get("short", dict.Mark(5000+i)); err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if n, _ := r.Get("n"); err != nil || n != dict.IntValue(7) {
			st, _ := s.Stats("short")
			t.Fatalf("row %d: %v, %v; %+v, %v elements", i, r, err, st, elements3(t, s, "short"))
		}
	}
	if got, want := elements3(t, s, "short"), [3]int{limit, limit / 2 * 3, limit / 2}; got != want {
		t.Errorf("%v elements, want %v", got, want)
	}
}
