// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vishvananda/netns"

	"nftdict/dict"
)

// flood sends UDP packets of one size to the gateway from several threads, and
// returns when all are sent.
func (w *wire) flood(tb testing.TB, threads, packets int) {
	tb.Helper()
	var sending sync.WaitGroup
	for range threads {
		sending.Go(func() {
			runtime.LockOSThread() // and ends with it
			if err := netns.Set(w.client); err != nil {
				tb.Error(err)
				return
			}
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 77, 0, 2)})
			if err != nil {
				tb.Error(err)
				return
			}
			defer conn.Close()
			for range packets {
				if _, err := conn.WriteToUDPAddrPort(make([]byte, payload), netip.MustParseAddrPort(fmt.Sprint("10.77.0.1:", rulePort))); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
}

// TestAddBesideRules: not a byte is lost of what rules take off and several
// stores add at once, in a row whose other fields are written meanwhile.
func TestAddBesideRules(t *testing.T) {
	r := newRuleBench(t)
	if err := r.store.AddTable(dict.Table{Name: "plans", Key: dict.KeyIPv4, Limit: 100, Fields: []dict.Field{
		{Name: "left", Type: dict.Int64, Default: dict.Int64Value(1 << 40)}, {Name: "n", Type: dict.Int}, {Name: "note", Type: dict.String},
	}}); err != nil {
		t.Fatal(err)
	}
	r.chain(t, 0, 0)
	r.add(t, "dict plans ip saddr left sub meta length", "dict plans ip saddr n add 1")
	key := dict.AddrKey(netip.MustParseAddr("10.77.0.2"))
	const senders, packets, amount = 2, 10000, 1000
	var added, notes atomic.Int64
	var stop atomic.Bool
	var writing, ready sync.WaitGroup
	ready.Add(3)
	for i := range 3 {
		s := r.another(t)
		writing.Go(func() {
			for n := 0; !stop.Load(); n++ {
				var err error
				if i == 2 {
					err = s.Put("plans", dict.Row{Key: key, Cells: []dict.Cell{{Field: "note", Value: dict.MustString(fmt.Sprint(n))}}})
					notes.Add(1)
				} else {
					err = s.Add("plans", dict.Row{Key: key, Cells: []dict.Cell{{Field: "left", Value: dict.Int64Value(amount)}, {Field: "n", Value: dict.IntValue(-1)}}})
					added.Add(1)
				}
				if n == 0 {
					ready.Done()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	ready.Wait()
	r.flood(t, senders, packets)
	stop.Store(true)
	writing.Wait()
	got, err := r.store.Get("plans", key)
	if err != nil {
		t.Fatal(err)
	}
	if added.Load() < 10 || notes.Load() < 10 {
		t.Errorf("%d amounts and %d notes: too few to race with anything", added.Load(), notes.Load())
	}
	const length = 20 + 8 + payload
	for field, want := range map[string]int64{
		"left": 1<<40 - senders*packets*length + amount*added.Load(),
		"n":    senders*packets - added.Load(),
	} {
		if v, _ := got.Get(field); v.Int64() != want {
			t.Errorf("%s: %d, want %d: %d off", field, v.Int64(), want, v.Int64()-want)
		}
	}
	// Who looks for what else changes is not told of what rules count.
	was, err := r.store.Changes("plans")
	if err != nil {
		t.Fatal(err)
	}
	r.flood(t, 1, 10)
	if now, err := r.store.Changes("plans"); now != was || err != nil {
		t.Errorf("%d changes, %d before rules have counted: %v", now, was, err)
	}
}

// TestAddBesideFlush: rows that rules end and make anew while amounts are added
// to them leave nothing of themselves.
func TestAddBesideFlush(t *testing.T) {
	r := newRuleBench(t)
	if err := r.store.AddTable(dict.Table{Name: "plans", Key: dict.KeyIPv4, Limit: 100, Fields: []dict.Field{
		{Name: "left", Type: dict.Int64}, {Name: "n", Type: dict.Int}, {Name: "m", Type: dict.Int},
	}}); err != nil {
		t.Fatal(err)
	}
	r.chain(t, 0, 0)
	r.add(t, "dict plans ip saddr left sub meta length", "dict plans ip saddr flush", "dict plans ip saddr n add 1")
	key := dict.AddrKey(netip.MustParseAddr("10.77.0.2"))
	var stop atomic.Bool
	var writing sync.WaitGroup
	for range 2 {
		s := r.another(t)
		writing.Go(func() {
			for !stop.Load() {
				if err := s.Add("plans", dict.Row{Key: key, Cells: []dict.Cell{{Field: "m", Value: dict.IntValue(1)}, {Field: "left", Value: dict.Int64Value(1)}}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	r.flood(t, 2, 3000)
	stop.Store(true)
	writing.Wait()
	if err := r.store.Delete("plans", key); err != nil {
		t.Fatal(err)
	}
	if err := r.store.Sweep("plans"); err != nil {
		t.Fatal(err)
	}
	if n, err := r.store.Elements("plans"); err != nil || n != [3]int{} {
		t.Errorf("%v elements are left over, %v", n, err)
	}
	if st, err := r.store.Stats("plans"); err != nil || st.Rows != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestFailedAddLeavesRow: wherever the kernel has no memory left, all amounts
// are added or none.
func TestFailedAddLeavesRow(t *testing.T) {
	t.Parallel()
	s := openDir(t, testDir(t))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddTable(dict.Table{Name: "t", Key: dict.KeyInt, Limit: 100, Open: true}))
	key := dict.IntKey(5)
	cells := func(fields ...string) (out []dict.Cell) {
		for _, f := range fields {
			out = append(out, dict.Cell{Field: f, Value: dict.Int64Value(10)})
		}
		return out
	}
	number := func(n int64) dict.Value { return dict.Int64Value(n) }
	old := []dict.Cell{
		{Field: "a", Value: number(1)}, {Field: "b", Value: number(math.MaxInt64 - 3)}, {Field: "i", Value: dict.IntValue(3)},
		{Field: "j", Value: dict.BoolValue(true)}, {Field: "s", Value: dict.MustString("text")},
	}
	for _, tt := range []struct {
		name   string
		before []dict.Cell
		add    []dict.Cell
		want   string
		fails  int // allocations that can fail
	}{
		{"a new row", nil, cells("a", "b"), "[{a 10} {b 10}]", 3},
		{"numbers", old, cells("a", "b"), `[{a 11} {b 9223372036854775807} {i 3} {j true} {s text}]`, 0},
		{"numbers and a new one", old, cells("a", "new", "b"), `[{a 11} {b 9223372036854775807} {i 3} {j true} {s text} {new 10}]`, 1},
		{"another type after numbers", old, cells("a", "b", "i"), `[{a 11} {b 9223372036854775807} {i 10} {j true} {s text}]`, 1},
		{"other types and numbers", old, cells("i", "a", "j", "b"), `[{a 11} {b 9223372036854775807} {i 10} {j 10} {s text}]`, 1},
		{"a string", old, cells("a", "s"), `[{a 11} {b 9223372036854775804} {i 3} {j true} {s 10}]`, 1},
	} {
		must(s.FailAt("t", 0))
		must(s.Put("t", dict.Row{Key: dict.IntKey(1), Cells: append(slices.Clone(old), cells("new")...)})) // the fields come to be
		n, row := failEach(t, s, tt.name, dict.Row{Key: key, Cells: tt.before}, func() error { return s.Add("t", dict.Row{Key: key, Cells: tt.add}) })
		if row != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, row, tt.want)
		}
		if n < tt.fails {
			t.Errorf("%s: %d allocations, want %d at least", tt.name, n, tt.fails)
		}
	}
}
