// SPDX-License-Identifier: MIT

package session

import (
	"testing"

	"nftdict/dictd/conntrack"
)

// A session goes on in the entry that takes the place of its own, however late the end
// of the old one is told.
func TestCarry(t *testing.T) {
	for name, early := range map[string]bool{"told meanwhile": true, "told later": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 10)
			n := r.open(7, tuple(1))
			was, now := flow(7, tuple(1)), flow(8, tuple(1))
			r.Depart(&was)
			r.kernel.destroy(was)
			r.kernel.confirm(now)
			if early {
				r.kernel.deliver(2)
			}
			r.rows.rows[8] = n // copied
			r.Arrive(&was, &now)
			r.kernel.deliver(2)
			r.wantRow(8, n)
			if got := r.later(8, tuple(1)); got != n {
				t.Errorf("a packet is of session %d, want %d", got, n)
			}
			r.kernel.destroy(now)
			r.kernel.deliver(1)
			r.wantRow(8, 0)
			r.wantNone()
		})
	}
}

// An entry of the same id takes its place; the end that is told later was the old one's.
func TestCarrySameID(t *testing.T) {
	r := newRig(t, 10)
	n := r.open(7, tuple(1))
	f := flow(7, tuple(1))
	r.Depart(&f)
	r.kernel.destroy(f)
	r.kernel.confirm(f)
	r.Arrive(&f, &f)
	r.kernel.deliver(2)
	r.wantRow(7, n)
	r.kernel.destroy(f)
	r.kernel.deliver(1)
	r.wantRow(7, 0)
}

// It comes back to an id that it had before, before the ends are told of the entries that
// it had.
func TestCarryThereAndBack(t *testing.T) {
	r := newRig(t, 10)
	n := r.open(7, tuple(1))
	entries := []conntrack.Flow{flow(7, tuple(1)), flow(8, tuple(1)), flow(7, tuple(1))}
	for i := range entries[1:] {
		was, now := &entries[i], &entries[i+1]
		r.Depart(was)
		r.kernel.destroy(*was)
		r.kernel.confirm(*now)
		r.Arrive(was, now)
	}
	r.kernel.deliver(4)
	if got := r.later(7, tuple(1)); got != n {
		t.Errorf("a packet is of session %d, want %d", got, n)
	}
	r.kernel.destroy(entries[2])
	r.kernel.deliver(1)
	r.wantNone()
}

// The end of the old entry, of the same id, is lost, and so is later that of the session.
func TestCarryUntold(t *testing.T) {
	r := newRig(t, 10)
	r.open(7, tuple(1))
	f := flow(7, tuple(1))
	r.Depart(&f)
	r.kernel.destroy(f)
	r.kernel.confirm(f)
	r.kernel.lose()
	r.Arrive(&f, &f)
	reconcile := func() {
		t.Helper()
		if err := r.Reconcile(r.now, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	reconcile()
	r.kernel.destroy(f)
	r.kernel.lose()
	reconcile()
	r.wantNone()
}

// It could not be replaced: its end is the session's.
func TestCarryNot(t *testing.T) {
	r := newRig(t, 10)
	n := r.open(7, tuple(1))
	f := flow(7, tuple(1))
	r.Depart(&f)
	f.Status |= 1 << 14 // it is in the flowtable still
	r.Arrive(&f, &f)
	r.wantRow(7, n)
	r.kernel.destroy(f)
	r.kernel.deliver(1)
	r.wantRow(7, 0)
	r.wantNone()
}

// None takes its place.
func TestCarryToNowhere(t *testing.T) {
	r := newRig(t, 10)
	r.open(7, tuple(1))
	f := flow(7, tuple(1))
	r.Depart(&f)
	r.kernel.destroy(f)
	r.kernel.deliver(1)
	r.Arrive(&f, nil)
	r.wantRow(7, 0)
	r.wantNone()
}

// It had ended, which was told, before it was to be replaced: that is not the end of the
// next connection of its names, whose entry has its id.
func TestCarryTooLate(t *testing.T) {
	r := newRig(t, 10)
	r.open(7, tuple(1))
	f := flow(7, tuple(1))
	r.kernel.destroy(f)
	r.kernel.deliver(1)
	r.Depart(&f)
	r.Arrive(&f, nil)
	n := r.open(7, tuple(1))
	r.wantRow(7, n)
	r.kernel.destroy(f)
	r.kernel.deliver(1)
	r.wantRow(7, 0)
	r.wantNone()
}
