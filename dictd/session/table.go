// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"nftdict/dictd/conntrack"
)

// Kernel is what the table asks conntrack.
type Kernel interface {
	// Drain handles all events sent so far.
	Drain() error
	// Lookup returns the confirmed connection of a packet's tuple, or an error.
	Lookup(conntrack.Tuple, uint16) (conntrack.Flow, error)
	// Dump calls f for all confirmed connections.
	Dump(f func(*conntrack.Flow)) error
}

// Rows is what the table does to the dictionary. The methods must not call the
// table; errors are theirs.
type Rows interface {
	// Delete deletes the row of an id, if there is one.
	Delete(id uint32)
	// Write writes the locked session's row under its id, for good if it is
	// confirmed: all cells if whole, else those that have changed.
	Write(s *Session, whole bool)
	// Settle writes that no more packets of a locked session are wanted, which is
	// confirmed and may write its row, before it returns.
	Settle(s *Session)
	// Wanted reports whether the row of an id asks for more packets, or cannot be read.
	Wanted(id uint32) bool
	// Tell writes who the client is of locked sessions, which are confirmed and
	// may write their rows.
	Tell([]*Session)
	// Name writes the names of a locked session's addresses, which may write its row.
	Name(*Session)
	// Renew renews the rows of ids that have one.
	Renew(ids []uint32)
}

// Provisional is how long the row of an unconfirmed connection lives.
const Provisional = 10 * time.Second

// unconfirmedLife is how long a session that is not confirmed is remembered.
const unconfirmedLife = 30 * time.Second

// Table holds the sessions. Its methods may be called by many goroutines.
type Table struct {
	kernel Kernel
	rows   Rows
	limit  int
	tied   bool
	ended  func(*Session)
	final  func(*Session)
	most   func() uint64
	fence  func() func() bool
	serial atomic.Int64

	// losses counts the times that events were lost; settled is how many of them
	// were made up for.
	losses, settled atomic.Uint64

	ids *index // read by the packet path without admin

	// admin is held while sessions come, go, or change their ids. Taken after the
	// event reader's lock and before a session's.
	admin     sync.Mutex
	tuples    map[place]*Session
	clients   map[netip.Addr]*client // of whom something is known
	waiting   queue                  // unconfirmed sessions
	zones     map[uint16]struct{}
	snapshots map[*snapshot]struct{}
	departed  map[entry]uint32 // entries that are replaced and whose end was not told yet, with the epoch
	epoch     uint32

	holding holding
	past    past
	between between
	stats   counters
}

// place is what a session is: where, and between whom.
type place struct {
	tuple conntrack.Tuple
	zone  uint16
}

// maxZones bounds the zones that are tried for packets that do not tell theirs.
const maxZones = 16

// Config of a Table.
type Config struct {
	Kernel Kernel
	Rows   Rows
	Limit  int       // most sessions
	Now    time.Time // start of the daemon: session numbers grow from it
	// Tied says that rows go with their conntrack entries by themselves.
	Tied bool
	// Ended is called with each session that ends, locked; it must not call the
	// table. May be nil.
	Ended func(*Session)
	// Final is called in the same way with each that is given up before its application
	// is settled, but by Hold.
	Final func(*Session)
	// Most returns how many packets of a connection are queued, as conntrack counts them,
	// and Fence notes which ones wait in the queues: what it returns reports whether these
	// have been handled, and is asked again. With nil Past does nothing.
	Most  func() uint64
	Fence func() func() bool
}

// New returns an empty table.
func New(c Config) *Table {
	t := &Table{
		kernel: c.Kernel, rows: c.Rows, limit: c.Limit, tied: c.Tied, ended: c.Ended, final: c.Final, most: c.Most, fence: c.Fence, ids: newIndex(),
		tuples: make(map[place]*Session), clients: make(map[netip.Addr]*client), zones: make(map[uint16]struct{}),
		snapshots: make(map[*snapshot]struct{}),
	}
	t.holding.limit = maxHeld
	// 2048 numbers a microsecond: a later start never meets them.
	t.serial.Store(c.Now.UnixMicro() << 11)
	return t
}

