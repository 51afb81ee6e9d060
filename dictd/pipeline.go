// SPDX-License-Identifier: MIT

package dictd

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"nftdict/classifier"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/queue"
	"nftdict/dictd/session"
)

// pipeline is the way of a packet through the daemon: session, classifier,
// dictionary, verdict. All queues share it.
type pipeline struct {
	table      *session.Table
	record     *recorder
	classifier atomic.Pointer[classifier.Classifier]
	registers  atomic.Pointer[registers] // nil has none
	garden     atomic.Pointer[gardener]  // nil has none
	clock      func() time.Time
	// observe is told what a client says of itself, and which device sent the
	// packet that says it; may be nil.
	observe  func(client netip.Addr, mac [6]byte, agent string)
	happened *event.Log
	names    *names // nil asks for none

	malformed, truncated, untracked, finished atomic.Uint64
}

// worker is the pipeline for one queue.
type worker struct {
	*pipeline
	packet classifier.Packet
	query  session.Packet
}

// Handle decides on a packet. What it makes known is in the dictionary when it
// returns.
func (w *worker) Handle(q *queue.Packet) queue.Verdict {
	err := classifier.Decode(q.Payload, &w.packet)
	if errors.Is(err, classifier.ErrMalformed) {
		w.malformed.Add(1)
		return queue.Accept
	}
	tuple, ok := tupleOf(&w.packet, err)
	if !ok {
		w.truncated.Add(1)
		return queue.Accept
	}
	w.packet.Device = q.InDev
	w.query = session.Packet{ID: q.CtID, Tuple: tuple, Zone: q.Zone, ZoneKnown: q.ZoneKnown, First: q.First}
	if w.table.Between(&w.query) {
		return queue.Drop
	}
	now := w.clock()
	s, dir, fresh := w.table.Resolve(&w.query, now)
	if s == nil {
		w.untracked.Add(1)
		return queue.Accept
	}
	defer s.Unlock()
	return w.inspect(s, q, dir, fresh, now)
}

// inspect shows the packet to the classifier and writes what that learned. The
// session is locked.
func (w *worker) inspect(s *session.Session, q *queue.Packet, dir classifier.Dir, fresh bool, now time.Time) queue.Verdict {
	changed, later := fresh, false
	switch opening := opens(&w.packet); {
	case opening == classifier.FlagSYN && dir == classifier.Original:
		doubted := s.Doubted()
		if w.table.Asks(s, w.packet.Seq, now); s.Doubted() && !doubted && s.Final {
			w.record.Doubt(s)
		}
	case opening == classifier.FlagSYN|classifier.FlagACK && dir == classifier.Reply && s.Doubted():
		w.table.Answers(s, q.InDev, now)
	}
	if s.Packets++; s.Packets == 1 {
		w.classifier.Load().Begin(&s.Class, s.Endpoints(), now)
		s.ClientCountry, s.ServerCountry = w.registers.Load().countriesOf(s)
		w.names.name(w.table, s, q.InDev == 0)
		w.garden.Load().enter(s, now)
		changed = true
	}
	switch {
	case dir == classifier.Original && s.ClientHops < 0:
		s.ClientIf, s.ClientHops = q.InDev, session.Hops(w.packet.Hops)
		changed = true
	case dir == classifier.Reply && s.ServerHops < 0:
		s.ServerIf, s.ServerHops = q.InDev, session.Hops(w.packet.Hops)
		later = true
	}
	if !s.Finished {
		changed = w.classify(s, q.MAC, dir, now) || changed
		w.garden.Load().look(s)
	}
	switch {
	case changed, (later || s.Postponed()) && len(w.packet.Payload) > 0, unwritten(s):
		w.record.Packet(s, q.CtID, fresh)
	case later:
		w.record.Later(s)
	}
	if s.Finished && !s.Doubted() && !unwritten(s) {
		return queue.Finish
	}
	return queue.Accept
}

// writeTries is with how many packets of a session its row is tried to be written, if the
// store refuses it: a table that is full may not be for long, and without the row no rule
// knows the session.
const writeTries = 32

// unwritten reports whether the row of a locked session is to be written once more.
func unwritten(s *session.Session) bool {
	return !s.Written() && s.Writable() && s.Packets < writeTries
}

// opens returns SYN for a packet that asks for a TCP connection, SYN and ACK for one
// that takes it up.
func opens(p *classifier.Packet) uint8 {
	const all = classifier.FlagFIN | classifier.FlagSYN | classifier.FlagRST | classifier.FlagACK
	if p.Proto != classifier.ProtoTCP || p.TCPFlags&classifier.FlagSYN == 0 {
		return 0
	}
	return p.TCPFlags & all
}

// classify returns whether the result changed, which it may do after it is final,
// too: a certificate follows its hello. A panic ends the inspection of
// the session and goes on to the queue, which counts it.
func (w *worker) classify(s *session.Session, mac [6]byte, dir classifier.Dir, now time.Time) bool {
	before, final, said := s.Class.Version(), s.Final, s.Final || s.Class.Said()
	s.Finished = true // unless all goes well
	w.packet.Between(s.Endpoints(), dir)
	state := w.classifier.Load().Inspect(&s.Class, &w.packet, dir, now)
	if s.Finished = w.table.Hold(s, now) || state == classifier.Done; s.Finished {
		w.finished.Add(1)
	}
	s.Final = s.Finished || state >= classifier.Final
	if !said && (s.Final || s.Class.Said()) && dir == classifier.Original && w.observe != nil {
		w.tell(s, mac)
	}
	if s.Final && !final {
		sessionEvent(w.happened, event.SessionFinal, s)
	}
	return s.Finished || s.Final != final || s.Class.Version() != before
}

// tell tells what a session whose application is settled by a packet of its
// client says of that: the user agent.
func (w *worker) tell(s *session.Session, mac [6]byte) {
	if agent := s.Class.Result().UserAgent; agent != "" {
		orig := s.Orig()
		w.observe(orig.Src(), mac, agent)
	}
}

// tupleOf returns the tuple that conntrack has for a decoded packet, false if
// the packet does not hold it.
func tupleOf(p *classifier.Packet, err error) (conntrack.Tuple, bool) {
	src, dst := p.SrcPort, p.DstPort
	switch p.Proto {
	case classifier.ProtoTCP, classifier.ProtoUDP:
		if p.Fragment || err != nil && p.Payload == nil {
			return conntrack.Tuple{}, false
		}
	case classifier.ProtoICMP, classifier.ProtoICMPv6:
		if p.Fragment || len(p.Payload) < 2 {
			return conntrack.Tuple{}, false
		}
		src = binary.BigEndian.Uint16(p.Payload)
		dst = src
	}
	if !p.Src.IsValid() || !p.Dst.IsValid() || p.Src.Is4() != p.Dst.Is4() {
		return conntrack.Tuple{}, false
	}
	return conntrack.NewTuple(p.Proto, netip.AddrPortFrom(p.Src, src), netip.AddrPortFrom(p.Dst, dst)), true
}
