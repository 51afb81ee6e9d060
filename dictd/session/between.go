// SPDX-License-Identifier: MIT

package session

import (
	"slices"
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
	of    map[place]time.Time // since when, by the tuples of both directions
	order []gap               // by time; those that are noted again are there again
	zones []uint16            // in which there were any
}

type gap struct {
	place
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
	zones := b.zones
	if p.ZoneKnown {
		zones = []uint16{p.Zone}
	}
	if !slices.ContainsFunc(zones, func(zone uint16) bool { _, ok := b.of[place{p.Tuple, zone}]; return ok }) {
		return false
	}
	t.stats.between.Add(1)
	return true
}

// begin notes a connection whose entry is about to be replaced.
func (b *between) begin(f *conntrack.Flow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.forget(); len(b.order)+2 > maxGaps {
		return
	}
	if b.of == nil {
		b.of = make(map[place]time.Time)
	}
	if !slices.Contains(b.zones, f.Zone) && len(b.zones) < maxZones {
		b.zones = append(b.zones, f.Zone)
	}
	now := time.Now()
	for _, p := range places(f) {
		b.of[p] = now
		b.order = append(b.order, gap{p, now})
	}
	b.some.Store(true)
}

// cancel forgets a connection that has ended: another may begin from its port.
func (b *between) cancel(f *conntrack.Flow) {
	if !b.some.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range places(f) {
		delete(b.of, p)
	}
}

// forget forgets those of before.
func (b *between) forget() {
	n := 0
	for _, g := range b.order {
		if time.Since(g.since) < gapLife {
			break
		}
		if b.of[g.place].Equal(g.since) {
			delete(b.of, g.place)
		}
		n++
	}
	if b.order = b.order[n:]; len(b.order) == 0 {
		b.order, b.zones = nil, nil
		b.some.Store(false)
	}
}

// places are where packets of an entry's two directions are looked for.
func places(f *conntrack.Flow) [2]place { return [...]place{{f.Orig, f.Zone}, {f.Reply, f.Zone}} }
