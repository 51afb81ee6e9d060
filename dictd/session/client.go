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

// client is an address that opens connections: who that is, and the sessions
// that there are. Under Table.admin.
type client struct {
	who      *Client
	sessions []*Session
}

// Identify says who opens connections from an address, nil if that is not known
// any more. The rows of its sessions say so when it returns. It must be called by
// one goroutine at a time.
func (t *Table) Identify(addr netip.Addr, who *Client) {
	t.admin.Lock()
	c := t.client(addr)
	c.who = who
	all := slices.Clone(c.sessions)
	t.dropClient(addr, c)
	t.admin.Unlock()
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
		if s.dead || s.who == who {
			s.mu.Unlock()
			continue
		}
		s.who = who
		s.told |= toldOther
		if !s.confirmed || !s.Writable() {
			s.mu.Unlock()
			continue
		}
		batch = append(batch, s)
	}
	tell()
}

// tellBatch is how many sessions are told of a client at once: as long as that
// takes, their packets wait.
const tellBatch = 128

// client returns the entry of an address, which it makes if need be; admin is
// held.
func (t *Table) client(addr netip.Addr) *client {
	c := t.clients[addr]
	if c == nil {
		c = new(client)
		t.clients[addr] = c
	}
	return c
}

// dropClient forgets an entry that says nothing; admin is held.
func (t *Table) dropClient(addr netip.Addr, c *client) {
	if c.who == nil && len(c.sessions) == 0 {
		delete(t.clients, addr)
	}
}

// link puts a new session among its client's; admin is held.
func (t *Table) link(s *Session) {
	c := t.client(s.orig.Src())
	s.who, s.place = c.who, uint32(len(c.sessions))
	c.sessions = append(c.sessions, s)
}

// unlink takes a session from among its client's; admin is held.
func (t *Table) unlink(s *Session) {
	addr := s.orig.Src()
	c := t.clients[addr]
	if c == nil || int(s.place) >= len(c.sessions) || c.sessions[s.place] != s {
		return // it was taken before
	}
	last := len(c.sessions) - 1
	c.sessions[s.place] = c.sessions[last]
	c.sessions[s.place].place = s.place
	c.sessions[last] = nil
	if c.sessions = c.sessions[:last]; cap(c.sessions) > 64 && last < cap(c.sessions)/4 {
		c.sessions = slices.Clone(c.sessions) // gives room back
	}
	t.dropClient(addr, c)
}

// Gone appends the fields of the client that the row may have, and that are not
// known any more: they have to be deleted before Changes are written. The session
// is locked. Where an earlier daemon wrote the row, it may say anything of a
// client that is known.
func (s *Session) Gone(dst []string) []string {
	if s.told&toldOther == 0 {
		return dst
	}
	s.who.each(func(field, value string, bit told) {
		if value == "" && (s.told&bit != 0 || s.claimed && s.who != nil) {
			dst = append(dst, field)
		}
	})
	return dst
}

// ClientChanges appends the cells of the client and counts them as written; all
// that are not written if the row is not. The session is locked.
func (s *Session) ClientChanges(dst []dict.Cell) []dict.Cell {
	if s.sent&sentBase == 0 {
		return s.Changes(dst)
	}
	s.told = s.who.has()
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
