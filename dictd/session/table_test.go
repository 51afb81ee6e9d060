// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"nftdict/classifier"
	"nftdict/dictd/conntrack"
)

func TestDatagramsInTheQueueAreOneSession(t *testing.T) {
	r := newRig(t, 10)
	a := r.first(1, tuple(0))
	for id := uint32(2); id <= 3; id++ {
		if n := r.first(id, tuple(0)); n != a {
			t.Fatalf("datagram %d is of session %d, the first of %d", id, n, a)
		}
		r.wantRow(id, a)
	}
	r.kernel.confirm(flow(1, tuple(0)))
	r.kernel.deliver(1)
	if n := r.later(1, tuple(0)); n != a {
		t.Errorf("after confirmation the session is %d, was %d", n, a)
	}
	if s := r.Find(2); len(s) != 0 {
		t.Error("an id of an entry that was not confirmed is still known")
	}
	// A datagram that waited while the first was confirmed.
	if n := r.first(4, tuple(0)); n != a {
		t.Errorf("a late datagram is of session %d, want %d", n, a)
	}
	r.wantRow(4, a)
	if got := r.Stats(); got.Created != 1 || got.Confirmed != 1 {
		t.Errorf("stats %+v", got)
	}
}

func TestIDReuse(t *testing.T) {
	for name, late := range map[string]bool{"DESTROY read in time": false, "DESTROY still unread": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 10)
			old := r.open(1, tuple(0))
			r.kernel.destroy(flow(1, tuple(0)))
			if !late {
				r.kernel.deliver(1)
				r.wantRow(1, 0)
			}
			renewed := r.first(1, tuple(0))
			if renewed == old {
				t.Fatal("a new connection is taken for the old one")
			}
			r.wantRow(1, renewed)
			r.kernel.deliver(9)
			r.wantRow(1, renewed)
			r.kernel.confirm(flow(1, tuple(0)))
			r.kernel.deliver(9)
			r.wantRow(1, renewed)
			if n := r.later(1, tuple(0)); n != renewed {
				t.Errorf("later packets are of session %d, want %d", n, renewed)
			}
		})
	}
}

// The old connection began and ended before any event of it was read.
func TestIDReuseBeforeAnyEvent(t *testing.T) {
	r := newRig(t, 10)
	old := r.first(1, tuple(0))
	r.kernel.confirm(flow(1, tuple(0)))
	r.kernel.destroy(flow(1, tuple(0)))
	renewed := r.first(1, tuple(0))
	if renewed == old {
		t.Fatal("a new connection is taken for the old one")
	}
	r.kernel.confirm(flow(1, tuple(0)))
	r.kernel.deliver(9)
	r.wantRow(1, renewed)
}

func TestTupleReuseWithAnotherID(t *testing.T) {
	r := newRig(t, 10)
	old := r.open(1, tuple(0))
	r.kernel.destroy(flow(1, tuple(0)))
	if n := r.first(2, tuple(0)); n == old {
		t.Error("a new connection is taken for the old one")
	}
	r.wantRow(1, 0)
}

func TestRejectedFirstPacket(t *testing.T) {
	r := newRig(t, 10)
	a := r.first(1, tuple(0)) // dropped by a rule
	b := r.first(1, tuple(0)) // tried again, the id as well
	if a == b {
		t.Error("a packet after a rejected one is of its session")
	}
	c := r.first(1, tuple(1)) // the id for another connection
	if c == b {
		t.Error("another tuple, the same session")
	}
	r.wantRow(1, c)
	if n := r.Expire(r.now.Add(unconfirmedLife)); n != 0 {
		t.Errorf("%d sessions forgotten too early", n)
	}
	if n := r.Expire(r.now.Add(unconfirmedLife + time.Second)); n != 1 || r.Len() != 0 {
		t.Errorf("%d sessions forgotten, %d left, want 1 and 0", n, r.Len())
	}
}

func TestConfirmedSessionsDoNotExpire(t *testing.T) {
	r := newRig(t, 10)
	r.open(1, tuple(0))
	if r.Expire(r.now.Add(time.Hour)) != 0 || r.Len() != 1 {
		t.Error("a confirmed session expired")
	}
}

