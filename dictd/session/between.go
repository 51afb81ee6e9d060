// SPDX-License-Identifier: MIT

package session

import (
	"sync"
	"sync/atomic"
	"time"

	"nftdict/dictd/conntrack"
)

// between are the connections whose entries are replaced, or were a moment ago. A packet
// that comes in between opens an entry of its own, which is not translated as the connection
// is: from inside it may leave by another port, and an answer is for the gateway itself,
// which would reset the connection.
type between struct {
	some atomic.Bool // so that who asks need not wait for others

	mu    sync.Mutex
	of    map[conntrack.Tuple]gap // by the tuples of both directions
	order []conntrack.Tuple       // by time
}

type gap struct {
	zone  uint16
	since time.Time
}

// Bounds of them. Who came in between may wait in a queue for a while.
const (
	gapLife = time.Second
	maxGaps = 1 << 16
)

// Between reports whether a packet that opens an entry came while that of its connection
// was replaced. It is to be dropped: what is sent again meets the new entry.
func (t *Table) Between(p *Packet) bool {
	b := &t.between
	if !p.First || !b.some.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	g, ok := b.of[p.Tuple]
	if ok = ok && (!p.ZoneKnown || p.Zone == g.zone); ok {
		t.stats.between.Add(1)
	}
	return ok
}

// begin notes a connection whose entry is about to be replaced.
func (b *between) begin(f *conntrack.Flow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.forget(); b.of == nil {
		b.of = make(map[conntrack.Tuple]gap)
	}
	for _, tuple := range [...]conntrack.Tuple{f.Orig, f.Reply} {
		if len(b.order) < maxGaps {
			b.of[tuple] = gap{f.Zone, time.Now()}
			b.order = append(b.order, tuple)
		}
	}
	b.some.Store(true)
}

// cancel forgets a connection that has ended: another may begin from its port.
func (b *between) cancel(f *conntrack.Flow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, f.Orig)
	delete(b.of, f.Reply)
}

// forget forgets those of before.
func (b *between) forget() {
	n := 0
	for _, tuple := range b.order {
		g, ok := b.of[tuple]
		if ok && time.Since(g.since) < gapLife {
			break
		}
		delete(b.of, tuple)
		n++
	}
	if b.order = b.order[n:]; len(b.order) == 0 {
		b.order = nil
		b.some.Store(false)
	}
}
