// SPDX-License-Identifier: MIT

package session

import (
	"errors"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// snapshot remembers what ended while the kernel is asked: its answer may be
// older than the event.
type snapshot struct {
	gone map[entry]struct{}
}

type entry struct {
	id    uint32
	zone  uint16
	tuple conntrack.Tuple
}

func (s *snapshot) add(f *conntrack.Flow) {
	if s.gone == nil {
		s.gone = make(map[entry]struct{})
	}
	s.gone[entry{f.ID, f.Zone, f.Orig}] = struct{}{}
}

func (s *snapshot) ended(f *conntrack.Flow) bool {
	_, ok := s.gone[entry{f.ID, f.Zone, f.Orig}]
	return ok
}

func (t *Table) beginSnapshot() *snapshot {
	s := new(snapshot)
	t.admin.Lock()
	defer t.admin.Unlock()
	t.snapshots[s] = struct{}{}
	return s
}

func (t *Table) endSnapshot(s *snapshot) {
	t.admin.Lock()
	defer t.admin.Unlock()
	delete(t.snapshots, s)
}

// renewBatch is how many rows are renewed in one call.
const renewBatch = 1000

// Claim decides what to do with a row found at start, given the living entry of
// its id. It returns whether the row is that connection's, and what it says.
type Claim func(*conntrack.Flow) (mine bool, says Says)

// Says is how far a row shows that its session had come.
type Says struct {
	client          told // which fields of a Client it has
	final, finished bool
	wanted          bool // see Session.reopened
	doubted         bool
}

// SaysOf returns what a row says.
func SaysOf(r *dict.Row) (says Says) {
	(*Client)(nil).each(func(field, _ string, bit told) {
		if _, ok := r.Get(field); ok {
			says.client |= bit
		}
	})
	bypass, seen := r.Get("bypass_packetd")
	says.finished, says.wanted = seen && bypass.Bool(), seen && !bypass.Bool()
	final, seen := r.Get("final")
	says.final, says.doubted = seen, seen && !final.Bool()
	return says
}

// Reconcile compares the table with a dump of the kernel's: it confirms and
// forgets sessions whose events were lost, and renews the rows of all living
// connections. rows, which may be nil, are ids of rows found in the dictionary
// before: those whose connection claim accepts become sessions, the rest are
// deleted.
func (t *Table) Reconcile(now time.Time, rows map[uint32]struct{}, claim Claim) error {
	snap := t.beginSnapshot()
	defer t.endSnapshot(snap)
	losses := t.losses.Load() // what is lost from now on is for the next
	t.admin.Lock()
	t.epoch++
	epoch := t.epoch
	t.forgetDeparted(epoch)
	t.admin.Unlock()

	var alive []uint32
	err := t.kernel.Dump(func(f *conntrack.Flow) {
		_, row := rows[f.ID]
		var says Says
		if row {
			row, says = claim(f)
		}
		if row {
			delete(rows, f.ID)
		}
		if t.mark(f, snap, epoch, row, says, now) {
			alive = append(alive, f.ID)
		}
	})
	if err != nil {
		return err
	}
	t.sweep(epoch)
	t.settled.Store(losses)
	t.dropRows(rows)
	for len(alive) > 0 {
		n := min(len(alive), renewBatch)
		t.rows.Renew(alive[:n])
		alive = alive[n:]
	}
	return nil
}

// mark notes that an entry was shown by a dump; claimed says that it has a row
// and becomes a session. It returns false if the entry has ended since or its id
// is ambiguous.
func (t *Table) mark(f *conntrack.Flow, snap *snapshot, epoch uint32, claimed bool, says Says, now time.Time) bool {
	t.admin.Lock()
	defer t.admin.Unlock()
	t.noteZone(f.Zone)
	if snap.ended(f) {
		return false
	}
	if claimed {
		t.claim(f, says, now)
	} else if s := t.unconfirmed(f); s != nil {
		t.confirm(s, f)
	}
	if s := t.of(f); s != nil {
		s.epoch = epoch
	}
	t.Past(f)
	return !t.ids.ambiguous(f.ID)
}

// claim makes the session of an entry that has a row from before; admin is
// held.
func (t *Table) claim(f *conntrack.Flow, says Says, now time.Time) {
	if !t.observe(f, now) {
		return
	}
	for _, s := range t.ids.all(f.ID) {
		s.mu.Lock()
		if s.claimed = s.Packets == 0; s.claimed {
			s.told, s.reopened = says.client, says.wanted
			if s.Final, s.Finished = says.final || says.finished, says.finished; s.Finished {
				s.sent = sentFinal | sentBypass
			}
			s.doubt(says.doubted)
		}
		s.mu.Unlock()
	}
}

// sweep forgets the confirmed sessions that neither the dump nor a second look
// shows.
func (t *Table) sweep(epoch uint32) {
	t.admin.Lock()
	missed := make(map[place]*Session)
	for p, s := range t.tuples {
		if s.confirmed && s.epoch != epoch {
			missed[p] = s
		}
	}
	t.admin.Unlock()
	for p, s := range missed {
		f, err := t.kernel.Lookup(p.tuple, p.zone)
		if err != nil && !errors.Is(err, conntrack.ErrNotFound) {
			continue // nothing is known
		}
		t.admin.Lock()
		if t.tuples[p] == s && !t.departing(s) && (err != nil || f.ID != s.id || f.Orig != s.orig) {
			t.forget(s, true)
			t.stats.missed.Add(1)
		}
		t.admin.Unlock()
	}
}

// dropRows deletes rows that nobody claimed.
func (t *Table) dropRows(rows map[uint32]struct{}) {
	t.admin.Lock()
	defer t.admin.Unlock()
	for id := range rows {
		if t.ids.get(id) == nil {
			t.rows.Delete(id)
		}
	}
}

// Expire gives up the messages that stay incomplete and the sessions of which no more
// packets come (Past), and forgets the unconfirmed sessions that have been silent for
// long: their packets were rejected. It returns how many it forgot.
func (t *Table) Expire(now time.Time) int {
	t.release(now)
	t.endPast(now)
	t.admin.Lock()
	defer t.admin.Unlock()
	n := 0
	for s := t.waiting.due(now.Add(-unconfirmedLife)); s != nil; s = t.waiting.due(now.Add(-unconfirmedLife)) {
		if s.confirmed || t.tuples[place{s.orig, s.zone}] != s {
			continue
		}
		t.forget(s, false)
		t.stats.expired.Add(1)
		n++
	}
	return n
}
