// SPDX-License-Identifier: MIT

package classifier

import (
	"math/bits"
	"time"
)

// inspectDatagram shows the detectors one UDP datagram.
func (c *Classifier) inspectDatagram(s *Session, p *Packet, d Dir, now time.Time) {
	if len(p.Payload) == 0 || s.flags&(muted<<d) != 0 {
		return
	}
	s.countPayload(d)
	c.run(s, p, d, now, p.Payload)
	if s.detector == nil && s.payloads[d] >= maxUndecided {
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
		if over == overTCP {
			first := c.first[over][data[0]]
			if s.flags&(resumed<<d) != 0 {
				for w := range first {
					first[w] &= c.midway[w]
				}
			}
			c.tried(s).alive[d] = first
		}
	}
	var candidates idSet
	switch {
	case s.detector != nil:
	case over == overUDP: // each datagram has a first byte of its own
		candidates = c.first[over][data[0]]
		if s.trial != nil {
			s.trial.memos.keep(&candidates)
		}
	case s.trial != nil:
		candidates = s.trial.alive[d]
	}
	if s.detector == nil && candidates.empty() {
		s.unclaimed(d, over)
		return
	}

	x := c.scratch.Get().(*sight)
	x.c, x.s, x.p, x.dir, x.now, x.data, x.nth = c, s, p, d, now, data, int(s.payloads[d])
	if s.flags&alone != 0 {
		x.id = int(s.place)
		c.runAlone(x)
	} else if s.detector != nil {
		x.id = int(s.place)
		s.settle(d, s.detector.look(over)(x))
	} else if left := c.elect(x, over, candidates); s.detector == nil {
		if over == overTCP {
			c.tried(s).alive[d] = left
		}
		if left.empty() {
			s.unclaimed(d, over)
		}
	}
	x.release()
	c.scratch.Put(x)
}

// elect shows x to every candidate until one claims it, which then has the
// session, and returns the candidates that have not said no.
func (c *Classifier) elect(x *sight, over transport, candidates idSet) idSet {
	for w := range candidates {
		for m := candidates[w]; m != 0; m &= m - 1 {
			i := w<<6 + bits.TrailingZeros64(m)
			x.id = i
			at := x.s.noted()
			switch v := c.looks[over][i](x); v {
			case no:
				candidates.remove(i)
				if over == overUDP && x.s.trial != nil {
					x.s.trial.memos.drop(i)
				}
			case wait:
			default:
				x.s.lock(&c.detectors[i], at)
				c.forgetBare(x.s)
				x.s.place = uint8(i)
				x.s.won(i)
				if over == overUDP && x.dir == Original {
					x.s.flags |= alone
				}
				x.s.settle(x.dir, v)
				return candidates
			}
		}
	}
	return candidates
}

// won ends the trial, unless detector i remembers something.
func (s *Session) won(i int) {
	if s.trial == nil {
		return
	}
	var winner idSet
	winner.add(i)
	if s.trial.memos.keep(&winner); s.trial.memos.empty() {
		s.endTrial()
	}
}

// settle acts on what the session's own detector said of direction d.
func (s *Session) settle(d Dir, v verdict) {
	switch {
	case v == done && s.flags&alone != 0:
		s.flags |= told
		s.shrink()
	case v == done:
		s.finish()
	case v != no && v != enough:
	case s.flags&alone != 0 && d == Original:
		s.flags |= heard
	default:
		s.mute(d)
	}
}

// unclaimed notes that no detector wants direction d of a stream. A datagram
// that none wants says nothing about the next one. Nor does a segment in the
// middle of a stream: of those that follow a few are looked at, by themselves, by
// detectors that know their protocol midway.
func (s *Session) unclaimed(d Dir, over transport) {
	switch {
	case over != overTCP:
	case s.flags&late != 0 && s.payloads[d] < maxUndecided:
		s.dropStream(d)
		s.flags = s.flags&^((asked|synced)<<d) | resumed<<d
	default:
		s.mute(d)
	}
}
