// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"testing"
	"time"

	"nftdict/dict"
)

// grace is how much longer than its TTL a row may live.
const grace = 2 * time.Second

// life: rows end by their TTL, not before, and every put and renew starts it
// anew. One sleep serves all cases.
func (x *suite) life(t *testing.T) {
	forever := people()
	brief := people()
	brief.Name, brief.Timeout = "brief", time.Second
	lasting := people()
	lasting.Name, lasting.Timeout = "lasting", time.Hour
	s := x.with(t, forever, brief, lasting)

	put := func(ttl time.Duration) func(string, dict.Key) {
		return func(table string, k dict.Key) {
			must(t, s.Put(table, dict.Row{Key: k, Cells: cells("age", dict.IntValue(1)), TTL: ttl}))
		}
	}
	renew := func(ttl time.Duration) func(string, dict.Key) {
		return func(table string, k dict.Key) {
			n, err := s.Renew(table, ttl, key("nobody"), k)
			must(t, err)
			if n != 1 {
				t.Fatalf("renew %s %s: %d rows, want 1", table, k.Text(), n)
			}
		}
	}
	dropCell := func(table string, k dict.Key) { must(t, s.Delete(table, k, "age")) }
	type steps []func(string, dict.Key)
	const gone = -1
	cases := []struct {
		table string
		steps steps
		left  time.Duration // of its life at the start; 0: without end
	}{
		{"people", steps{put(0)}, 0},
		{"people", steps{put(time.Second)}, gone},
		{"people", steps{put(time.Hour)}, time.Hour},
		{"people", steps{put(dict.MaxTTL)}, dict.MaxTTL},
		{"people", steps{put(time.Second), put(time.Hour)}, time.Hour},
		{"people", steps{put(time.Hour), put(time.Second)}, gone},
		{"people", steps{put(time.Second), put(0)}, 0},
		{"people", steps{put(0), put(time.Second)}, gone},
		{"people", steps{put(time.Second), renew(time.Hour)}, time.Hour},
		{"people", steps{put(time.Second), renew(0)}, 0},
		{"people", steps{put(0), renew(time.Second)}, gone},
		{"people", steps{put(time.Hour), renew(time.Second)}, gone},
		{"people", steps{put(time.Second), dropCell}, gone},
		{"people", steps{put(time.Hour), dropCell}, time.Hour},
		{"brief", steps{put(0)}, gone},
		{"brief", steps{put(time.Hour)}, time.Hour},
		{"brief", steps{put(time.Hour), put(0)}, gone},
		{"brief", steps{put(time.Hour), renew(0)}, gone},
		{"brief", steps{put(0), renew(time.Hour)}, time.Hour},
		{"lasting", steps{put(0)}, time.Hour},
		{"lasting", steps{put(time.Second)}, gone},
		{"lasting", steps{put(time.Second), put(0)}, time.Hour},
		{"lasting", steps{put(time.Second), renew(0)}, time.Hour},
	}
	name := func(i int) dict.Key { return key(fmt.Sprint("case ", i)) }
	start := time.Now()
	for i, c := range cases {
		for _, f := range c.steps {
			f(c.table, name(i))
		}
	}
	// Whoever took longer than a second to get here has seen rows end already.
	if time.Since(start) < time.Second {
		for i, c := range cases {
			want := c.left
			if want == gone {
				want = time.Second
			}
			checkLeft(t, s, c.table, name(i), want, 0)
		}
	}
	x.sleep(s, time.Second+grace+100*time.Millisecond)
	alive := map[string]int{}
	for i, c := range cases {
		if c.left != gone {
			checkLeft(t, s, c.table, name(i), c.left, patience)
			alive[c.table]++
			continue
		}
		wantNone(t, s, c.table, name(i))
		n, err := s.Renew(c.table, time.Hour, name(i))
		must(t, err)
		if n != 0 {
			t.Errorf("case %d: renew brought back a row that had ended", i)
		}
		refused(t, s.Delete(c.table, name(i)), dict.ErrNotExist, c.table, name(i).Text())
		refused(t, s.Delete(c.table, name(i), "age"), dict.ErrNotExist, c.table, name(i).Text())
	}
	for table, n := range alive {
		wantRows(t, s, table, n)
	}
	for i, c := range cases {
		if c.left == gone {
			must(t, s.Put(c.table, dict.Row{Key: name(i), Cells: cells("quota", num(1)), TTL: time.Hour}))
			wantRow(t, s, c.table, name(i), "quota", num(1))
		}
	}
}

// checkLeft checks what Get and Rows say is left of a row's life, of which at
// most spent has passed in real time.
func checkLeft(t *testing.T, s dict.Store, table string, k dict.Key, want, spent time.Duration) {
	t.Helper()
	r, err := s.Get(table, k)
	must(t, err)
	for row, err := range s.Rows(table) {
		must(t, err)
		if row.Key == k && (row.TTL-r.TTL).Abs() > time.Second {
			t.Errorf("%s %s: Rows says %v are left, Get %v", table, k.Text(), row.TTL, r.TTL)
		}
	}
	low := want - spent - 2*time.Second
	switch {
	case want == 0 && r.TTL == 0:
	case want == 0 || r.TTL == 0 || r.TTL < low || r.TTL > want+grace || r.TTL%time.Second != 0:
		t.Errorf("%s %s: %v are left of %v", table, k.Text(), r.TTL, want)
	}
}

// room: rows that have ended take no place.
func (x *suite) room(t *testing.T) {
	tab := people()
	tab.Limit, tab.Timeout = 8, time.Second
	s := x.with(t, tab)
	for i := range tab.Limit {
		must(t, s.Put("people", row(key(fmt.Sprint("old", i)), "age", dict.IntValue(1), "groups", str("g"))))
	}
	x.sleep(s, time.Second+grace+100*time.Millisecond)
	st, err := s.Stats("people")
	must(t, err)
	same(t, "figures", st, dict.Stats{Limit: tab.Limit})
	for i := range tab.Limit {
		must(t, s.Put("people", dict.Row{Key: key(fmt.Sprint("new", i)), Cells: cells("quota", num(1)), TTL: time.Hour}))
	}
	wantRows(t, s, "people", tab.Limit)
	refused(t, s.Put("people", row(key("one more"))), dict.ErrFull, "people", `"one more"`)
	wantRow(t, s, "people", key("new0"), "quota", num(1))
}

// lease: rows of a bound table end unless they are renewed.
func (x *suite) lease(t *testing.T) {
	bound := dict.Table{Name: "conns", Key: dict.KeyCtID, Bound: true, Limit: 10, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}
	timed := bound
	timed.Name, timed.Timeout = "timed", time.Minute
	s := x.with(t, bound, timed)
	one := dict.CtID(0x11111166)
	for _, table := range []string{"conns", "timed"} {
		must(t, s.Put(table, row(one, "n", dict.IntValue(1))))
	}
	checkLeft(t, s, "conns", one, dict.Lease, patience)
	checkLeft(t, s, "timed", one, time.Minute, patience)
	must(t, s.Put("conns", dict.Row{Key: one, TTL: 30 * time.Second}))
	checkLeft(t, s, "conns", one, 30*time.Second, patience)
	n, err := s.Renew("conns", 0, one, dict.CtID(5))
	must(t, err)
	if n != 1 {
		t.Errorf("renew: %d rows, want 1", n)
	}
	checkLeft(t, s, "conns", one, dict.Lease, patience)
	wantRow(t, s, "conns", one, "n", dict.IntValue(1))
}