// Lost tells the table that events were lost. Until the next Reconcile it asks
// the kernel where it would have relied on them.
func (t *Table) Lost() { t.losses.Add(1) }

func (t *Table) suspect() bool { return t.losses.Load() != t.settled.Load() }

// Len returns how many sessions there are.
func (t *Table) Len() int {
	t.admin.Lock()
	defer t.admin.Unlock()
	return len(t.tuples)
}

// Limit returns how many sessions there may be.
func (t *Table) Limit() int { return t.limit }

// Find returns the sessions of a conntrack id, unlocked.
func (t *Table) Find(id uint32) []*Session { return t.ids.all(id) }

// Entry returns the original tuple and the zone of the one session that is known to have a
// conntrack id, false if there is none, or several.
func (t *Table) Entry(id uint32) (tuple conntrack.Tuple, zone uint16, ok bool) {
	all := t.ids.all(id)
	if len(all) != 1 || !all[0].Lock() {
		return tuple, 0, false
	}
	defer all[0].Unlock()
	return all[0].orig, all[0].zone, all[0].confirmed
}

// Lock locks a session that Find or All returned; false if it has ended.
func (s *Session) Lock() bool {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return false
	}
	return true
}

// All returns all sessions, unlocked, in no order.
func (t *Table) All() []*Session {
	t.admin.Lock()
	defer t.admin.Unlock()
	all := make([]*Session, 0, len(t.tuples))
	for _, s := range t.tuples {
		all = append(all, s)
	}
	return all
}

// create makes a session; admin is held. It returns nil if the table is full.
func (t *Table) create(p place, id uint32, now time.Time) *Session {
	if len(t.tuples) >= t.limit && !t.makeRoom(now) {
		t.stats.full.Add(1)
		return nil
	}
	s := newSession(t.serial.Add(1), p.tuple, p.zone, id, now)
	t.tuples[p] = s
	s.who = t.link(s)
	t.own(id, s)
	t.stats.created.Add(1)
	return s
}

// makeRoom forgets the oldest session that is not confirmed, if there is one:
// rejected packets, which anybody can send, must not keep others out. If that
// connection lives after all, its next packet makes it known again. admin is held,
// no session locked.
func (t *Table) makeRoom(now time.Time) bool {
	for s := t.waiting.due(now); s != nil; s = t.waiting.due(now) {
		if !s.confirmed && t.tuples[place{s.orig, s.zone}] == s {
			t.forget(s, true)
			t.stats.displaced.Add(1)
			return true
		}
	}
	return false
}

// own gives an id to a session; admin is held, no session locked. An id that
// has another owner loses its row, and its owners may write none.
func (t *Table) own(id uint32, s *Session) {
	if t.ids.add(id, s) == 1 {
		return
	}
	t.stats.collisions.Add(1)
	for _, o := range t.ids.all(id) {
		o.mu.Lock()
		o.shared = true
		o.mu.Unlock()
	}
	t.rows.Delete(id)
}

// disown takes an id from a session; admin is held, no session locked. The last
// owner of an id may write again.
func (t *Table) disown(id uint32, s *Session) {
	left := t.ids.remove(id, s)
	if len(left) != 1 {
		return
	}
	o := left[0]
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shared = t.ids.ambiguous(o.id)
	for _, id := range o.others() {
		o.shared = o.shared || t.ids.ambiguous(id)
	}
	if o.Writable() {
		t.rows.Write(o, true)
	}
}

// forget ends a session; admin is held, no session locked. With drop its row
// goes first.
func (t *Table) forget(s *Session, drop bool) {
	s.mu.Lock()
	if drop && s.Writable() {
		for _, id := range s.IDs(nil) {
			t.rows.Delete(id)
		}
	}
	if t.ended != nil {
		t.ended(s)
	}
	s.dead = true
	t.setHeld(s, 0)
	ids := s.IDs(nil)
	p := place{s.orig, s.zone}
	s.mu.Unlock()
	if t.tuples[p] == s {
		delete(t.tuples, p)
	}
	t.unlink(s)
	for _, id := range ids {
		t.disown(id, s)
	}
	t.stats.ended.Add(1)
}
