// SPDX-License-Identifier: MIT

package event

import "sort"

// ring keeps the last events of a class.
type ring struct {
	buf   []Event
	next  int    // where the next goes, once buf is as long as it may be
	lost  uint64 // number up to which events may be missing
	limit int
}

// add keeps an event, in the place of the oldest if need be.
func (r *ring) add(e Event) {
	if len(r.buf) < r.limit {
		r.buf = append(r.buf, e)
		return
	}
	r.lost = r.buf[r.next].Seq
	r.buf[r.next] = e
	r.next = (r.next + 1) % r.limit
}

// clear lets go of all events; those up to a number count as lost.
func (r *ring) clear(lost uint64) { r.buf, r.next, r.lost = nil, 0, lost }

// at returns the event at a place, counted from the oldest one that is kept.
func (r *ring) at(i int) *Event { return &r.buf[(r.next+i)%len(r.buf)] }

// after returns the place of the first event with a number above seq; it is
// len(r.buf) if there is none.
func (r *ring) after(seq uint64) int {
	return sort.Search(len(r.buf), func(i int) bool { return r.at(i).Seq > seq })
}
