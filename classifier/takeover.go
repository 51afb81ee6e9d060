// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// confidenceTakeover is the least confidence of a detector that takes a session
// from another, of which the client alone has spoken.
const confidenceTakeover = 90

// forgotten are the flags that tell of a protocol, and go with it.
const forgotten = learned | unlimited | settled | sawSNI | sawALPN | sawECH | sawSealed | sawHost | sawAgent | mixed | answered

// runAlone shows a datagram to a session whose protocol rests on what its client
// has sent. Any program can send the first bytes of a protocol to a server of
// another, which drops them; so the session is open to others until the server
// answers in its protocol, or the packets run out that an undecided one has.
func (c *Classifier) runAlone(x *sight) {
	s := x.s
	if x.dir == Original && c.opened(x) {
		return
	}
	over := s.flags&told != 0 || x.dir == Original && s.flags&heard != 0
	v := no
	switch {
	case over || x.dir == Reply && s.detector.answers != nil:
		if x.recognised() {
			v = done // what it said before
		}
	default:
		v = s.detector.datagram(x)
	}
	switch {
	case v == no && c.challenge(x, c.sure[x.dir].and(&c.first[overUDP][x.data[0]])):
	case x.dir == Original:
		if !over {
			s.settle(Original, v)
		}
	case v != no:
		s.confirm()
		if s.detector.answers != nil && s.flags&finished == 0 {
			v = s.detector.datagram(x)
		}
		s.settle(Reply, v)
	}
	if s.flags&alone != 0 && s.payloads[x.dir] >= maxUndecided {
		s.confirm() // as much was looked at as of one that says nothing
	}
}

// confirm ends the time in which others may have the session.
func (s *Session) confirm() {
	s.flags &^= alone
	switch {
	case s.flags&told != 0:
		s.finish()
	case s.flags&heard != 0:
		s.mute(Original)
	}
}

// opened gives the session to a protocol that x opens with a message of which
// there is no doubt, whatever its own makes of it.
func (c *Classifier) opened(x *sight) bool {
	for _, i := range c.openers {
		d := &c.detectors[i]
		switch own := x.s.detector; {
		case own == d && (d.name != "QUIC" || x.s.flags&told == 0), // its own to read
			own.name == "Tailscale" && d.name == "WireGuard", // which it speaks
			!d.opening(x.data):
			continue
		}
		var one idSet
		one.add(i)
		return c.challenge(x, one)
	}
	return false
}

// recognised reports whether the session's detector takes x for its own, or may
// do so, without regard to what it has seen before. It changes nothing.
func (x *sight) recognised() bool {
	s := x.s
	if s.detector.answers != nil {
		return s.detector.answers(x.data)
	}
	kept := *s
	x.spare.log.empty()
	s.detector, s.found, s.trial, s.certainty = nil, &x.spare, nil, 0
	v := kept.detector.datagram(x)
	s.endTrial()
	*s = kept
	x.spare = findings{log: x.spare.log}
	return v != no
}

// challenge shows x to candidates as if the session had no protocol, and gives it
// to the first that is better than what it has. Else nothing changes.
func (c *Classifier) challenge(x *sight, candidates idSet) bool {
	if candidates.empty() {
		return false
	}
	s := x.s
	kept := *s
	s.detector, s.found, s.trial, s.certainty = nil, nil, nil, 0
	s.flags &^= forgotten
	clean := s.flags
	for i := range candidates.all {
		d := &c.detectors[i]
		if d == kept.detector && d.opening == nil {
			continue
		}
		x.id = i
		v := d.datagram(x)
		if v >= found && x.outdoes(d, &kept) {
			c.takeOver(x, d, &kept, v)
			return true
		}
		if v != no || s.found != nil {
			s.endTrial()
			s.found, s.certainty, s.flags = nil, 0, clean
		}
	}
	s.endTrial()
	work := s.work // a hello in the making is read on
	*s = kept
	s.work = work
	return false
}

// outdoes reports whether what d has just found in x is better than what is kept.
func (x *sight) outdoes(d *detector, kept *Session) bool {
	s := x.s
	switch {
	case d.name == "QUIC" && s.certainty < confidenceHello: // it did not open
		return false
	case d == kept.detector: // another connection on the same ports, or the same hello again
		return s.found.hello.sni != "" && s.found.hello.sni != kept.found.handshakeName()
	}
	return max(s.certainty, d.confidence) >= confidenceTakeover
}

// handshakeName returns the server name of a hello; empty without one.
func (f *findings) handshakeName() string {
	if f == nil || f.hello == nil {
		return ""
	}
	return f.hello.sni
}

// takeOver gives the session of x to d, which has said v. Of what is kept of the
// time before the evidence stays, and what DNS told.
func (c *Classifier) takeOver(x *sight, d *detector, kept *Session, v verdict) {
	s := x.s
	f := s.findings()
	seen := f.log.all()
	f.log = log{}
	if old := kept.found; old != nil {
		f.log, f.hint = old.log, old.hint
	}
	s.note("protocol/taken over", kept.detector.name, 0)
	s.lock(d, s.noted())
	for _, e := range seen {
		s.note(e.Rule, e.Seen, e.Confidence)
	}
	if f.hint != nil && f.hint.server != "" && f.application == nil && s.flags&learned == 0 {
		if app := c.opts.Domains.find(f.hint.server); app != nil {
			f.application, f.confidence, f.inferred = app, confidenceHint, true
		}
	}
	if kept.trial != nil {
		kept.endTrial()
	}
	s.place = uint8(x.id)
	s.won(x.id)
	s.flags &^= told | heard | alone
	if x.dir == Original {
		s.flags |= alone
	}
	s.settle(x.dir, v)
	s.touch()
}

// opensQUIC reports whether b can be a client's first datagram of QUIC: servers
// drop shorter ones.
func opensQUIC(b []byte) bool {
	if len(b) < minQUICDatagram || b[0]&0xc0 != 0xc0 {
		return false
	}
	_, known := lookupQUIC(binary.BigEndian.Uint32(b[1:]))
	return known
}

// answersQUIC reports whether b is a server's of a connection that it takes: neither
// a reset nor versions to choose from, which it answers to anything.
func answersQUIC(b []byte) bool {
	p, ok := nextQUIC(b)
	if !ok {
		return false
	}
	_, known := lookupQUIC(p.version)
	return known
}

// answersGQUIC is answersQUIC for the versions before there was a standard.
func answersGQUIC(b []byte) bool {
	number, _ := gquicVersion(b)
	return number != 0 || isGQUICAnswer(b)
}

// answersSTUN reports whether b is a message, or what comes behind them.
func answersSTUN(b []byte) bool {
	if inner := multiplexed(b); inner != nil {
		b = inner
	}
	size, ok := stunMessage(b)
	return ok && size == len(b) || answersSRTP(b)
}

// answersSRTP reports whether b is media, or the keys for them.
func answersSRTP(b []byte) bool {
	_, _, ok := dtlsRecord(b)
	return ok || isRTP(b) || isRTCP(b)
}

// opensDTLS reports whether b can begin with a ClientHello.
func opensDTLS(b []byte) bool {
	return len(b) > dtlsHeader+dtlsMessage && b[0] == recordHandshake && b[1] == 0xfe && b[dtlsHeader] == 1
}

// opensWireGuard reports whether b can be a handshake's initiation.
func opensWireGuard(b []byte) bool { return len(b) == 148 && le32(b) == 1 }
