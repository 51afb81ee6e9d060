// SPDX-License-Identifier: MIT

package event

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"
)

// Log keeps the last events. Its methods may be called by many goroutines; a nil
// Log keeps nothing, and nobody reads it.
type Log struct {
	boot  string
	clock func() time.Time

	mu      sync.Mutex // held for a few instructions, whatever readers do
	seq     uint64
	rings   [classes]ring
	readers map[*Reader]struct{}
	// following is how many readers want events of sessions.
	following int

	// until is when events of sessions are kept no more, in nanoseconds of Unix
	// time: 0 is now, forever while somebody reads them.
	until atomic.Int64
}

const forever = int64(1<<63 - 1)

// grace is how long events of sessions are kept after their last reader went: it
// may come again.
const grace = time.Minute

// DefaultSize is how many events of a class are kept.
const DefaultSize = 8192

// New returns a Log that keeps size events of each class, 0 for DefaultSize.
func New(size int, clock func() time.Time) *Log {
	if size <= 0 {
		size = DefaultSize
	}
	var boot [8]byte
	rand.Read(boot[:]) // never fails
	l := &Log{boot: hex.EncodeToString(boot[:]), clock: clock, readers: make(map[*Reader]struct{})}
	for i := range l.rings {
		l.rings[i].limit = size
	}
	return l
}

// Publish notes an event. It waits for nobody.
func (l *Log) Publish(e Event) {
	if l == nil || e.Kind < DaemonStart || int(e.Kind) >= kinds {
		return
	}
	now := l.clock()
	if e.Time.IsZero() {
		e.Time = now
	}
	c := e.Kind.class()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.Seq = l.seq
	l.expire(now)
	if c == sessions && l.until.Load() == 0 {
		return
	}
	l.rings[c].add(e)
	for r := range l.readers {
		if r.filter.has(e.Kind) {
			select {
			case r.wake <- struct{}{}:
			default: // it will look
			}
		}
	}
}

// expire lets go of the events of sessions that nobody came back for; l.mu is held.
func (l *Log) expire(now time.Time) {
	if until := l.until.Load(); until != 0 && now.UnixNano() >= until {
		l.until.Store(0)
		l.rings[sessions].clear(l.seq)
	}
}

// Wants reports whether events of a kind are kept at this time. Those of
// sessions need not be made where it says no.
func (l *Log) Wants(k Kind) bool {
	return l != nil && (k.class() != sessions || l.until.Load() != 0)
}

// Boot returns the id of this daemon's run: 16 hexadecimal digits.
func (l *Log) Boot() string {
	if l == nil {
		return ""
	}
	return l.boot
}

// Position returns the place after the last event.
func (l *Log) Position() Position {
	if l == nil {
		return Position{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{l.boot, l.seq}
}

// Stats are a Log's figures.
type Stats struct {
	Boot    string `json:"boot"`
	Events  uint64 `json:"events"`  // noted, the number of the last
	Kept    int    `json:"kept"`    // that can still be read
	Readers int    `json:"readers"` // now
}

// Stats returns the figures.
func (l *Log) Stats() Stats {
	if l == nil {
		return Stats{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Boot: l.boot, Events: l.seq, Readers: len(l.readers)}
	for i := range l.rings {
		s.Kept += len(l.rings[i].buf)
	}
	return s
}
