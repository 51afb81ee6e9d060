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
// midst of its living connection, to be rid of the row.
func (t *Table) Asks(s *Session, seq uint32, now time.Time) bool {
	switch {
	case s.hasSYN && s.syn == seq: // sent again
		return false
	case !s.confirmed || s.Packets == 0 && !s.claimed:
		s.syn, s.hasSYN = seq, true
		return false
	}
	t.stats.lookups.Add(1)
	f, err := t.kernel.Lookup(s.orig, s.zone)
	if err != nil || f.ID != s.id || f.Orig != s.orig || !f.Ended() {
		return false
	}
	t.stats.reopened.Add(1)
	if s.Writable() {
		t.rows.Delete(s.id)
	}
	s.serial, s.began = t.serial.Add(1), now.UnixNano()
	s.Class, s.Packets = classifier.Session{}, 0
	s.ClientHops, s.ServerHops = -1, -1
	s.ClientIf, s.ServerIf = 0, 0
	s.Finished, s.Final, s.claimed, s.reopened = false, false, false, true
	s.syn, s.hasSYN = seq, true
	s.Unsent()
	return true
}
