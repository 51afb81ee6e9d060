// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"
	"testing"
)

// What replaces an entry is the same connection: nothing is lost or twice, and its
// application is known, whatever the order in which the ledger hears of it.
func TestDepart(t *testing.T) {
	for name, c := range map[string]struct {
		known bool
		id    uint32 // of what replaces it
	}{"known": {true, 2}, "younger than the last look": {false, 2}, "the same id": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, t.TempDir())
			w.poll()
			old := w.flow(1, inside, outside)
			move(old, 100, 200)
			if c.known {
				w.poll()
			}
			move(old, 10, 20)
			w.Depart(old)
			w.kernel.end(old)
			w.now = w.now.Add(1)
			now := w.flow(c.id, inside, outside)
			move(now, 1, 2)
			w.poll()
			move(now, 1000, 2000)
			w.kernel.end(now)
			w.poll()
			w.want(1111, 2222)
			one := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}]
			if one == nil || one.use.Connections != 1 || len(w.cells) != 1 {
				t.Errorf("cells %+v", w.cells)
			}
		})
	}
}

// What is replaced several times between two looks is one connection, whether the ends
// are heard of one by one or all at last.
func TestDepartOften(t *testing.T) {
	for name, late := range map[string]bool{"one by one": false, "at last": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			hear := func() {
				t.Helper()
				if err := w.kernel.Drain(); err != nil {
					t.Fatal(err)
				}
			}
			w.poll()
			for id := uint32(1); id < 5; id++ {
				f := w.flow(id, inside, outside)
				move(f, 100, 200)
				w.Depart(f)
				w.kernel.end(f)
				w.now = w.now.Add(1)
				if !late {
					hear()
				}
			}
			move(w.flow(5, inside, outside), 1, 2)
			w.poll()
			hear()
			w.want(401, 802)
			if one := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}]; one == nil || one.use.Connections != 1 {
				t.Errorf("cells %+v", w.cells)
			}
		})
	}
}

// What replaces an entry that nobody has looked at is seen before the end of that is heard
// of, and moves nothing for long, or ever: it is one connection.
func TestDepartIdle(t *testing.T) {
	w := newWorld(t, "")
	w.poll()
	old := w.flow(1, inside, outside)
	move(old, 100, 200)
	w.Depart(old)
	w.kernel.end(old)
	w.now = w.now.Add(1)
	now := w.flow(2, inside, outside)
	w.poll()
	if err := w.kernel.Drain(); err != nil {
		t.Fatal(err)
	}
	check := func(original, reply uint64) {
		t.Helper()
		w.want(original, reply)
		if one := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}]; one == nil || one.use.Connections != 1 {
			t.Errorf("cells %+v", w.cells)
		}
	}
	check(100, 200)
	for range 5 {
		w.poll()
	}
	move(now, 1, 2)
	w.poll()
	check(101, 202)
}

// Where nothing comes in its place, a later connection of the same names counts.
func TestDepartForGood(t *testing.T) {
	w := newWorld(t, "")
	w.poll()
	old := w.flow(1, inside, outside)
	other := w.flow(3, netip.AddrPortFrom(inside.Addr(), 4001), outside)
	move(old, 100, 200)
	w.Depart(old)
	w.kernel.end(old)
	if err := w.kernel.Drain(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		move(other, 1, 1)
		w.poll()
	}
	if len(w.departed) != 0 {
		t.Errorf("%d are waited for", len(w.departed))
	}
	now := w.flow(2, inside, outside)
	move(now, 1, 2)
	w.poll()
	if s := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}].use; s.Connections != 3 {
		t.Errorf("%d connections", s.Connections)
	}
}
