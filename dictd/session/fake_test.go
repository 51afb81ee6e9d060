// SPDX-License-Identifier: MIT

package session

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dictd/conntrack"
)

// kernelDouble is a conntrack table whose events arrive when the test says so.
type kernelDouble struct {
	table   *Table
	live    map[place]*conntrack.Flow
	pending []conntrack.Event
	hidden  map[place]bool // left out of dumps
	// duringLookup runs between the kernel's answer and its arrival.
	duringLookup func()
}

func (k *kernelDouble) Drain() error {
	for len(k.pending) > 0 {
		k.deliver(1)
	}
	return nil
}

// deliver lets n pending events arrive.
func (k *kernelDouble) deliver(n int) {
	for ; n > 0 && len(k.pending) > 0; n-- {
		e := k.pending[0]
		k.pending = k.pending[1:]
		k.table.Handle(&e)
	}
}

// lose drops all pending events.
func (k *kernelDouble) lose() { k.pending = nil }

func (k *kernelDouble) Lookup(t conntrack.Tuple, zone uint16) (conntrack.Flow, error) {
	for p, f := range k.live {
		if p.zone == zone && (f.Orig == t || f.Reply == t) {
			found := *f
			if k.duringLookup != nil {
				k.duringLookup()
			}
			return found, nil
		}
	}
	return conntrack.Flow{}, fmt.Errorf("double: %w", conntrack.ErrNotFound)
}

func (k *kernelDouble) Dump(f func(*conntrack.Flow)) error {
	for p, flow := range k.live {
		if !k.hidden[p] {
			f(flow)
		}
	}
	return nil
}

// confirm makes an entry; its NEW event is pending.
func (k *kernelDouble) confirm(f conntrack.Flow) {
	k.live[place{f.Orig, f.Zone}] = &f
	k.pending = append(k.pending, conntrack.Event{Kind: conntrack.New, Flow: f})
}

// destroy ends an entry; its DESTROY event is pending.
func (k *kernelDouble) destroy(f conntrack.Flow) {
	delete(k.live, place{f.Orig, f.Zone})
	k.pending = append(k.pending, conntrack.Event{Kind: conntrack.Destroy, Flow: f})
}

// rowsDouble is a dictionary that knows which session wrote a row.
type rowsDouble struct {
	rows    map[uint32]int64 // serial of the writer
	whole   map[uint32]bool  // how it was written last
	renewed map[uint32]int
	wanted  map[uint32]bool // others want their packets
	refuses bool            // to Settle
}

func (r *rowsDouble) Delete(id uint32) { delete(r.rows, id) }

func (r *rowsDouble) Write(s *Session, whole bool) {
	r.rows[s.ID()], r.whole[s.ID()] = s.Serial(), whole
}

func (r *rowsDouble) Settle(s *Session) {
	s.Changes(nil)
	if r.Write(s, false); r.refuses {
		s.Unsent()
		r.Delete(s.ID())
	}
}

func (r *rowsDouble) Wanted(id uint32) bool { return r.wanted[id] }

func (r *rowsDouble) Name(s *Session) { r.Write(s, false) }

func (r *rowsDouble) Tell(all []*Session) {
	for _, s := range all {
		r.Write(s, false)
	}
}

func (r *rowsDouble) Renew(ids []uint32) {
	for _, id := range ids {
		if _, ok := r.rows[id]; ok {
			r.renewed[id]++
		}
	}
}

// rig is a table between the doubles.
type rig struct {
	*Table
	t      testing.TB
	kernel *kernelDouble
	rows   *rowsDouble
	now    time.Time
}

func newRig(t testing.TB, limit int) *rig {
	k := &kernelDouble{live: make(map[place]*conntrack.Flow), hidden: make(map[place]bool)}
	rows := &rowsDouble{rows: make(map[uint32]int64), whole: make(map[uint32]bool), renewed: make(map[uint32]int), wanted: make(map[uint32]bool)}
	r := &rig{t: t, kernel: k, rows: rows, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	r.Table = New(Config{Kernel: k, Rows: rows, Limit: limit, Now: r.now})
	k.table = r.Table
	return r
}

// tuple returns a UDP tuple that differs by n.
func tuple(n uint16) conntrack.Tuple {
	return conntrack.NewTuple(17, netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 1000+n), netip.MustParseAddrPort("192.0.2.1:443"))
}

func flow(id uint32, t conntrack.Tuple) conntrack.Flow {
	return conntrack.Flow{ID: id, Orig: t, Reply: t.Reverse()}
}

// packet resolves a packet and writes the row, as the pipeline does; it returns
// the session's number, 0 for none.
func (r *rig) packet(p Packet) int64 {
	s, _, fresh := r.Resolve(&p, r.now)
	if s == nil {
		return 0
	}
	defer s.Unlock()
	s.Packets++
	if s.Writable() {
		if fresh {
			r.rows.rows[p.ID] = s.Serial()
		}
		if s.Confirmed() {
			r.rows.rows[s.ID()] = s.Serial()
		}
	}
	return s.Serial()
}

// first is a packet that opens an entry: the rules flush the row of its id.
func (r *rig) first(id uint32, t conntrack.Tuple) int64 {
	r.rows.Delete(id)
	return r.packet(Packet{ID: id, Tuple: t, First: true})
}

func (r *rig) later(id uint32, t conntrack.Tuple) int64 { return r.packet(Packet{ID: id, Tuple: t}) }

// open is a connection whose first packet was accepted and whose NEW was read.
func (r *rig) open(id uint32, t conntrack.Tuple) int64 {
	r.t.Helper()
	n := r.first(id, t)
	r.kernel.confirm(flow(id, t))
	r.kernel.deliver(1)
	return n
}

// wantRow checks who wrote the row of an id; 0 means that there is none.
func (r *rig) wantRow(id uint32, writer int64) {
	r.t.Helper()
	if got := r.rows.rows[id]; got != writer {
		r.t.Errorf("row %d is of session %d, want %d", id, got, writer)
	}
}

// wantNone checks that nothing is remembered of any connection.
func (r *rig) wantNone() {
	r.t.Helper()
	if r.Len() != 0 || len(r.departed) != 0 {
		r.t.Errorf("%d sessions stay, %d departed", r.Len(), len(r.departed))
	}
}

func (r *rig) direction(id uint32, t conntrack.Tuple) classifier.Dir {
	r.t.Helper()
	s, dir, _ := r.Resolve(&Packet{ID: id, Tuple: t}, r.now)
	if s == nil {
		r.t.Fatalf("packet %s of id %d has no session", t, id)
	}
	s.Unlock()
	return dir
}
