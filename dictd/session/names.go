// SPDX-License-Identifier: MIT

package session

import "nftdict/dict"

// more is what few sessions have. It does not change.
type more struct {
	ids            []uint32 // further ones while unconfirmed
	client, server string   // names that DNS has for the addresses
	garden         Garden
	doubted        bool
}

// setOthers replaces the ids beside the first. The session is locked.
func (s *Session) setOthers(ids []uint32) {
	m := s.much()
	m.ids = ids
	s.setMore(m)
}

// much returns what more there is.
func (s *Session) much() more {
	if s.more == nil {
		return more{}
	}
	return *s.more
}

func (s *Session) setMore(m more) {
	if s.more = nil; m.ids != nil || m.client != "" || m.server != "" || m.garden != Apart || m.doubted {
		s.more = &m
	}
}

// Names returns the names that DNS has for the client's and the server's address,
// "" where none is known. The session is locked.
func (s *Session) Names() (client, server string) {
	m := s.much()
	return m.client, m.server
}

// SetNames notes names that DNS has for the addresses; "" leaves one as it is. The
// session is locked.
func (s *Session) SetNames(client, server string) {
	m := s.much()
	if client != "" {
		m.client = client
	}
	if server != "" {
		m.server = server
	}
	s.setMore(m)
}

// NameCells appends the cells of the names. The session is locked.
func (s *Session) NameCells(dst []dict.Cell) []dict.Cell {
	client, server := s.Names()
	add := func(field, name string) {
		if v, err := dict.StringValue(name); err == nil && name != "" {
			dst = append(dst, dict.Cell{Field: field, Value: v})
		}
	}
	add("client_reverse_dns", client)
	add("server_reverse_dns", server)
	return dst
}

// Name notes names of a session's addresses that came to be known after its first
// packet, and has them written. "" leaves one as it is.
func (t *Table) Name(s *Session, client, server string) {
	if !s.Lock() {
		return
	}
	defer s.Unlock()
	if s.SetNames(client, server); s.Packets > 0 && s.Writable() {
		t.rows.Name(s)
	}
}
