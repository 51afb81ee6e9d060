// SPDX-License-Identifier: MIT

package session

import (
	"hash/maphash"
	"net/netip"

	"nftdict/classifier"
	"nftdict/classifier/country"
	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// facts are groups of cells that are written once.
type facts uint8

const (
	sentBase   facts = 1 << iota // who talks to whom
	sentClient                   // what the client's first packet told
	sentNAT                      // after address translation
	sentServer                   // what the first answer told
	sentFinal
	sentBypass
	sentGarden
	sentLeft
)

// Changes appends the cells that were not written yet and counts them as
// written. The session is locked.
func (s *Session) Changes(dst []dict.Cell) []dict.Cell {
	if s.before == nil && !s.Finished {
		s.before = &written{seed: maphash.MakeSeed()}
	}
	now := s.view()
	d := diff{cells: s.appendFacts(dst, s.sent), was: s.before}
	d.view(&now)
	if s.sent = s.facts(); s.confirmed {
		if s.told&toldOther != 0 { // what an earlier client had is deleted
			s.told = 0
		}
		s.told = s.told&^postponed | s.who.has()
	} else { // of several rows each may say something else
		s.told = s.told&^postponed | s.who.has()
	}
	if s.Finished {
		s.before = nil // changes no more
	}
	return d.cells
}

// Whole appends all cells. The session is locked.
func (s *Session) Whole(dst []dict.Cell) []dict.Cell {
	now := s.view()
	d := diff{cells: s.appendFacts(dst, 0)}
	d.view(&now)
	return d.cells
}

// Unsent forgets what was written: the next Changes are Whole.
func (s *Session) Unsent() { s.sent, s.before = 0, nil }

// Written reports whether the row says what Changes have told last. The session is locked.
func (s *Session) Written() bool { return s.sent != 0 }

// Postpone notes that somebody writes the session's changes, which nothing waits for.
// The session is locked.
func (s *Session) Postpone() { s.told |= postponed }

// Postponed reports whether changes are still to be written by who postponed them. The
// session is locked.
func (s *Session) Postponed() bool { return s.told&postponed != 0 }

// facts returns which of them are known.
func (s *Session) facts() facts {
	f := sentBase
	if s.confirmed {
		f |= sentNAT
	}
	if s.ClientHops >= 0 {
		f |= sentClient
	}
	if s.ServerHops >= 0 {
		f |= sentServer
	}
	if s.Final && !s.Doubted() {
		f |= sentFinal
	}
	if s.Finished {
		f |= sentBypass
	}
	switch s.Garden() {
	case InGarden:
		f |= sentGarden
	case LeftGarden:
		f |= sentLeft
	}
	return f
}

// appendFacts appends the cells of the facts that are known and not in sent.
func (s *Session) appendFacts(dst []dict.Cell, sent facts) []dict.Cell {
	number := func(field string, n uint32) {
		dst = append(dst, dict.Cell{Field: field, Value: dict.IntValue(int32(n))})
	}
	address := func(field string, a netip.Addr) {
		dst = append(dst, dict.Cell{Field: field, Value: dict.AddrValue(a)})
	}
	due := s.facts() &^ sent
	if due&sentBase != 0 {
		client, server := s.orig.Src(), s.orig.Dst()
		dst = append(dst, dict.Cell{Field: "session_id", Value: dict.Int64Value(s.serial)})
		number("ip_protocol", uint32(s.orig.Proto))
		number("family", uint32(s.orig.Family))
		address("client_address", client)
		address("server_address", server)
		number("client_port", uint32(s.orig.SrcPort))
		number("server_port", uint32(s.orig.DstPort))
		local, remote := client, server
		if !isLocal(client) && isLocal(server) {
			local, remote = server, client
		}
		address("local_address", local)
		address("remote_address", remote)
		inCountry := func(field string, c country.Code) {
			if c != 0 {
				dst = append(dst, dict.Cell{Field: field, Value: dict.MustString(c.String())})
			}
		}
		inCountry("client_country", s.ClientCountry)
		inCountry("server_country", s.ServerCountry)
		dst = s.NameCells(dst)
		if s.reopened && !s.Finished { // wanted, however many packets the entry has had
			dst = append(dst, dict.Cell{Field: "bypass_packetd", Value: dict.BoolValue(false)})
		}
	}
	if due&sentBase != 0 || s.told&toldOther != 0 {
		dst = s.appendClient(dst)
	}
	if due&sentClient != 0 {
		number("client_interface_id", s.ClientIf)
		number("client_hops", uint32(s.ClientHops))
	}
	if due&sentNAT != 0 {
		address("client_address_new", s.reply.Dst())
		address("server_address_new", s.reply.Src())
		number("client_port_new", uint32(s.reply.DstPort))
		number("server_port_new", uint32(s.reply.SrcPort))
	}
	if due&sentServer != 0 {
		number("server_interface_id", s.ServerIf)
		number("server_hops", uint32(s.ServerHops))
	}
	if due&(sentGarden|sentLeft) != 0 {
		dst = append(dst, dict.Cell{Field: "walled_garden", Value: dict.BoolValue(due&sentGarden != 0)})
	}
	if due&sentFinal != 0 {
		dst = append(dst, dict.Cell{Field: "final", Value: dict.BoolValue(true)})
	}
	if due&sentBypass != 0 {
		dst = append(dst, dict.Cell{Field: "bypass_packetd", Value: dict.BoolValue(true)})
	}
	return dst
}

// isLocal reports whether an address is of a kind that sites use inside.
func isLocal(a netip.Addr) bool { return a.IsPrivate() || a.IsLinkLocalUnicast() }

// Hops returns the distance that a hop limit tells: senders start from 64, 128
// or 255, old ones from 32.
func Hops(limit uint8) int16 {
	for _, start := range [...]int16{32, 64, 128, 255} {
		if h := int16(limit); h <= start {
			return start - h
		}
	}
	return 0
}

func endpoints(t *conntrack.Tuple) classifier.Endpoints {
	return classifier.Endpoints{
		Proto:  t.Proto,
		Client: netip.AddrPortFrom(t.Src(), t.SrcPort),
		Server: netip.AddrPortFrom(t.Dst(), t.DstPort),
	}
}
