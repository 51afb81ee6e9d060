// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"slices"
	"strings"
)

// Session is what a Classifier keeps of one connection. The zero value is
// ready. Its size is fixed; reassembly buffers and names hang off it only while
// there is a need. A Session is used by one goroutine at a time and must not be
// copied once begun.
type Session struct {
	client    netip.Addr
	detector  *detector // of the protocol recognised
	found     *findings // nil until something is known
	work      *work     // nil unless a message is incomplete
	alive     [2]idSet  // detectors that have not said no, per direction
	memos     memos
	base      [2]uint32 // TCP sequence number of the first payload byte
	bytes     uint32    // payload seen
	version   uint32
	flags     sessionFlags
	packets   uint16
	payloads  [2]uint8 // packets with payload, per direction, up to 255
	certainty uint8    // confidence in the protocol
	place     uint8    // of detector in the list
	proto     uint8    // IP protocol number
}

// sessionFlags are the small facts of a session. Those that exist per direction
// are shifted by the direction.
type sessionFlags uint32

const (
	begun       sessionFlags = 1 << iota
	finished                 // Done
	unlimited                // not subject to MaxPackets and MaxBytes
	learned                  // packets named the application or the server
	synced                   // base is known, per direction
	syncedReply              // held by synced << Reply
	asked                    // candidates were chosen, per direction
	askedReply               // held by asked << Reply
	muted                    // nothing more to learn, per direction
	mutedReply               // held by muted << Reply
	sawSNI                   // noted once: a server name
	sawALPN                  // noted once: protocols offered
	sawECH                   // noted once: an encrypted hello
	sawSealed                // noted once: an Initial that does not open
	sawHost                  // noted once: a host
	sawAgent                 // noted once: a user agent
	mixed                    // a DNS session asked for more than one service
	answered                 // noted once: a DNS session's question that was answered
	settled                  // Final
)

// bothMuted is set when neither direction has more to tell.
const bothMuted = muted | mutedReply

// work is the part of a session that lives while a message is incomplete.
type work struct {
	streams [2]*assembler
	quic    *quicWork
	dns     *dnsWork
}

// findings is the part of a session that lives once something is known.
type findings struct {
	application *Application // of the table, nil if unknown
	label       *label       // another name for the protocol, nil: the detector's
	confidence  uint8        // in application
	inferred    bool         // application rests on hint, or on history
	detail      string
	sni         string
	alpn        string // comma-separated
	ja4         string
	ja3         string
	ja3s        string
	tls         string // version
	chosen      string // protocol the server chose
	certificate *Certificate
	host        string
	url         string
	agent       string
	quic        string
	banner      string
	hint        string
	lookup      *Application // the service whose name was asked for, nil if unknown
	evidence    []evidence
}

// State returns Final once the application is settled, and Done once nothing
// more will change.
func (s *Session) State() State {
	switch {
	case s.flags&finished != 0:
		return Done
	case s.flags&settled != 0:
		return Final
	}
	return More
}

// Learned reports whether packets have named the server or the application,
// which may be well before Done. A hint does not count.
func (s *Session) Learned() bool { return s.flags&learned != 0 }

// Version returns Result().Version without making a Result.
func (s *Session) Version() uint64 { return uint64(s.version) }

// Result returns what is known.
func (s *Session) Result() Result {
	r := Result{Version: uint64(s.version)}
	var chain strings.Builder
	chain.WriteString("IP")
	if name := ProtocolName(s.proto); name != "" {
		chain.WriteByte('/')
		chain.WriteString(name)
	}
	if d := s.detector; d != nil {
		r.Protocol, r.Application = d.name, d.upper
		r.Category, r.Confidence = d.category, int(s.certainty)
		if f := s.found; f != nil && f.label != nil {
			r.Protocol, r.Application, r.Category = f.label.name, strings.ToUpper(f.label.name), f.label.category
		}
		if s.proto == ProtoTCP || s.proto == ProtoUDP {
			chain.WriteByte('/')
			chain.WriteString(r.Application)
		}
	}
	if f := s.found; f != nil {
		if f.application != nil {
			r.Application, r.Category = f.application.Name, f.application.Category
			r.Confidence, r.Inferred = int(f.confidence), f.inferred
			chain.WriteByte('/')
			chain.WriteString(f.application.Name)
		}
		r.Detail = f.detail
		r.JA3, r.JA3S, r.TLSVersion, r.ALPNChosen, r.Certificate = f.ja3, f.ja3s, f.tls, f.chosen, f.certificate
		r.SNI, r.JA4, r.QUICVersion = f.sni, f.ja4, f.quic
		if f.alpn != "" {
			r.ALPN = strings.Split(f.alpn, ",")
		}
		r.HTTPHost, r.URL, r.UserAgent = f.host, f.url, f.agent
		r.SSHBanner, r.Hint = f.banner, f.hint
		if f.lookup != nil {
			r.Lookup = f.lookup.Name
		}
	}
	r.Chain = chain.String()
	return r
}

// findings returns the session's findings, made if need be.
func (s *Session) findings() *findings {
	if s.found == nil {
		s.found = new(findings)
	}
	return s.found
}

// assembler returns what was kept of direction d, or nil.
func (s *Session) assembler(d Dir) *assembler {
	if s.work == nil {
		return nil
	}
	return s.work.streams[d]
}

func (s *Session) makeAssembler(d Dir) *assembler {
	w := s.makeWork()
	if w.streams[d] == nil {
		w.streams[d] = new(assembler)
	}
	return w.streams[d]
}

func (s *Session) makeWork() *work {
	if s.work == nil {
		s.work = new(work)
	}
	return s.work
}

// lock gives the session its protocol, with the detector's confidence unless it
// has set another. The evidence of it goes before what the
// detector noted on the way, that is to place at.
func (s *Session) lock(d *detector, at int) {
	s.detector = d
	if s.certainty == 0 {
		s.certainty = d.confidence
	}
	f := s.findings()
	e := evidence{d.name, "", s.packets, s.certainty}
	f.evidence = slices.Insert(f.evidence, min(at, len(f.evidence)), e)
	s.touch()
}

// steps returns the number of pieces of evidence.
func (s *Session) steps() int {
	if s.found == nil {
		return 0
	}
	return len(s.found.evidence)
}

// once sets flag and reports whether it was not set before.
func (s *Session) once(flag sessionFlags) bool {
	first := s.flags&flag == 0
	s.flags |= flag
	return first
}

// countPayload counts a packet with payload of direction d.
func (s *Session) countPayload(d Dir) {
	if s.payloads[d] < 255 {
		s.payloads[d]++
	}
}

// mute releases direction d: nothing of it will be looked at again.
func (s *Session) mute(d Dir) {
	s.flags |= muted << d
	if s.work != nil {
		s.work.streams[d] = nil
	}
}

// finish ends the inspection for good and releases what it needed.
func (s *Session) finish() {
	s.flags |= finished
	s.work = nil
}

// Held returns how many bytes of messages that are incomplete s keeps.
func (s *Session) Held() int {
	if s.work == nil {
		return 0
	}
	n := 0
	for _, a := range s.work.streams {
		if a != nil {
			n += a.size()
		}
	}
	if s.work.quic != nil {
		n += s.work.quic.crypto.size()
	}
	return n
}

// GiveUp ends the inspection for good: what is known stays, what is kept of
// packets goes.
func (s *Session) GiveUp() { s.finish() }

// touch marks a change of the result.
func (s *Session) touch() { s.version++ }
