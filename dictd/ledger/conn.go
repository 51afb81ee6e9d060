// SPDX-License-Identifier: MIT

package ledger

import (
	"net/netip"
	"time"

	"nftdict/dictd/conntrack"
)

// conn is a connection whose end is not known yet: an id, a zone, a tuple, and
// when it began.
type conn struct {
	next *conn // another of the same id

	orig   conntrack.Tuple
	server netip.Addr // who answers, after translation: the packet's destination when it is forwarded
	start  uint64     // nanoseconds of Unix time; 0 where the kernel does not tell
	id     uint32
	zone   uint16

	local     bool // an end is this machine: nothing is billed
	estimated bool // its end was not heard of
	dirty     bool // is in Ledger.dirty
	counted   bool // as a connection, in its cells
	over      bool // it has ended

	epoch    uint32    // last round that showed it
	vanished time.Time // when it was gone without a word; zero while it lives

	// billed is what of its counters the totals have.
	billed [2]conntrack.Counter
	label  Label

	offload *offload // nil unless something moved beside the rules

	rated bool // its row has speed
	speed [2]speed
}

// is reports whether a connection is the entry f.
func (c *conn) is(f *conntrack.Flow) bool {
	return c.id == f.ID && c.zone == f.Zone && c.orig == f.Orig && c.start == f.Start
}

// moved returns what the entry f of a connection has moved since it was billed.
func (c *conn) moved(f *conntrack.Flow) [2]conntrack.Counter {
	return [2]conntrack.Counter{f.Counters[0].Sub(c.billed[0]), f.Counters[1].Sub(c.billed[1])}
}

// index holds connections by id; few share one.
type index struct {
	first map[uint32]*conn
	n     int
}

func newIndex() index { return index{first: make(map[uint32]*conn)} }

func (x *index) add(c *conn) {
	c.next = x.first[c.id]
	x.first[c.id] = c
	x.n++
}

// remove takes a connection out that is in.
func (x *index) remove(c *conn) {
	x.n--
	if x.first[c.id] == c {
		if c.next == nil {
			delete(x.first, c.id)
		} else {
			x.first[c.id] = c.next
		}
		return
	}
	for o := x.first[c.id]; ; o = o.next {
		if o.next == c {
			o.next = c.next
			return
		}
	}
}

// each calls f for all connections, which f may remove.
func (x *index) each(f func(*conn)) {
	for _, c := range x.first {
		for c != nil {
			next := c.next
			f(c)
			c = next
		}
	}
}
