// SPDX-License-Identifier: MIT

package ledger

import "nftdict/dictd/conntrack"

// departed is what a connection whose entry is replaced keeps in the new one.
type departed struct {
	id    uint32 // of the old entry
	start uint64
	label Label
	epoch uint32
}

// maxDeparted bounds those whose new entry was not seen yet.
const maxDeparted = 1 << 16

// Depart tells that the entry f of a connection is about to be replaced by another of
// the same names, with counters of its own. Each is billed by its own counters; it is
// one connection all the same.
func (l *Ledger) Depart(f *conntrack.Flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.departed) >= maxDeparted {
		return
	}
	d := departed{id: f.ID, start: f.Start, epoch: l.epoch}
	for c := l.conns.first[f.ID]; c != nil; c = c.next {
		if c.is(f) {
			d.label = c.label
		}
	}
	if l.departed == nil {
		l.departed = make(map[goneKey]departed)
	}
	l.departed[goneKey{zone: f.Zone, orig: f.Orig}] = d
}

// arrive gives a connection what it had in an entry before; mu is held.
func (l *Ledger) arrive(c *conn) {
	key := goneKey{zone: c.zone, orig: c.orig}
	if d, ok := l.departed[key]; ok && (d.id != c.id || d.start != c.start) {
		c.label, c.counted = d.label, true
		delete(l.departed, key)
	}
}

// forgetDeparted forgets those that two rounds have not seen again; mu is held.
func (l *Ledger) forgetDeparted() {
	for k, d := range l.departed {
		if l.epoch-d.epoch > 2 {
			delete(l.departed, k)
		}
	}
}
