// SPDX-License-Identifier: MIT

package session

import "nftdict/dictd/conntrack"

// Depart tells that the kernel's entry f is about to be replaced by another of the same
// connection: its end is not the session's, and a packet that comes in between opens none.
// Arrive must follow.
func (t *Table) Depart(f *conntrack.Flow) {
	t.between.begin(f)
	t.admin.Lock()
	defer t.admin.Unlock()
	if t.departed == nil {
		t.departed = make(map[entry]uint32)
	}
	t.departed[entry{f.ID, f.Zone, f.Orig}] = t.epoch
}

// Arrive gives the session of a departed entry to the one in its place, whose row is
// written already; nil ends the session. The row of the old entry, if it has another
// id, is the caller's to delete.
func (t *Table) Arrive(was, now *conntrack.Flow) {
	if now == nil {
		t.between.cancel(was)
	}
	t.admin.Lock()
	defer t.admin.Unlock()
	// The event of its end is still to be told apart, if it has not come yet: by then its id
	// may be the session's again. But the old entry itself, which no one could replace, has
	// only one end; and of one that had ended it may have come long ago.
	if now == nil || now.ID == was.ID && now.Offloaded() {
		delete(t.departed, entry{was.ID, was.Zone, was.Orig})
	}
	s := t.of(was)
	switch {
	case s == nil:
		return
	case now == nil:
		t.forget(s, true)
		return
	}
	if now.ID != was.ID {
		t.disown(was.ID, s)
		s.mu.Lock()
		s.id = now.ID
		s.mu.Unlock()
		t.own(now.ID, s)
	}
	s.mu.Lock()
	s.reply = now.Reply
	s.shared = t.ids.ambiguous(now.ID)
	s.mu.Unlock()
}

// of returns the session of a confirmed entry, nil if there is none; admin is held.
func (t *Table) of(f *conntrack.Flow) *Session {
	for _, s := range t.ids.all(f.ID) {
		if s.confirmed && s.orig == f.Orig && s.zone == f.Zone {
			return s
		}
	}
	return nil
}

// departing reports whether a session's entry is being replaced; admin is held.
func (t *Table) departing(s *Session) bool {
	return t.isDeparted(entry{s.id, s.zone, s.orig})
}

// forgetDeparted forgets those whose end was not heard of; admin is held.
func (t *Table) forgetDeparted(epoch uint32) {
	for e, since := range t.departed {
		if epoch-since > 1 {
			delete(t.departed, e)
		}
	}
}

func (t *Table) isDeparted(e entry) bool {
	_, ok := t.departed[e]
	return ok
}
