// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"slices"

	"nftdict/dict"
)

// Client is who opens connections from an address. It does not change.
type Client struct {
	Hostname string
	Username string
	Groups   string // of the user, with commas between
}

// Client returns who the client of the locked session is, as far as is known.
func (s *Session) Client() Client {
	if s.who == nil {
		return Client{}
	}
	return *s.who
}

// told says which fields of a Client a row may have.
type told uint8

// The fields, and whether they are as they were written.
const (
	toldHostname told = 1 << iota
	toldUsername
	toldGroups
	toldOther // the client is another now, and the row does not say so yet
	postponed // none of them: Session.Postponed
)

// each calls f for the fields of a Client, which may be nil.
func (c *Client) each(f func(field, value string, bit told)) {
	var all Client
	if c != nil {
		all = *c
	}
	f("client_hostname", all.Hostname, toldHostname)
	f("username", all.Username, toldUsername)
	f("usergroups", all.Groups, toldGroups)
}

// has returns the fields of a Client that are known.
func (c *Client) has() (t told) {
	c.each(func(_, value string, bit told) {
		if value != "" {
			t |= bit
		}
	})
	return t
}

// client is an address of which something is known, and its sessions. Under
// Table.admin.
type client struct {
	who      *Client
	sessions []*Session
}

// loose is the place of a session whose client is not known.
const loose = ^uint32(0)

// Identify says who opens connections from addresses, nil where that is not known
// any more. The rows of their sessions say so when it returns. It must be called
// by one goroutine at a time. Addresses that become known cost a look at all
// sessions, together.
func (t *Table) Identify(changes map[netip.Addr]*Client) {
	t.admin.Lock()
	var all []*Session
	fresh := false
	for addr, who := range changes {
		c := t.clients[addr]
		switch {
		case c != nil:
			c.who = who
			all = append(all, c.sessions...)
		case who != nil:
			t.clients[addr] = &client{who: who}
			fresh = true
		}
		if c != nil && who == nil {
			for _, s := range c.sessions {
				s.place = loose
			}
			delete(t.clients, addr)
		}
	}
	t.admin.Unlock()
	if fresh {
		all = append(all, t.linkLoose(changes)...)
	}
	t.tell(all, changes)
}

// Settle takes back what rows of an earlier daemon say of clients that it was
// about to take back itself. It is called after all that is known has been told by
// Identify, and leaves who is known.
func (t *Table) Settle(clients map[netip.Addr]struct{}) {
	var all []*Session
	t.ids.each(func(s *Session) {
		if _, ok := clients[s.orig.Src()]; ok {
			all = append(all, s)
		}
	})
	t.tellSome(all, func(s *Session) bool {
		if s.dead || !s.claimed || s.who != nil || s.told == 0 || !s.confirmed || !s.Writable() {
			return false
		}
		s.told |= toldOther
		return true
	})
}

// linkLoose puts sessions that are there already among those of their clients,
// which have become known, and returns them.
func (t *Table) linkLoose(changes map[netip.Addr]*Client) (linked []*Session) {
	t.ids.each(func(s *Session) {
		if changes[s.orig.Src()] != nil { // what is made from now on finds its client
			linked = append(linked, s)
		}
	})
	t.admin.Lock()
	defer t.admin.Unlock()
	return slices.DeleteFunc(linked, func(s *Session) bool {
		if s.place != loose || t.tuples[place{s.orig, s.zone}] != s {
			return true
		}
		t.link(s)
		return false
	})
}

// tell has sessions written that have another client now.
func (t *Table) tell(all []*Session, changes map[netip.Addr]*Client) {
	t.tellSome(all, func(s *Session) bool {
		who := changes[s.orig.Src()]
		if s.dead || s.who == who {
			return false
		}
		s.who = who
		s.told |= toldOther
		return s.confirmed && s.Writable()
	})
}

// tellSome has those sessions written of which change, which has them locked, says
// so.
func (t *Table) tellSome(all []*Session, change func(*Session) bool) {
	batch := make([]*Session, 0, tellBatch)
	tell := func() {
		if len(batch) > 0 {
			t.rows.Tell(batch)
		}
		for _, s := range batch {
			s.mu.Unlock()
		}
		batch = batch[:0]
	}
	for _, s := range all {
		// Others are not waited for while some are held: no order of locks has to be
		// kept, and nobody waits for long.
		if len(batch) == tellBatch || !s.mu.TryLock() {
			tell()
			s.mu.Lock()
		}
		if change(s) {
			batch = append(batch, s)
		} else {
			s.mu.Unlock()
		}
	}
	tell()
}

// tellBatch is how many sessions are told of a client at once: as long as that
// takes, their packets wait.
const tellBatch = 128

// link puts a session among its client's, if that is known, and returns who that
// is; admin is held.
func (t *Table) link(s *Session) *Client {
	c := t.clients[s.orig.Src()]
	if c == nil {
		return nil
	}
	s.place = uint32(len(c.sessions))
	c.sessions = append(c.sessions, s)
	return c.who
}

// unlink takes a session from among its client's; admin is held.
func (t *Table) unlink(s *Session) {
	if s.place == loose {
		return
	}
	c := t.clients[s.orig.Src()]
	last := len(c.sessions) - 1
	moved := c.sessions[last]
	c.sessions[s.place], moved.place = moved, s.place
	c.sessions[last], s.place = nil, loose
	if c.sessions = c.sessions[:last]; cap(c.sessions) > 64 && last < cap(c.sessions)/4 {
		c.sessions = slices.Clone(c.sessions) // gives room back
	}
}

// Gone appends the fields of the client that the row may have, and that are not
// known any more: they have to be deleted before Changes are written. The session
// is locked.
func (s *Session) Gone(dst []string) []string {
	if s.told&toldOther == 0 {
		return dst
	}
	s.who.each(func(field, value string, bit told) {
		if value == "" && s.told&bit != 0 {
			dst = append(dst, field)
		}
	})
	return dst
}

// ClientChanges appends the cells of the client and counts them as written; all
// that are not written if a write has failed. Of a session that no packet was seen
// of, nothing else is known: an earlier daemon may have written more. The session
// is locked.
func (s *Session) ClientChanges(dst []dict.Cell) []dict.Cell {
	if s.sent&sentBase == 0 && s.Packets > 0 {
		return s.Changes(dst)
	}
	s.told = s.told&postponed | s.who.has()
	return s.appendClient(dst)
}

// appendClient appends the cells of the client.
func (s *Session) appendClient(dst []dict.Cell) []dict.Cell {
	s.who.each(func(field, text string, _ told) {
		if text == "" {
			return
		}
		if v, err := dict.StringValue(text); err == nil {
			dst = append(dst, dict.Cell{Field: field, Value: v})
		}
	})
	return dst
}
