// SPDX-License-Identifier: MIT

package classifier

// Session is what a Classifier keeps of one connection. The zero value is
// ready. Its size is fixed; reassembly buffers and names hang off it only while
// there is a need. A Session is used by one goroutine at a time and must not be
// copied once begun.
type Session struct {
	client    [16]byte
	detector  *detector // of the protocol recognised
	found     *findings // nil until something is known
	work      *work     // nil unless a message is incomplete
	trial     *trial    // nil unless detectors are undecided, or remember something
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
	begun        sessionFlags = 1 << iota
	finished                  // Done
	unlimited                 // not subject to MaxPackets and MaxBytes
	learned                   // packets named the application or the server
	synced                    // base is known, per direction
	syncedReply               // held by synced << Reply
	asked                     // candidates were chosen, per direction
	askedReply                // held by asked << Reply
	muted                     // nothing more to learn, per direction
	mutedReply                // held by muted << Reply
	sawSNI                    // noted once: a server name
	sawALPN                   // noted once: protocols offered
	sawECH                    // noted once: an encrypted hello
	sawSealed                 // noted once: an Initial that does not open
	sawHost                   // noted once: a host
	sawAgent                  // noted once: a user agent
	mixed                     // a DNS session asked for more than one service
	answered                  // noted once: a DNS session's question that was answered
	settled                   // Final
	late                      // a stream whose beginning was missed
	resumed                   // taken up behind bytes that nobody knows, per direction
	resumedReply              // held by resumed << Reply
	alone                     // the protocol rests on datagrams of the client
	told                      // alone, and all is known
	heard                     // alone, and the client's direction has no more to tell
)

// bothMuted is set when neither direction has more to tell.
const bothMuted = muted | mutedReply

// work is the part of a session that lives while a message is incomplete.
type work struct {
	streams [2]*assembler
	quic    *quicWork
	dns     *dnsWork
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

// Said reports whether the session's protocol has no more to tell: it is Final, or
// would be, had anyone but the client spoken so far.
func (s *Session) Said() bool { return s.flags&(finished|settled|told) != 0 }

// Version returns Result().Version without making a Result.
func (s *Session) Version() uint64 { return uint64(s.version) }

// assembler returns what was kept of direction d, or nil.
func (s *Session) assembler(d Dir) *assembler {
	if s.work == nil {
		return nil
	}
	return s.work.streams[d]
}

func (s *Session) makeWork() *work {
	if s.work == nil {
		s.work = new(work)
	}
	return s.work
}

// lock gives the session its protocol, with the detector's confidence unless it
// has set another. The evidence of it goes before what the
// detector noted on the way, that is to place at of the log.
func (s *Session) lock(d *detector, at int) {
	s.detector = d
	if s.certainty == 0 {
		s.certainty = d.confidence
	}
	s.findings().log.insert(at, d.name, "", s.packets, s.certainty)
	s.touch()
}

// noted returns the end of the log.
func (s *Session) noted() int {
	if s.found == nil {
		return 0
	}
	return s.found.log.end()
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
	s.dropStream(d)
}

// dropStream gives back what was kept of direction d.
func (s *Session) dropStream(d Dir) {
	if a := s.assembler(d); a != nil {
		s.work.streams[d] = nil
		a.release()
	}
}

// finish ends the inspection for good and releases what it needed.
func (s *Session) finish() {
	s.flags |= finished
	s.dropStream(Original)
	s.dropStream(Reply)
	s.work = nil
	s.endTrial()
}

// shrink releases what a message needed that is complete now.
func (s *Session) shrink() {
	if s.work != nil && s.work.quic != nil && s.work.dns == nil {
		s.work = nil
	}
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
