// SPDX-License-Identifier: MIT

package session

import (
	"sync"
	"time"

	"nftdict/classifier"
	"nftdict/classifier/country"
	"nftdict/dictd/conntrack"
)

// Session is one connection. Whoever holds its lock may use its exported
// fields; Table.Resolve returns it locked.
type Session struct {
	mu sync.Mutex

	Class classifier.Session

	serial int64
	began  int64    // first packet seen, nanoseconds of Unix time
	more   *more    // nil: nothing
	before *written // what the classifier's cells were, while they may change

	who *Client // who the client is; nil if that is not known

	Packets uint32 // packets inspected
	// ClientIf and ServerIf are the interfaces by which the first packet of each
	// direction came, as ifindex; 0 is this machine, or not known yet.
	ClientIf, ServerIf uint32

	syn   uint32 // sequence number of the client's first SYN, if hasSYN
	id    uint32 // first id; once confirmed, the id
	epoch uint32 // last dump that showed it; under Table.admin
	held  int32  // bytes that Class keeps, as counted in Table.holding
	place uint32 // among its client's sessions; under Table.admin

	// ClientHops and ServerHops are the distances that the hop limits tell; -1
	// means unknown.
	ClientHops, ServerHops int16

	orig  conntrack.Tuple // never changes
	reply conntrack.Tuple // the kernel's once confirmed
	zone  uint16

	// ClientCountry and ServerCountry are zero where no database is in use.
	ClientCountry, ServerCountry country.Code
	// Finished says that no packet of it is wanted any more; Final, that its
	// application is settled.
	Finished, Final bool

	confirmed bool
	hasSYN    bool
	claimed   bool  // its row was there before: what the beginning told is not known here
	dead      bool  // forgotten by the table: writes no more rows
	reopened  bool  // the kernel's entry was another connection's before, and counts its packets too
	shared    bool  // one of its ids is another session's too: writes no rows
	sent      facts // cells written
	told      told  // what the row may say of who the client is
}

// maxIDs bounds the ids of an unconfirmed session.
const maxIDs = 64

func newSession(serial int64, tuple conntrack.Tuple, zone uint16, id uint32, now time.Time) *Session {
	return &Session{
		serial: serial, orig: tuple, reply: tuple.Reverse(), zone: zone, id: id, began: now.UnixNano(),
		ClientHops: -1, ServerHops: -1, place: loose,
	}
}

// Unlock gives the session back.
func (s *Session) Unlock() { s.mu.Unlock() }

// Serial is the unique number of the session, 63 bits.
func (s *Session) Serial() int64 { return s.serial }

// Began is when its first packet was seen.
func (s *Session) Began() time.Time { return time.Unix(0, s.began) }

// Orig is the original tuple.
func (s *Session) Orig() conntrack.Tuple { return s.orig }

// Reply is the tuple of answers, exact only if the session is confirmed.
func (s *Session) Reply() conntrack.Tuple { return s.reply }

// Zone is the conntrack zone, known once the session is confirmed.
func (s *Session) Zone() uint16 { return s.zone }

// Confirmed reports whether the kernel has confirmed the connection.
func (s *Session) Confirmed() bool { return s.confirmed }

// ID returns the conntrack id of a confirmed session, the first of an
// unconfirmed one.
func (s *Session) ID() uint32 { return s.id }

// Writable reports whether rows may be written in the session's name.
func (s *Session) Writable() bool { return !s.dead && !s.shared }

// IDs appends the ids under which the session has rows.
func (s *Session) IDs(dst []uint32) []uint32 { return append(append(dst, s.id), s.others()...) }

// others returns the ids that it has beside the first.
func (s *Session) others() []uint32 {
	if s.more == nil {
		return nil
	}
	return s.more.ids
}

// Endpoints returns the original tuple as the classifier takes it.
func (s *Session) Endpoints() classifier.Endpoints { return endpoints(&s.orig) }

// direction tells which way a packet of tuple t goes, false if it is not one of
// the session's packets as far as is known.
func (s *Session) direction(t *conntrack.Tuple) (classifier.Dir, bool) {
	switch *t {
	case s.orig:
		return classifier.Original, true
	case s.reply:
		return classifier.Reply, true
	}
	return 0, false
}
