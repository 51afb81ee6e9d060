// SPDX-License-Identifier: MIT

package session

import (
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what is kept of messages that are incomplete: of all sessions, in
// bytes, and how long of one.
const (
	maxHeld  = 256 << 20
	heldLife = 30 * time.Second
)

// holding is what the sessions' classifiers keep. Anybody can begin messages and
// never end them, on connections that conntrack remembers for days.
type holding struct {
	bytes   atomic.Int64
	limit   int64
	mu      sync.Mutex // taken after a session's lock
	waiting queue      // sessions that began to keep something
}

// Hold takes note of what the locked session keeps after a packet, and gives its
// inspection up if all keep too much. It reports whether it did.
func (t *Table) Hold(s *Session, now time.Time) bool {
	n := s.Class.Held()
	if n > 0 && s.held == 0 {
		t.holding.mu.Lock()
		t.holding.waiting.push(s, now)
		t.holding.mu.Unlock()
	}
	if t.setHeld(s, n) > t.holding.limit && n > 0 {
		t.giveUp(s)
		return true
	}
	return false
}

func (t *Table) setHeld(s *Session, n int) int64 {
	total := t.holding.bytes.Add(int64(n) - int64(s.held))
	s.held = int32(n)
	return total
}

// giveUp ends the inspection of a locked session.
func (t *Table) giveUp(s *Session) {
	s.Class.GiveUp()
	s.Finished, s.Final = true, true
	t.setHeld(s, 0)
	t.stats.givenUp.Add(1)
}

// abandon gives up a locked session of which no packet is at hand: nobody else writes
// what that changes.
func (t *Table) abandon(s *Session) {
	final := s.Final
	if !s.Finished {
		t.giveUp(s)
	}
	if s.confirmed && s.Writable() {
		t.rows.Settle(s)
	}
	if !final && t.final != nil {
		t.final(s)
	}
}

// release gives up the sessions that have kept something for too long.
func (t *Table) release(now time.Time) {
	for {
		t.holding.mu.Lock()
		s := t.holding.waiting.due(now.Add(-heldLife))
		t.holding.mu.Unlock()
		if s == nil {
			return
		}
		s.mu.Lock()
		if !s.dead && s.held > 0 {
			t.abandon(s)
		}
		s.mu.Unlock()
	}
}
