// SPDX-License-Identifier: MIT

package session

import (
	"time"

	"nftdict/dictd/conntrack"
)

// Handle takes an event into account. The event reader calls it.
func (t *Table) Handle(e *conntrack.Event) {
	t.admin.Lock()
	defer t.admin.Unlock()
	if e.Kind == conntrack.New {
		if s := t.unconfirmed(&e.Flow); s != nil {
			t.confirm(s, &e.Flow)
		}
		t.noteZone(e.Flow.Zone)
		return
	}
	t.destroyed(&e.Flow)
}

// unconfirmed returns the unconfirmed session that a confirmed entry is, or
// nil; admin is held. The tuple alone would not do: it may be that of an entry
// which was never inspected.
func (t *Table) unconfirmed(f *conntrack.Flow) *Session {
	for _, s := range t.ids.all(f.ID) {
		if s.orig == f.Orig && !s.confirmed {
			return s
		}
	}
	return nil
}

// confirm makes an unconfirmed session the entry f, whose id it has; admin is
// held. The rows under its other ids die by themselves.
func (t *Table) confirm(s *Session, f *conntrack.Flow) {
	// Of several ids each has what was known when its packet came.
	s.mu.Lock()
	ids := s.IDs(nil)
	s.mu.Unlock()
	whole := len(ids) > 1
	for _, id := range ids {
		if id != f.ID {
			t.disown(id, s)
		}
	}
	if s.zone != f.Zone {
		t.move(s, f.Zone)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = f.ID
	s.setOthers(nil)
	s.reply = f.Reply
	s.confirmed = true
	s.shared = t.ids.ambiguous(f.ID)
	t.stats.confirmed.Add(1)
	if s.Writable() {
		t.rows.Write(s, whole)
	}
}

// move puts a session where its zone is; admin is held.
func (t *Table) move(s *Session, zone uint16) {
	if p := (place{s.orig, s.zone}); t.tuples[p] == s {
		delete(t.tuples, p)
	}
	p := place{s.orig, zone}
	if o := t.tuples[p]; o != nil {
		t.forget(o, false) // its end was not heard of
	}
	s.mu.Lock()
	s.zone = zone
	s.mu.Unlock()
	t.tuples[p] = s
}

// destroyed ends the session of an entry that the kernel has deleted; admin is
// held.
func (t *Table) destroyed(f *conntrack.Flow) {
	for snap := range t.snapshots {
		snap.add(f)
	}
	if e := (entry{f.ID, f.Zone, f.Orig}); t.isDeparted(e) {
		delete(t.departed, e)
		return
	}
	t.between.cancel(f)
	sessions := t.ids.all(f.ID)
	for _, s := range sessions {
		if s.confirmed && s.orig == f.Orig && s.zone == f.Zone {
			t.forget(s, !t.tied)
			return
		}
	}
	if len(sessions) == 0 && !t.tied {
		// Not inspected, but others may have written a row.
		t.rows.Delete(f.ID)
	}
}

// noteZone remembers that a zone is in use; admin is held.
func (t *Table) noteZone(zone uint16) {
	if zone != 0 && len(t.zones) < maxZones {
		t.zones[zone] = struct{}{}
	}
}

// observe takes a living entry into account that a dump or a lookup showed:
// its session is confirmed, or made; admin is held. It returns false if the
// table is full.
func (t *Table) observe(f *conntrack.Flow, now time.Time) bool {
	t.noteZone(f.Zone)
	if t.of(f) != nil {
		return true
	}
	if s := t.unconfirmed(f); s != nil {
		t.confirm(s, f)
		return true
	}
	p := place{f.Orig, f.Zone}
	if o := t.tuples[p]; o != nil {
		t.forget(o, true) // an earlier entry, whose end was not heard of
	}
	s := t.create(p, f.ID, now)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply, s.confirmed = f.Reply, true
	return true
}
