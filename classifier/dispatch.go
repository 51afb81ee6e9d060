// SPDX-License-Identifier: MIT

package classifier

import "time"

// inspectDatagram shows the detectors one UDP datagram.
func (c *Classifier) inspectDatagram(s *Session, p *Packet, d Dir, now time.Time) {
	if len(p.Payload) == 0 || s.flags&(muted<<d) != 0 {
		return
	}
	s.countPayload(d)
	c.run(s, p, d, now, p.Payload)
	if s.detector == nil && s.payloads[d] >= maxUndecided && int(s.payloads[d]) >= c.patience(&s.memos) {
		s.mute(d)
		if s.payloads[d^1] == 0 { // nobody answers, and nobody will
			s.finish()
		}
	}
}

// run shows data to the session's detector or, before there is one, to every
// candidate.
func (c *Classifier) run(s *Session, p *Packet, d Dir, now time.Time, data []byte) {
	over := overTCP
	if p.Proto == ProtoUDP {
		over = overUDP
	}
	if s.detector == nil && s.flags&(asked<<d) == 0 {
		s.flags |= asked << d
		s.alive[d] = c.first[over][data[0]]
	}
	candidates := s.alive[d]
	if over == overUDP { // each datagram has a first byte of its own
		candidates = c.first[over][data[0]]
		s.memos.keep(&candidates)
	}
	if s.detector == nil && candidates.empty() {
		s.unclaimed(d, over)
		return
	}

	x := c.scratch.Get().(*sight)
	x.c, x.s, x.p, x.dir, x.now, x.data, x.nth = c, s, p, d, now, data, int(s.payloads[d])
	if s.detector != nil {
		x.id = int(s.place)
		s.settle(d, s.detector.look(over)(x))
	} else if s.alive[d] = c.elect(x, over, candidates); s.detector == nil && s.alive[d].empty() {
		s.unclaimed(d, over)
	}
	x.release()
	c.scratch.Put(x)
}

// elect shows x to every candidate until one claims it, which then has the
// session, and returns the candidates that have not said no.
func (c *Classifier) elect(x *sight, over transport, candidates idSet) idSet {
	for i := range candidates.all {
		det := &c.detectors[i]
		x.id = i
		steps := x.s.steps()
		switch v := det.look(over)(x); v {
		case no:
			candidates.remove(i)
			if over == overUDP {
				x.s.memos.drop(i)
			}
		case wait:
		default:
			x.s.lock(det, steps)
			c.forgetBare(x.s)
			x.s.place = uint8(i)
			var winner idSet
			winner.add(i)
			x.s.memos.keep(&winner)
			x.s.settle(x.dir, v)
			return candidates
		}
	}
	return candidates
}

// patience returns how many packets with payload of a direction are looked at
// while detectors that keep something are undecided.
func (c *Classifier) patience(m *memos) int {
	most := maxUndecided
	for _, o := range m.owner {
		if o != 0 {
			most = max(most, int(c.detectors[o-1].patience))
		}
	}
	return most
}

// settle acts on what the session's own detector said of direction d.
func (s *Session) settle(d Dir, v verdict) {
	switch v {
	case done:
		s.finish()
	case no, enough:
		s.mute(d)
	}
}

// unclaimed notes that no detector wants direction d of a stream. A datagram
// that none wants says nothing about the next one.
func (s *Session) unclaimed(d Dir, over transport) {
	if over == overTCP {
		s.mute(d)
	}
}
