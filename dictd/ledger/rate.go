// SPDX-License-Identifier: MIT

package ledger

import (
	"math"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/dictd/session"
)

// speed is how fast one direction of a connection moves, a second.
type speed struct {
	bytes   uint64
	packets uint32
}

// rates are gathered in a round, where it is one in which they are written.
type rates struct {
	due     bool
	next    time.Time // when they are written again
	last    time.Time // when the round before began
	elapsed time.Duration
	changed []session.Rate
}

// rateShare is the most of one processor that writing rates may take: where all of
// 100,000 connections change theirs, they are written less often.
const rateShare = 0.03

// begin begins a round.
func (r *rates) begin(now time.Time, wanted bool) {
	r.elapsed = now.Sub(r.last)
	// Of the first round nothing is known that moved before it.
	r.due = wanted && !r.last.IsZero() && r.elapsed > 0 && !now.Before(r.next)
	r.last = now
	r.changed = r.changed[:0]
}

// take notes the rate of a connection that has moved so much since the round
// before, unless its row says the same.
func (r *rates) take(c *conn, moved [2]conntrack.Counter) {
	if !r.due {
		return
	}
	now := [2]speed{r.speed(moved[0]), r.speed(moved[1])}
	if c.rated && now == c.speed {
		return
	}
	c.rated, c.speed = true, now
	one := session.Rate{ID: c.id, Zone: c.zone, Orig: c.orig}
	for i, s := range now {
		one.Way[i] = conntrack.Counter{Packets: uint64(s.packets), Bytes: s.bytes}
	}
	r.changed = append(r.changed, one)
}

func (r *rates) speed(moved conntrack.Counter) speed {
	seconds := r.elapsed.Seconds()
	return speed{
		uint64(math.Round(float64(moved.Bytes) / seconds)),
		uint32(min(math.Round(float64(moved.Packets)/seconds), math.MaxUint32)),
	}
}

// writeRates has what changed written, and puts the next time off where that costs
// much. polling is held.
func (l *Ledger) writeRates() error {
	r := &l.rates
	if len(r.changed) == 0 {
		return nil
	}
	before, err := threadTime()
	if err != nil {
		return err
	}
	err = l.cfg.Rates(r.changed)
	after, _ := threadTime()
	r.next = r.last.Add(time.Duration(float64(after-before) / rateShare))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Rates += uint64(len(r.changed))
	l.stats.RateCost = after - before
	if err != nil {
		l.conns.each(func(c *conn) { c.rated = false }) // all of them again
	}
	if cap(r.changed) > 4096 && len(r.changed) < cap(r.changed)/4 {
		r.changed = nil
	}
	return err
}
