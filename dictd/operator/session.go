// SPDX-License-Identifier: MIT

package operator

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"
	"time"
)

// Most sessions at one time; the one that was quiet for longest makes place.
const maxSessions = 64

// session is somebody who has logged in, in one browser, which shows so by its cookie and
// a key: browsers send a cookie to all ports of a host, also to those of others, and a
// key that a page keeps for its own origin nowhere.
type session struct {
	who   Operator
	key   string
	began time.Time
	seen  time.Time // when a person did something last

	ctx context.Context // ends with the session, and streams with it
	end context.CancelFunc
}

// sessions are those there are, by a digest of their cookie: what is in memory, or in a
// picture of it, opens nothing.
type sessions struct {
	clock      func() time.Time
	idle, most time.Duration

	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
}

func newSessions(clock func() time.Time, idle, most time.Duration) *sessions {
	return &sessions{clock: clock, idle: idle, most: most, all: make(map[[sha256.Size]byte]*session)}
}

// secret returns 256 bits that nobody guesses.
func secret() string {
	var b [32]byte
	rand.Read(b[:]) // does not fail
	return hex.EncodeToString(b[:])
}

// begin makes a session, and returns its cookie and its key.
func (s *sessions) begin(who Operator) (cookie, key string) {
	cookie, key = secret(), secret()
	ctx, end := context.WithCancel(context.Background())
	now := s.clock()
	one := &session{who: who, key: key, began: now, seen: now, ctx: ctx, end: end}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	if len(s.all) >= maxSessions {
		var oldest [sha256.Size]byte
		var at time.Time
		for key, other := range s.all {
			if at.IsZero() || other.seen.Before(at) {
				oldest, at = key, other.seen
			}
		}
		s.drop(oldest)
	}
	s.all[sha256.Sum256([]byte(cookie))] = one
	return cookie, key
}

// find returns the session of a cookie, nil if there is none.
func (s *sessions) find(cookie string) *session {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	return s.all[sha256.Sum256([]byte(cookie))]
}

// touch keeps a session alive: a person has asked for something.
func (s *sessions) touch(one *session) {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	one.seen = now
}

// finish ends a session.
func (s *sessions) finish(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, other := range s.all {
		if other == one {
			s.drop(key)
		}
	}
}

// tidy ends what is over. It is called from time to time, for streams that nobody's
// request would end.
func (s *sessions) tidy(still func(*Operator) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(s.clock())
	for key, one := range s.all {
		if !still(&one.who) {
			s.drop(key)
		}
	}
}

// sweep ends sessions that were quiet for too long, or are too old; s.mu is held.
func (s *sessions) sweep(now time.Time) {
	for key, one := range s.all {
		if now.Sub(one.seen) >= s.idle || now.Sub(one.began) >= s.most {
			s.drop(key)
		}
	}
}

func (s *sessions) drop(key [sha256.Size]byte) {
	if one := s.all[key]; one != nil {
		one.end()
		delete(s.all, key)
	}
}

// opens reports whether a key is the session's.
func (s *session) opens(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) == 1
}
