// SPDX-License-Identifier: MIT

package session

import (
	"time"

	"nftdict/classifier"
	"nftdict/dictd/conntrack"
)

// Packet is what is known of a queued packet's connection.
type Packet struct {
	ID        uint32          // conntrack id
	Tuple     conntrack.Tuple // as the packet goes
	Zone      uint16          // valid if ZoneKnown
	ZoneKnown bool
	First     bool // its conntrack entry is unconfirmed: this packet made it
}

// Resolve returns the session of a packet, locked, and the packet's direction.
// fresh says that there is no row under the packet's id yet: it is of a First
// packet, which is the only one that may write under it before it is confirmed.
// It returns nil for a packet that cannot be told, or whose session finds no place.
func (t *Table) Resolve(p *Packet, now time.Time) (s *Session, dir classifier.Dir, fresh bool) {
	if p.First {
		return t.resolveFirst(p, now), classifier.Original, true
	}
	if s := t.ids.get(p.ID); s != nil {
		if dir, ok := lockIfOf(s, &p.Tuple); ok {
			if s.confirmed {
				return s, dir, false
			}
			s.Unlock() // it is confirmed, and that event unread
		}
	}
	return t.resolveStray(p, now)
}

// lockIfOf locks a session if a packet of tuple t is its own.
func lockIfOf(s *Session, t *conntrack.Tuple) (classifier.Dir, bool) {
	s.mu.Lock()
	if dir, ok := s.direction(t); ok && !s.dead {
		return dir, true
	}
	s.mu.Unlock()
	return 0, false
}

// resolveFirst finds or makes the session of a packet whose entry is
// unconfirmed.
func (t *Table) resolveFirst(p *Packet, now time.Time) *Session {
	at := place{p.Tuple, p.Zone}
	t.admin.Lock()
	if t.tuples[at] != nil || t.ids.get(p.ID) != nil {
		// Somebody known, dead or alive: the events sent so far tell.
		t.admin.Unlock()
		t.stats.drains.Add(1)
		if t.kernel.Drain() != nil {
			return nil
		}
		if t.suspect() {
			t.verify(at)
		}
		t.admin.Lock()
	}
	defer t.admin.Unlock()

	for _, o := range t.ids.all(p.ID) {
		// Of two entries with one id and one tuple at most the later one lives.
		if o.orig == p.Tuple && (o.zone == p.Zone || !p.ZoneKnown) || !o.confirmed {
			t.forget(o, true)
			t.stats.replaced.Add(1)
		}
	}
	if o := t.tuples[at]; o != nil && (p.ZoneKnown || len(t.zones) == 0) {
		if s := t.join(o, p.ID); s != nil {
			return s
		}
	} else if o != nil {
		// The packet may be of another zone and does not say so. A zone's session
		// is kept under its zone once it is confirmed.
		t.forget(o, false)
	}
	s := t.create(at, p.ID, now)
	if s == nil {
		return nil
	}
	t.waiting.push(s, now)
	s.mu.Lock()
	return s
}

// verify forgets the confirmed session of a place if the kernel does not know
// it any more: the event of its end may be among those that were lost.
func (t *Table) verify(at place) {
	t.admin.Lock()
	s := t.tuples[at]
	doubtful := s != nil && s.confirmed
	t.admin.Unlock()
	if !doubtful {
		return
	}
	t.stats.lookups.Add(1)
	f, err := t.kernel.Lookup(at.tuple, at.zone)
	t.admin.Lock()
	defer t.admin.Unlock()
	if t.tuples[at] == s && (err != nil || f.ID != s.id || f.Orig != s.orig) {
		t.forget(s, true)
		t.stats.missed.Add(1)
	}
}

// join takes one more id of an unconfirmed entry into a session, and returns
// the session locked; nil if it has enough. A confirmed session does not keep
// the id: this entry will not be confirmed beside it.
func (t *Table) join(s *Session, id uint32) *Session {
	if !s.confirmed {
		s.mu.Lock()
		full := len(s.others()) >= maxIDs
		s.mu.Unlock()
		if full {
			t.forget(s, false)
			return nil
		}
		t.own(id, s)
		s.mu.Lock()
		s.setOthers(append(s.others(), id))
		return s
	}
	s.mu.Lock()
	return s
}

// resolveStray finds the session of a packet of a confirmed entry that is not
// known as such by its id and tuple: the NEW event was not read, the id is that
// of two connections, or it is not known at all.
func (t *Table) resolveStray(p *Packet, now time.Time) (*Session, classifier.Dir, bool) {
	if s, dir, ok := t.find(p, true); ok {
		return s, dir, false
	}
	t.stats.drains.Add(1)
	if t.kernel.Drain() != nil {
		return nil, 0, false
	}
	if s, dir, ok := t.find(p, true); ok {
		return s, dir, false
	}
	t.stats.lookups.Add(1)
	t.adopt(p, now)
	s, dir, ok := t.find(p, false)
	if !ok {
		t.stats.unknown.Add(1)
	}
	return s, dir, false
}

// find returns, locked, the session of a packet by all that is known here.
func (t *Table) find(p *Packet, confirmed bool) (*Session, classifier.Dir, bool) {
	for _, s := range t.ids.all(p.ID) {
		if dir, ok := lockIfOf(s, &p.Tuple); ok {
			if s.confirmed || !confirmed {
				return s, dir, true
			}
			s.Unlock()
		}
	}
	return nil, 0, false
}

// adopt asks the kernel whose packet it is and makes the session known, if it
// can be told.
func (t *Table) adopt(p *Packet, now time.Time) {
	snap := t.beginSnapshot()
	defer t.endSnapshot(snap)
	for _, zone := range t.candidateZones(p) {
		flow, err := t.kernel.Lookup(p.Tuple, zone)
		if err != nil || flow.ID != p.ID {
			continue
		}
		t.admin.Lock()
		if !snap.ended(&flow) {
			t.observe(&flow, now)
		}
		t.admin.Unlock()
		return
	}
}

// candidateZones returns the zones a packet may be of.
func (t *Table) candidateZones(p *Packet) []uint16 {
	if p.ZoneKnown {
		return []uint16{p.Zone}
	}
	t.admin.Lock()
	defer t.admin.Unlock()
	zones := []uint16{0}
	for z := range t.zones {
		zones = append(zones, z)
	}
	return zones
}
