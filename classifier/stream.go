// SPDX-License-Identifier: MIT

package classifier

import "time"

// inspectStream puts a TCP segment in its place and shows the detectors all
// that is there from the first byte of its direction on.
func (c *Classifier) inspectStream(s *Session, p *Packet, d Dir, now time.Time) {
	seq := p.Seq
	if p.TCPFlags&FlagSYN != 0 {
		seq++
		if s.flags&(asked<<d) == 0 && s.assembler(d) == nil {
			s.base[d] = seq
			s.flags |= synced << d
		}
	}
	if len(p.Payload) == 0 {
		return
	}
	s.countPayload(d)
	if s.flags&(synced<<d) == 0 {
		s.base[d] = seq
		s.flags |= synced<<d | late
	}
	data, off := p.Payload, int(int32(seq-s.base[d]))
	a := s.assembler(d)
	switch {
	case off == 0 && s.detector == nil && s.flags&(asked<<d) != 0 && (a == nil || a.contradicts(data)):
		c.inspectAgain(s, p, d, now)
		return
	case s.flags&(muted<<d) != 0:
		return
	case off == 0 && a == nil:
		// The usual case: the first segment decides and nothing is copied.
		c.inspectFirst(s, p, d, now)
		return
	}
	if off < 0 {
		if -off >= len(data) {
			return
		}
		data, off = data[-off:], 0
	}
	if a == nil {
		a = c.keep(s, d)
	}
	if a.insert(off, data, c.opts.MaxBytes) {
		c.run(s, p, d, now, a.bytes())
	}
	if s.detector == nil && s.payloads[d] >= maxUndecided && s.assembler(d) == a && len(a.bytes()) >= minUndecided {
		s.mute(d)
	}
}

// inspectFirst looks at the first segment of a direction, and keeps it only if
// there is more to learn.
func (c *Classifier) inspectFirst(s *Session, p *Packet, d Dir, now time.Time) {
	c.run(s, p, d, now, p.Payload)
	if s.flags&(finished|muted<<d) == 0 && s.flags&(synced<<d) != 0 {
		c.keep(s, d).insert(0, p.Payload, c.opts.MaxBytes)
	}
}

// keep returns what is kept of direction d, made if need be.
func (c *Classifier) keep(s *Session, d Dir) *assembler {
	w := s.makeWork()
	if w.streams[d] == nil {
		w.streams[d] = c.streams.Get().(*assembler)
	}
	return w.streams[d]
}

// inspectAgain gives the start of a direction without a protocol a second
// chance when it is sent once more with other bytes. The receiver decides which
// ones count, and what nobody understood was perhaps never meant to arrive. What
// was kept stays if the new bytes tell nothing either.
func (c *Classifier) inspectAgain(s *Session, p *Packet, d Dir, now time.Time) {
	flags, kept := s.flags, s.assembler(d)
	alive := c.tried(s).alive[d]
	s.flags &^= (asked | muted) << d
	if kept != nil {
		s.work.streams[d] = nil
	}
	c.inspectFirst(s, p, d, now)
	if s.detector != nil {
		s.note("tcp/resent", "first bytes sent again, and different", 0)
		return
	}
	s.flags = flags
	c.tried(s).alive[d] = alive
	s.dropStream(d)
	if kept != nil {
		s.makeWork().streams[d] = kept
	}
}
