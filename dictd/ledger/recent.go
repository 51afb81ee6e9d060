// SPDX-License-Identifier: MIT

package ledger

import (
	"container/heap"
	"slices"
	"time"
)

// Of the last looks is kept what moved: so much, so many, and so many keys of each.
// The traffic of more keys is put together by application and user.
const (
	recentEvery = 1900 * time.Millisecond // in a hurry there are more looks
	recentSpans = 150
	recentKeys  = 512
)

// recent is what moved in the last while.
type recent struct {
	moved []*cell   // since the last span
	since time.Time // when that ended
	spans []Uses    // the oldest first
}

// mark notes a cell before something is added to it.
func (r *recent) mark(one *cell) {
	if !one.moved {
		one.moved, one.before = true, one.use
		r.moved = append(r.moved, one)
	}
}

// span ends one where it is time. What moved before the first look after the start is
// not of a span whose beginning is known.
func (r *recent) span(now time.Time) {
	if now.Sub(r.since) < recentEvery && now.Sub(r.since) >= 0 {
		return
	}
	from := r.since
	r.since = now
	if !from.IsZero() && from.Before(now) { // else the clock was put back
		if len(r.spans) == recentSpans {
			r.spans = slices.Delete(r.spans, 0, 1)
		}
		r.spans = append(r.spans, Uses{Start: from, End: now, Uses: compact(r.moved)})
	}
	for i, one := range r.moved {
		one.moved = false
		r.moved[i] = nil
	}
	few := len(r.moved) < cap(r.moved)/4
	if r.moved = r.moved[:0]; few && cap(r.moved) > 4*recentKeys {
		r.moved = nil
	}
}

// compact returns what cells have moved: each of those that moved most, and the others
// put together.
func compact(moved []*cell) []KeyUse {
	all := make([]KeyUse, 0, min(len(moved), recentKeys))
	least := leastOf(moved)
	rest := make(map[Key]*Use)
	for _, one := range moved {
		use := one.use.since(one.before)
		if use.bytes() > least || len(moved) <= recentKeys {
			all = append(all, KeyUse{one.key, use})
			continue
		}
		k := Key{User: one.key.User, Application: one.key.Application}
		if rest[k] == nil && len(rest) >= recentKeys { // names are anybody's: they are bounded, too
			k = Key{}
		}
		if rest[k] == nil {
			rest[k] = new(Use)
		}
		rest[k].add(use)
	}
	for k, use := range rest {
		all = append(all, KeyUse{k, *use})
	}
	return slices.Clip(all)
}

// leastOf returns an amount than which at most recentKeys cells have moved more.
func leastOf(moved []*cell) uint64 {
	if len(moved) <= recentKeys {
		return 0
	}
	// The largest so far, the least of them first.
	top := make(amounts, 0, recentKeys+1)
	for _, one := range moved {
		n := one.use.bytes() - one.before.bytes()
		switch {
		case len(top) <= recentKeys:
			heap.Push(&top, n)
		case n > top[0]:
			top[0] = n
			heap.Fix(&top, 0)
		}
	}
	return top[0]
}

// amounts is a heap, the least first.
type amounts []uint64

func (a amounts) Len() int           { return len(a) }
func (a amounts) Less(i, j int) bool { return a[i] < a[j] }
func (a amounts) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *amounts) Push(n any)        { *a = append(*a, n.(uint64)) }
func (a *amounts) Pop() any          { panic("nothing is taken out") }

// list returns the spans that a query asks for. They are not to be changed.
func (r *recent) list(q *Query) (all []Uses) {
	for _, one := range r.spans {
		if !one.Start.Before(q.Since) && one.Start.Before(q.Till) {
			all = append(all, one)
		}
	}
	return all
}

func (u *Use) bytes() uint64 { return u.In.Bytes + u.Out.Bytes }

// since returns what was added to an earlier Use.
func (u *Use) since(before Use) Use {
	return Use{In: u.In.Sub(before.In), Out: u.Out.Sub(before.Out), Connections: u.Connections - before.Connections}
}
