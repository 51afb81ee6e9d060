// SPDX-License-Identifier: MIT

package session

import (
	"time"

	"nftdict/classifier"
)

// Asks takes note of a packet in which the client of the locked session asks for
// a TCP connection, with the sequence number seq. It reports whether that is
// another connection, in the entry of one that is over: the row is gone then, and
// the session begins anew under the same id. Conntrack lets such connections go on
// in the old entry if a packet of the server came after the end; no event tells.
//
// What the packet says of itself would not do: a client may send a SYN in the
// midst of its living connection, to be rid of the row. Nor does what conntrack says,
// where that is that the connection lives: it does not believe a reset whose sequence
// number it has not seen acknowledged, as behind a flowtable. So the session is Doubted,
// until the server Answers.
func (t *Table) Asks(s *Session, seq uint32, now time.Time) bool {
	switch {
	case !s.confirmed || s.Packets == 0 && !s.claimed:
		s.syn, s.hasSYN = seq, true
		return false
	case s.hasSYN && s.syn == seq: // sent again, perhaps to who has closed
		s.doubt(s.Final || s.Doubted())
		return false
	}
	t.stats.lookups.Add(1)
	f, err := t.kernel.Lookup(s.orig, s.zone)
	if err != nil || f.ID != s.id || f.Orig != s.orig || !f.Ended() {
		s.doubt(true)
		return false
	}
	t.reopen(s, now)
	s.syn, s.hasSYN = seq, true
	return true
}

// Doubted reports whether the client has asked for a connection in the midst of the
// locked session, which may be over: what the server says to that is wanted, and it is not
// to pass unseen.
func (s *Session) Doubted() bool { return s.more != nil && s.more.doubted }

func (s *Session) doubt(doubted bool) {
	if doubted != s.Doubted() {
		m := s.much()
		m.doubted = doubted
		s.setMore(m)
	}
}

// Answers takes note of a packet in which the server of the locked session, which is
// Doubted, takes up a TCP connection: none does that in the midst of another one. The
// session begins anew, as by Asks. by is the interface by which the packet came: by the
// client's alone it would be his word again.
func (t *Table) Answers(s *Session, by uint32, now time.Time) {
	if s.ServerHops < 0 || s.ServerIf == by || s.ClientIf != by {
		t.reopen(s, now)
	}
}

// reopen has a locked session begin anew, without its row.
func (t *Table) reopen(s *Session, now time.Time) {
	t.stats.reopened.Add(1)
	if s.Writable() {
		t.rows.Delete(s.id)
	}
	s.serial, s.began = t.serial.Add(1), now.UnixNano()
	s.Class, s.Packets = classifier.Session{}, 0
	s.ClientHops, s.ServerHops = -1, -1
	s.ClientIf, s.ServerIf = 0, 0
	s.Finished, s.Final, s.claimed, s.reopened = false, false, false, true
	s.doubt(false)
	s.Unsent()
}
