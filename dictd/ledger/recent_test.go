// SPDX-License-Identifier: MIT

package ledger

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestRecent(t *testing.T) {
	w := newWorld(t, t.TempDir())
	w.poll()
	f := w.flow(1, inside, outside)
	move(f, 100, 1000)
	w.poll()
	w.poll() // nothing moves
	move(f, 1, 2)
	w.label.Application = "OTHER" // its label is final
	g := w.flow(2, outside, inside)
	move(g, 5, 50)
	w.poll()
	all := w.usage(Query{Period: Recent})
	if len(all) != 3 {
		t.Fatalf("%d spans: %+v", len(all), all)
	}
	for i, want := range []map[string][3]uint64{
		{"VIDEO": {1000, 100, 1}},
		{},
		{"VIDEO": {2, 1, 0}, "OTHER": {5, 50, 1}},
	} {
		u := &all[i]
		if u.End.Sub(u.Start) != 4*time.Second || i > 0 && !u.Start.Equal(all[i-1].End) {
			t.Errorf("span %d is from %v to %v", i, u.Start, u.End)
		}
		got := make(map[string][3]uint64)
		for k, one := range u.Sum(ByApplication, Filter{}) {
			got[k.Application] = [3]uint64{one.In.Bytes, one.Out.Bytes, one.Connections}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("span %d: %v, want %v", i, got, want)
		}
	}
	if late := w.usage(Query{Period: Recent, Since: all[2].Start}); len(late) != 1 || !late[0].End.Equal(all[2].End) {
		t.Errorf("since the last: %+v", late)
	}
	// In a hurry looks are not kept one by one, and nothing of them is lost.
	for range 3 {
		move(f, 10, 10)
		w.poll()
		w.now = w.now.Add(-3500 * time.Millisecond)
	}
	w.now = w.now.Add(4 * time.Second)
	w.poll()
	sum := uint64(0)
	for _, u := range w.usage(Query{Period: Recent, Since: all[2].End}) {
		for _, one := range u.Uses {
			sum += one.In.Bytes
		}
	}
	if sum != 30 {
		t.Errorf("%d bytes in a hurry, want 30", sum)
	}
	// An hour that begins takes nothing of it along.
	move(f, 0, 7)
	w.now = w.now.Add(time.Hour)
	w.poll()
	all = w.usage(Query{Period: Recent})
	if last := all[len(all)-1].Uses; len(last) != 1 || last[0].In.Bytes != 7 {
		t.Errorf("over the hour: %+v", last)
	}
}

// There is an end to what is kept, and of what there are more keys of than that the
// traffic is.
func TestRecentBounded(t *testing.T) {
	w := newWorld(t, "")
	w.poll()
	const n = 2 * recentKeys
	sent := uint64(0)
	for i := range n {
		f := w.flow(uint32(i), netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 4000), outside)
		move(f, uint64(i), 0)
		sent += uint64(i)
	}
	w.poll()
	u := w.usage(Query{Period: Recent})[0]
	if len(u.Uses) > recentKeys+1 {
		t.Errorf("%d keys, want at most %d", len(u.Uses), recentKeys+1)
	}
	if got := u.Sum(ByUser, Filter{})[Key{User: "bob"}]; got.Out.Bytes != sent || got.Connections != n {
		t.Errorf("bob sent %d in %d connections, want %d in %d", got.Out.Bytes, got.Connections, sent, n)
	}
	for range 2 * recentSpans {
		w.poll()
	}
	if all := w.usage(Query{Period: Recent}); len(all) != recentSpans {
		t.Errorf("%d spans, want %d", len(all), recentSpans)
	}
}
