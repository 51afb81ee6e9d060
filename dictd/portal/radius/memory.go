// SPDX-License-Identifier: MIT

package radius

import (
	"net/netip"
	"sync"
	"time"
)

// told is what a request is known again by.
type told struct {
	from          netip.AddrPort
	identifier    byte
	authenticator [16]byte
}

// memory keeps answers: a request that comes again, as its answer was lost, is
// answered as before.
type memory struct {
	mu  sync.Mutex
	all map[told]remembered
}

type remembered struct {
	answer []byte
	at     time.Time
}

// Bounds of a memory.
const (
	rememberFor  = 30 * time.Second
	rememberMost = 4096
)

func newMemory() *memory { return &memory{all: make(map[told]remembered)} }

func (m *memory) get(k told, now time.Time) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.all[k]
	return r.answer, ok && now.Sub(r.at) < rememberFor
}

func (m *memory) put(k told, answer []byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) >= rememberMost {
		for key, r := range m.all {
			if now.Sub(r.at) >= rememberFor {
				delete(m.all, key)
			}
		}
		if len(m.all) >= rememberMost {
			return
		}
	}
	m.all[k] = remembered{answer, now}
}
