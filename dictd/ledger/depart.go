// SPDX-License-Identifier: MIT

package ledger

import "nftdict/dictd/conntrack"

// departed is what a connection keeps whose entry is replaced, and that of the new one,
// as often as that happens.
type departed struct {
	label   Label
	counted bool // as a connection, or it will be
	epoch   uint32
}

// maxDeparted bounds those whose new entry was not seen yet.
const maxDeparted = 1 << 16

// Depart tells that the entry f of a connection is about to be replaced by another of
// the same names, with counters of its own. Each is billed by its own counters; it is
// one connection all the same, also where the ledger hears of none before all have gone.
func (l *Ledger) Depart(f *conntrack.Flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := goneKey{zone: f.Zone, orig: f.Orig}
	d, ok := l.departed[key]
	if !ok && len(l.departed) >= maxDeparted {
		return
	}
	d.epoch = l.epoch
	if !d.label.Final {
		if label := l.cfg.Label(f); label.Application != "" {
			d.label = label
		}
	}
	for c := l.conns.first[f.ID]; c != nil; c = c.next {
		if c.is(f) {
			d.counted = true
			if c.label.Application != "" {
				d.label = c.label
			}
		}
	}
	if l.departed == nil {
		l.departed = make(map[goneKey]departed)
	}
	l.departed[key] = d
}

// arrive gives a connection what it had in entries before, or has in some that come to
// be known later; mu is held.
func (l *Ledger) arrive(c *conn) {
	key := goneKey{zone: c.zone, orig: c.orig}
	d, ok := l.departed[key]
	if !ok {
		return
	}
	c.label, c.counted = d.label, c.counted || d.counted
	d.counted = true
	l.departed[key] = d
}

// awaits reports whether an entry, which is not known, replaces another and has moved
// nothing: it may never do, and the connection counts with what was moved in the other,
// whose end may be told later. mu is held.
func (l *Ledger) awaits(f *conntrack.Flow) bool {
	key := goneKey{zone: f.Zone, orig: f.Orig}
	d, ok := l.departed[key]
	if !ok || f.Counters != [2]conntrack.Counter{} {
		return false
	}
	d.epoch = l.epoch
	l.departed[key] = d
	return true
}

// forgetDeparted forgets those that two rounds have not seen again: what has their names
// then is another connection. mu is held.
func (l *Ledger) forgetDeparted() {
	for k, d := range l.departed {
		if l.epoch-d.epoch > 2 {
			delete(l.departed, k)
		}
	}
}
