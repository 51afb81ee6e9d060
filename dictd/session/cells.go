// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"strings"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// facts are groups of cells that are written once.
type facts uint8

const (
	sentBase   facts = 1 << iota // who talks to whom
	sentNAT                      // after address translation
	sentServer                   // what the first answer told
	sentFinal
	sentBypass
)

// view is what the classifier's result is to the dictionary.
type view struct {
	application, chain, detail, category  string
	applicationInferred, categoryInferred string
	sni, hint                             string
	confidence, confidenceInferred        int
	rating, ratingInferred                classifier.Rating
}

func viewOf(r *classifier.Result) view {
	v := view{
		application: r.Application, category: r.Category, confidence: r.Confidence,
		rating: r.Rating(), chain: r.Chain, detail: r.Detail, sni: r.SNI, hint: r.Hint,
	}
	if r.Inferred {
		// No packet has named it: that is what the fields *_inferred are for.
		v.applicationInferred, v.categoryInferred, v.confidenceInferred = r.Application, r.Category, r.Confidence
		v.ratingInferred = v.rating
		v.application, v.category, v.confidence = strings.ToUpper(r.Protocol), "", 0
		v.rating = classifier.RateApplication(v.application, "")
		v.chain = strings.TrimSuffix(v.chain, "/"+r.Application)
	}
	return v
}

// view returns what the classifier knows. Of a session whose beginning an
// earlier daemon saw, the row knows more, unless packets name it again.
func (s *Session) view() view {
	if s.claimed && !s.Class.Learned() {
		return view{}
	}
	r := s.Class.Result()
	return viewOf(&r)
}

// Changes appends the cells that were not written yet and counts them as
// written. The session is locked.
func (s *Session) Changes(dst []dict.Cell) []dict.Cell {
	now := s.view()
	var before view
	if s.before != nil {
		before = *s.before
	}
	dst = s.appendFacts(dst, s.sent)
	dst = appendView(dst, &before, &now)
	s.sent = s.facts()
	if s.Finished {
		s.before = nil // changes no more
	} else {
		s.before = &now
	}
	return dst
}

// Whole appends all cells. The session is locked.
func (s *Session) Whole(dst []dict.Cell) []dict.Cell {
	now := s.view()
	return appendView(s.appendFacts(dst, 0), new(view), &now)
}

// Unsent forgets what was written: the next Changes are Whole.
func (s *Session) Unsent() { s.sent, s.before = 0, nil }

// facts returns which of them are known.
func (s *Session) facts() facts {
	f := sentBase
	if s.confirmed {
		f |= sentNAT
	}
	if s.ServerHops >= 0 {
		f |= sentServer
	}
	if s.Final {
		f |= sentFinal
	}
	if s.Finished {
		f |= sentBypass
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
		number("client_interface_id", s.ClientIf)
		local, remote := client, server
		if !isLocal(client) && isLocal(server) {
			local, remote = server, client
		}
		address("local_address", local)
		address("remote_address", remote)
		if s.ClientHops >= 0 {
			number("client_hops", uint32(s.ClientHops))
		}
		if s.reopened && !s.Finished { // wanted, however many packets the entry has had
			dst = append(dst, dict.Cell{Field: "bypass_packetd", Value: dict.BoolValue(false)})
		}
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
	if due&sentFinal != 0 {
		dst = append(dst, dict.Cell{Field: "final", Value: dict.BoolValue(true)})
	}
	if due&sentBypass != 0 {
		dst = append(dst, dict.Cell{Field: "bypass_packetd", Value: dict.BoolValue(true)})
	}
	return dst
}

// appendView appends the cells in which now differs. What is no longer known
// keeps its cell.
func appendView(dst []dict.Cell, before, now *view) []dict.Cell {
	text := func(field, before, now string) {
		if now == before || now == "" {
			return
		}
		// A string that is no value of a dictionary is evidence only.
		if v, err := dict.StringValue(now); err == nil {
			dst = append(dst, dict.Cell{Field: field, Value: v})
		}
	}
	number := func(field string, before, now int) {
		if now != before {
			dst = append(dst, dict.Cell{Field: field, Value: dict.IntValue(int32(now))})
		}
	}
	text("application", before.application, now.application)
	text("application_protochain", before.chain, now.chain)
	text("application_detail", before.detail, now.detail)
	text("application_category", before.category, now.category)
	if now.application != "" {
		number("application_confidence", before.confidence, now.confidence)
		number("application_productivity", int(before.rating.Productivity), int(now.rating.Productivity))
		number("application_risk", int(before.rating.Risk), int(now.rating.Risk))
	}
	text("application_inferred", before.applicationInferred, now.applicationInferred)
	text("application_category_inferred", before.categoryInferred, now.categoryInferred)
	if now.applicationInferred != "" {
		number("application_confidence_inferred", before.confidenceInferred, now.confidenceInferred)
		number("application_productivity_inferred", int(before.ratingInferred.Productivity), int(now.ratingInferred.Productivity))
		number("application_risk_inferred", int(before.ratingInferred.Risk), int(now.ratingInferred.Risk))
	}
	text("ssl_sni", before.sni, now.sni)
	text("server_dns_hint", before.hint, now.hint)
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