func TestCollision(t *testing.T) {
	r := newRig(t, 10)
	a := r.open(1, tuple(0))
	b := r.open(1, tuple(1))
	if a == b {
		t.Fatal("two connections are one session")
	}
	r.wantRow(1, 0)
	for n, want := range map[uint16]int64{0: a, 1: b} {
		if got := r.later(1, tuple(n)); got != want {
			t.Errorf("packet of tuple %d is of session %d, want %d", n, got, want)
		}
		r.wantRow(1, 0)
	}
	if err := r.Reconcile(r.now, nil, nil); err != nil {
		t.Fatal(err)
	}
	if r.rows.renewed[1] != 0 {
		t.Error("an ambiguous row was renewed")
	}
	r.kernel.destroy(flow(1, tuple(0)))
	r.kernel.deliver(1)
	r.wantRow(1, b)
	if !r.rows.whole[1] {
		t.Error("the row of the connection that stays was not written whole")
	}
	r.kernel.destroy(flow(1, tuple(1)))
	r.kernel.deliver(1)
	r.wantRow(1, 0)
	if r.Len() != 0 || r.Stats().Collisions != 1 {
		t.Errorf("stats %+v", r.Stats())
	}
}

func TestAnswersAfterNAT(t *testing.T) {
	r := newRig(t, 10)
	f := flow(1, tuple(0))
	f.Reply = conntrack.NewTuple(17, netip.MustParseAddrPort("203.0.113.9:8443"), netip.MustParseAddrPort("198.51.100.1:40000"))
	a := r.first(1, tuple(0))
	r.kernel.confirm(f) // NEW is unread when the answer comes
	if dir := r.direction(1, f.Reply); dir != classifier.Reply {
		t.Errorf("the answer is taken for %s", dir)
	}
	if dir := r.direction(1, f.Orig); dir != classifier.Original {
		t.Errorf("the request is taken for %s", dir)
	}
	r.wantRow(1, a)
}

func TestConnectionsFromBefore(t *testing.T) {
	r := newRig(t, 10)
	f := flow(7, tuple(0))
	r.kernel.confirm(f)
	r.kernel.lose()
	if dir := r.direction(7, f.Reply); dir != classifier.Reply {
		t.Errorf("the answer is taken for %s", dir)
	}
	if r.later(8, tuple(1)) != 0 {
		t.Error("a packet that the kernel does not know has a session")
	}
	if s := r.Stats(); s.Unknown != 1 || s.Created != 1 {
		t.Errorf("stats %+v", s)
	}
}

// The connection ends while the kernel is asked about it.
func TestEndDuringLookup(t *testing.T) {
	r := newRig(t, 10)
	f := flow(7, tuple(0))
	r.kernel.confirm(f)
	r.kernel.lose()
	r.kernel.duringLookup = func() {
		r.kernel.destroy(f)
		r.kernel.deliver(1)
	}
	if r.later(7, tuple(0)) != 0 || r.Len() != 0 {
		t.Error("a dead connection became a session")
	}
}

func TestRowOfUninspectedConnectionGoes(t *testing.T) {
	r := newRig(t, 10)
	r.rows.rows[9] = -1 // somebody else's
	r.kernel.confirm(flow(9, tuple(0)))
	r.kernel.destroy(flow(9, tuple(0)))
	r.kernel.deliver(2)
	r.wantRow(9, 0)
}

// A DESTROY of an earlier owner that was never inspected comes late.
func TestLateDestroyOfUnknownAncestor(t *testing.T) {
	r := newRig(t, 10)
	a := r.first(1, tuple(0))
	r.kernel.pending = append(r.kernel.pending, conntrack.Event{Kind: conntrack.Destroy, Flow: flow(1, tuple(0))})
	r.kernel.deliver(1)
	r.wantRow(1, a)
	if r.Len() != 1 {
		t.Error("a DESTROY before NEW ended the session")
	}
}

