// SPDX-License-Identifier: MIT

package session

import "sync/atomic"

type counters struct {
	created, confirmed, ended, expired, replaced, missed                              atomic.Uint64
	collisions, full, unknown, drains, lookups, reopened, displaced, givenUp, between atomic.Uint64
}

// Stats are the table's figures since it was made.
type Stats struct {
	Sessions   int    `json:"sessions"`   // now
	Limit      int    `json:"limit"`      // most
	Created    uint64 `json:"created"`    // sessions made
	Confirmed  uint64 `json:"confirmed"`  // confirmed by the kernel
	Ended      uint64 `json:"ended"`      // forgotten, for whatever reason
	Expired    uint64 `json:"expired"`    // never confirmed: their packets were rejected
	Replaced   uint64 `json:"replaced"`   // their id came back with a new connection
	Reopened   uint64 `json:"reopened"`   // conntrack let a new connection go on in their entry
	Displaced  uint64 `json:"displaced"`  // unconfirmed, forgotten for others in a full table
	GivenUp    uint64 `json:"given_up"`   // inspection ended without the packets that it waited for: of memory, time, or Config.Most
	Between    uint64 `json:"between"`    // packets dropped that came while their connection's entry was replaced
	Held       int64  `json:"held"`       // bytes kept of messages that are incomplete
	Missed     uint64 `json:"missed"`     // ended without an event being heard
	Collisions uint64 `json:"collisions"` // ids found with two live connections
	Full       uint64 `json:"full"`       // connections that found no place
	Unknown    uint64 `json:"unknown"`    // packets of no known connection
	Drains     uint64 `json:"drains"`     // times the events were read before a packet
	Lookups    uint64 `json:"lookups"`    // times the kernel was asked about a packet
}

// Stats returns the figures.
func (t *Table) Stats() Stats {
	c := &t.stats
	return Stats{
		Sessions: t.Len(), Limit: t.limit,
		Created: c.created.Load(), Confirmed: c.confirmed.Load(), Ended: c.ended.Load(), Expired: c.expired.Load(),
		Replaced: c.replaced.Load(), Missed: c.missed.Load(), Collisions: c.collisions.Load(), Full: c.full.Load(),
		Unknown: c.unknown.Load(), Drains: c.drains.Load(), Lookups: c.lookups.Load(), Reopened: c.reopened.Load(), Displaced: c.displaced.Load(), GivenUp: c.givenUp.Load(), Between: c.between.Load(), Held: t.holding.bytes.Load(),
	}
}
