// SPDX-License-Identifier: MIT

package session

import "time"

// queue holds unconfirmed sessions in the order of their making.
type queue struct {
	items []waiter
}

type waiter struct {
	s     *Session
	since int64 // nanoseconds of Unix time
}

func (q *queue) push(s *Session, now time.Time) { q.items = append(q.items, waiter{s, now.UnixNano()}) }

// due takes the oldest session out if it waits since before t, else returns nil.
func (q *queue) due(t time.Time) *Session {
	if len(q.items) == 0 || q.items[0].since >= t.UnixNano() {
		return nil
	}
	s := q.items[0].s
	q.items[0] = waiter{} // let go of it
	q.items = q.items[1:]
	return s
}