func TestLoss(t *testing.T) {
	r := newRig(t, 10)
	skipped := r.open(3, tuple(3)) // left out by the dump
	r.kernel.hidden[place{tuple(3), 0}] = true
	gone := r.open(2, tuple(2))     // DESTROY lost
	replaced := r.open(5, tuple(5)) // DESTROY lost, the tuple lives again uninspected
	waiting := r.first(4, tuple(4)) // in the queue
	unheard := r.first(1, tuple(1)) // NEW lost
	r.kernel.confirm(flow(1, tuple(1)))
	r.kernel.destroy(flow(2, tuple(2)))
	r.kernel.destroy(flow(5, tuple(5)))
	r.kernel.confirm(flow(6, tuple(5)))
	r.kernel.lose()

	if err := r.Reconcile(r.now, nil, nil); err != nil {
		t.Fatal(err)
	}
	r.wantRow(1, unheard)
	r.wantRow(2, 0)
	r.wantRow(3, skipped)
	r.wantRow(4, waiting)
	r.wantRow(5, 0)
	if got := r.Find(1); len(got) != 1 || !got[0].confirmed {
		t.Error("a connection whose NEW was lost is not confirmed")
	}
	if got := r.Find(4); len(got) != 1 || got[0].confirmed {
		t.Error("an unconfirmed session was touched")
	}
	if s := r.Stats(); s.Missed != 2 || s.Sessions != 3 {
		t.Errorf("stats %+v (gone %d, replaced %d)", s, gone, replaced)
	}
	if r.rows.renewed[1] != 1 || r.rows.renewed[4] != 0 {
		t.Errorf("renewed %v", r.rows.renewed)
	}
}

// The end of a connection was lost, and its tuple is used again at once.
func TestLossAndReuseOfTheTuple(t *testing.T) {
	r := newRig(t, 10)
	old := r.open(1, tuple(0))
	r.kernel.destroy(flow(1, tuple(0)))
	r.kernel.lose()
	r.Lost()
	renewed := r.first(2, tuple(0))
	if renewed == old {
		t.Error("a new connection is taken for the old one")
	}
	r.wantRow(1, 0)
	r.wantRow(2, renewed)
	r.kernel.confirm(flow(2, tuple(0)))
	r.kernel.deliver(1)
	// One that lives is joined as ever.
	if n := r.first(3, tuple(0)); n != renewed {
		t.Errorf("a late datagram is of session %d, want %d", n, renewed)
	}
	if err := r.Reconcile(r.now, nil, nil); err != nil || r.suspect() {
		t.Errorf("still in doubt after Reconcile: %v", err)
	}
}

func TestRowsFromBefore(t *testing.T) {
	r := newRig(t, 10)
	for id, tu := range map[uint32]conntrack.Tuple{1: tuple(1), 2: tuple(2)} {
		r.kernel.confirm(flow(id, tu))
	}
	r.kernel.lose()
	// 1 is the row's connection; 2 has become another one's; 3 is gone.
	found := map[uint32]struct{}{1: {}, 2: {}, 3: {}}
	for id := range found {
		r.rows.rows[id] = -int64(id)
	}
	err := r.Reconcile(r.now, found, func(f *conntrack.Flow) (bool, Says) { return f.ID == 1, Says{} })
	if err != nil {
		t.Fatal(err)
	}
	r.wantRow(1, -1)
	r.wantRow(2, 0)
	r.wantRow(3, 0)
	if r.Len() != 1 || r.rows.renewed[1] != 1 {
		t.Errorf("%d sessions, renewed %v", r.Len(), r.rows.renewed)
	}
	s, _, _ := r.Resolve(&Packet{ID: 1, Tuple: tuple(1)}, r.now)
	if s == nil || s.Class.Learned() || s.view().told != (named{}) || s.view().result.Chain != "" {
		t.Error("a session from before writes what it does not know")
	}
	if s != nil {
		s.Unlock()
	}
}

func TestZones(t *testing.T) {
	r := newRig(t, 10)
	inZone := func(id uint32, zone uint16) conntrack.Flow {
		f := flow(id, tuple(0))
		f.Zone = zone
		return f
	}
	a := r.first(1, tuple(0))
	r.kernel.confirm(inZone(1, 5))
	r.kernel.deliver(1)
	b := r.first(2, tuple(0))
	if a == b {
		t.Fatal("equal tuples of two zones are one session")
	}
	r.kernel.confirm(inZone(2, 6))
	r.kernel.deliver(1)
	if r.later(1, tuple(0)) != a || r.later(2, tuple(0)) != b {
		t.Error("sessions of two zones are mixed up")
	}
	r.kernel.destroy(inZone(1, 5))
	r.kernel.deliver(1)
	r.wantRow(1, 0)
	r.wantRow(2, b)
	// One from before in a zone that is known to be in use.
	r.kernel.confirm(inZone(3, 6))
	r.kernel.lose()
}

