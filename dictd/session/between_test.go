// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nftdict/dictd/conntrack"
)

// What opens an entry while that of its connection is replaced, either way, is dropped, for
// a while after, too; nothing else is.
func TestBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10)
		was, now := flow(7, tuple(1)), flow(8, tuple(1))
		was.Zone = 3
		was.Reply.DstPort = 40000 // translated
		between := func(want bool, what string, p Packet) {
			t.Helper()
			if got := r.Between(&p); got != want {
				t.Errorf("%s: %v", what, got)
			}
		}
		out, in := Packet{Tuple: was.Orig, First: true}, Packet{Tuple: was.Reply, First: true}
		between(false, "before", out)
		r.Depart(&was)
		between(true, "one way", out)
		between(true, "the other way", in)
		between(true, "in its zone", Packet{Tuple: was.Orig, First: true, Zone: 3, ZoneKnown: true})
		between(false, "in another zone", Packet{Tuple: was.Orig, First: true, Zone: 4, ZoneKnown: true})
		between(false, "of an entry", Packet{Tuple: was.Orig})
		between(false, "of another connection", Packet{Tuple: tuple(2), First: true})
		between(false, "not translated", Packet{Tuple: was.Orig.Reverse(), First: true})
		r.Arrive(&was, &now)
		between(true, "it waited in a queue", in)
		time.Sleep(gapLife / 2)
		other := flow(9, tuple(2))
		r.Depart(&other)
		between(true, "the next one", Packet{Tuple: other.Orig, First: true})
		time.Sleep(gapLife / 2)
		between(false, "later", in)
		between(true, "the next one is still", Packet{Tuple: other.Orig, First: true})
		r.Arrive(&other, nil)
		between(false, "what has ended may begin again", Packet{Tuple: other.Orig, First: true})
		time.Sleep(gapLife)
		between(false, "later", in)
		if n := r.Stats().Between; n != 6 {
			t.Errorf("%d are counted", n)
		}
		if b := &r.Table.between; b.some.Load() || len(b.order) > 0 || len(b.of) > 0 {
			t.Errorf("%d and %d stay", len(b.order), len(b.of))
		}
	})
}

// One that is replaced again and again keeps no other in its gap; and each zone has its own.
func TestBetweenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10)
		restless, other, same := flow(7, tuple(1)), flow(8, tuple(2)), flow(9, tuple(2))
		same.Zone = 3
		between := func(f *conntrack.Flow) [2]bool {
			return [...]bool{
				r.Between(&Packet{Tuple: f.Orig, First: true, Zone: f.Zone, ZoneKnown: true}),
				r.Between(&Packet{Tuple: f.Reply, First: true}),
			}
		}
		r.Depart(&restless)
		r.Depart(&other)
		r.Depart(&same)
		for _, f := range []*conntrack.Flow{&restless, &other, &same} {
			if between(f) != [...]bool{true, true} {
				t.Errorf("%d is not noted", f.ID)
			}
		}
		r.Arrive(&same, nil)
		if between(&other) != [...]bool{true, true} || between(&same) != [...]bool{false, true} {
			t.Errorf("the end in a zone: %v, %v", between(&other), between(&same))
		}
		for range 10 {
			time.Sleep(gapLife / 4)
			r.Arrive(&restless, &restless)
			r.Depart(&restless)
		}
		if between(&restless) != [...]bool{true, true} || between(&other) != [...]bool{false, false} {
			t.Errorf("later: %v, %v", between(&restless), between(&other))
		}
		if n := len(r.Table.between.order); n > 10 {
			t.Errorf("%d are kept", n)
		}
		time.Sleep(gapLife / 2)
		if between(&restless) != [...]bool{true, true} {
			t.Error("its last gap ends with one before")
		}
	})
}

// What takes the place of an entry may end at once, and another begin from its port.
func TestBetweenEnds(t *testing.T) {
	r := newRig(t, 10)
	r.open(7, tuple(1))
	was, now := flow(7, tuple(1)), flow(8, tuple(1))
	r.Depart(&was)
	r.kernel.destroy(was)
	r.kernel.confirm(now)
	r.Arrive(&was, &now)
	r.kernel.deliver(2)
	if !r.Between(&Packet{Tuple: tuple(1), First: true}) {
		t.Error("the end of the old entry ends it")
	}
	r.kernel.destroy(now)
	r.kernel.deliver(1)
	if r.Between(&Packet{Tuple: tuple(1), First: true}) {
		t.Error("the end of the new entry does not end it")
	}
}

// There are no more of them than fit.
func TestBetweenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10)
		for i := range uint32(maxGaps) {
			f := flow(i, conntrack.NewTuple(17, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1), netip.MustParseAddrPort("192.0.2.1:443")))
			r.Table.between.begin(&f)
		}
		if b := &r.Table.between; len(b.order) != maxGaps || len(b.of) != maxGaps {
			t.Errorf("%d, %d", len(b.order), len(b.of))
		}
	})
}
