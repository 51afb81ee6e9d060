// SPDX-License-Identifier: MIT

package portal

import (
	"sync"
	"time"
)

// limit bounds how often something is tried by whoever has a key: so many times at
// once, and then one after each pause. There is no more of it than maxKeys keys; of
// more some have all their tries again: who has so many devices has as many tries.
type limit struct {
	burst int
	pause time.Duration

	mu    sync.Mutex
	tries map[string]*tries
}

// tries are how many were used up by a time.
type tries struct {
	used float64
	at   time.Time
}

const maxKeys = 8192

func newLimit(burst int, pause time.Duration) *limit {
	return &limit{burst: burst, pause: pause, tries: make(map[string]*tries)}
}

// take uses up a try, and returns how long to wait for one if there is none.
func (l *limit) take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tries[key]
	if t == nil {
		l.makeRoom(now)
		t = &tries{at: now}
		l.tries[key] = t
	}
	t.recover(now, l.pause)
	if short := t.used + 1 - float64(l.burst); short > 0 {
		return time.Duration(short * float64(l.pause))
	}
	t.used++
	return 0
}

// giveBack takes back that a try was used up: it has succeeded.
func (l *limit) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.tries[key]; t != nil {
		t.used = max(t.used-1, 0)
	}
}

func (t *tries) recover(now time.Time, pause time.Duration) {
	if d := now.Sub(t.at); d > 0 {
		t.used = max(t.used-float64(d)/float64(pause), 0)
	}
	t.at = now
}

// makeRoom forgets keys that have all tries again, or some.
func (l *limit) makeRoom(now time.Time) {
	if len(l.tries) < maxKeys {
		return
	}
	for key, t := range l.tries {
		if t.recover(now, l.pause); t.used == 0 {
			delete(l.tries, key)
		}
	}
	for key := range l.tries {
		if len(l.tries) < maxKeys*3/4 {
			return
		}
		delete(l.tries, key)
	}
}