func TestFull(t *testing.T) {
	r := newRig(t, 2)
	r.open(1, tuple(1))
	r.open(2, tuple(2))
	if r.first(3, tuple(3)) != 0 || r.Stats().Full != 1 {
		t.Errorf("a session over the limit: %+v", r.Stats())
	}
	r.kernel.destroy(flow(1, tuple(1)))
	r.kernel.deliver(1)
	if r.first(3, tuple(3)) == 0 {
		t.Error("no place after one was given free")
	}
}

// Packets that are rejected, one after the other, keep nobody out.
func TestUnconfirmedMakeRoom(t *testing.T) {
	r := newRig(t, 3)
	old := r.open(1, tuple(1))
	for n := range uint16(5) {
		r.now = r.now.Add(time.Millisecond)
		r.first(uint32(10+n), tuple(10+n))
	}
	r.now = r.now.Add(time.Millisecond)
	fresh := r.open(2, tuple(2))
	if fresh == 0 || r.later(2, tuple(2)) != fresh || r.later(1, tuple(1)) != old {
		t.Errorf("a connection found no place: %+v", r.Stats())
	}
	if got := r.Stats(); r.Len() != 3 || got.Full != 0 || got.Displaced != 4 {
		t.Errorf("stats %+v", got)
	}
	r.wantRow(10, 0)
	// One that was displaced and lives is known again.
	r.kernel.confirm(flow(14, tuple(14)))
	r.kernel.deliver(1)
	if r.later(14, tuple(14)) == 0 {
		t.Error("a living connection stays unknown")
	}
}

// Messages that never end are kept for a time, and up to a bound in all.
func TestHalfMessages(t *testing.T) {
	r := newRig(t, 100)
	c := classifier.New(classifier.Options{})
	half := make([]byte, 1000) // of a ClientHello of 16 KiB, in one long extension
	copy(half, []byte{22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3})
	copy(half[44:], []byte{0, 2, 0x13, 1, 1, 0, 0x3f, 0xd0, 0x12, 0x34, 0x3f, 0xcc})
	send := func(n uint16) (*Session, bool) {
		tcp := tuple(n)
		tcp.Proto = classifier.ProtoTCP
		s, _, _ := r.Resolve(&Packet{ID: uint32(n), Tuple: tcp, First: true}, r.now)
		defer s.Unlock()
		c.Begin(&s.Class, s.Endpoints(), r.now)
		c.Inspect(&s.Class, &classifier.Packet{Proto: tcp.Proto, Payload: half}, classifier.Original, r.now)
		return s, r.Hold(s, r.now)
	}
	first, gaveUp := send(1)
	held := r.Stats().Held
	if gaveUp || held < 1000 {
		t.Fatalf("given up: %v; %d bytes are held", gaveUp, held)
	}
	r.Table.holding.limit = 2 * held
	second, _ := send(2)
	if s, gaveUp := send(3); !gaveUp || !s.Finished || r.Stats().Held != 2*held {
		t.Errorf("over the bound: %+v", r.Stats())
	}
	r.kernel.confirm(flow(2, second.orig))
	r.kernel.deliver(1)
	r.rows.Delete(2)
	var final []*Session
	r.Table.final = func(s *Session) { final = append(final, s) }
	r.Expire(r.now.Add(heldLife + time.Second))
	if got := r.Stats(); got.Held != 0 || !first.Finished || !slices.Equal(final, []*Session{first, second}) {
		t.Errorf("after a time: %+v, %v", got, final)
	}
	r.wantRow(2, second.serial)
	if _, gaveUp := send(4); gaveUp || r.Stats().Held != held {
		t.Errorf("afterwards: %+v", r.Stats())
	}
}

func TestTooManyIDs(t *testing.T) {
	r := newRig(t, 10)
	for id := range uint32(10 * maxIDs) {
		r.first(id, tuple(0))
	}
	if r.Len() > 1 {
		t.Errorf("%d sessions of one tuple", r.Len())
	}
	for _, s := range r.All() {
		if n := len(s.others()); n > maxIDs {
			t.Errorf("%d ids", n)
		}
	}
}

// A session fills a size that the allocator has.
func TestSessionSize(t *testing.T) {
	if n := unsafe.Sizeof(Session{}); n > 256 {
		t.Errorf("a session takes %d bytes, want at most 256", n)
	}
}
