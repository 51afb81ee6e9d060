// SPDX-License-Identifier: MIT

package offload

import "time"

// again is the least time between two times that all connections are asked about for the
// same reason, and most the longest that is waited where that does not cease to change.
const (
	again = time.Second
	most  = 32 * time.Second
)

// paces tell when all connections are to be asked about, for one of several reasons: each
// at a pace of its own, so that what changes all the time does not hold up what does not.
type paces map[string]*pace

// pace is that of one reason.
type pace struct {
	last, due time.Time // due is zero if nothing has changed since
	pause     time.Duration
}

// changed notes that a reason has changed.
func (p paces) changed(reason string, now time.Time) {
	c := p[reason]
	if c == nil {
		c = &pace{pause: again}
		p[reason] = c
	}
	if !c.due.IsZero() {
		return
	}
	// Where changes do not cease it is done less and less often.
	since := now.Sub(c.last)
	if since > 2*c.pause {
		c.pause = again
	}
	if c.due = now; since < c.pause {
		c.due = c.last.Add(c.pause)
		c.pause = min(2*c.pause, most)
	}
}

// due returns when it is time, the zero time if nothing has changed.
func (p paces) due() (next time.Time) {
	for _, c := range p {
		if !c.due.IsZero() && (next.IsZero() || c.due.Before(next)) {
			next = c.due
		}
	}
	return next
}

// asked notes that all connections were asked about, for whatever has changed until now.
func (p paces) asked(now time.Time) {
	for reason, c := range p {
		switch {
		case !c.due.IsZero():
			c.last, c.due = now, time.Time{}
		case c.idle(now):
			delete(p, reason)
		}
	}
}

// ripe returns the reasons whose time has come, and notes that they were asked about.
func (p paces) ripe(now time.Time) (reasons []string) {
	for reason, c := range p {
		if !c.due.IsZero() && !c.due.After(now) {
			c.last, c.due = now, time.Time{}
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// idle reports whether it makes no difference any more when it was asked about.
func (c *pace) idle(now time.Time) bool { return c.due.IsZero() && now.Sub(c.last) > 2*most }
