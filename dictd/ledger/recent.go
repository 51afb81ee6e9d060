// SPDX-License-Identifier: MIT

package ledger

import (
	"cmp"
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
	first := r.since.IsZero()
	u := Uses{Start: r.since, End: now, Uses: make([]KeyUse, 0, len(r.moved))}
	for i, one := range r.moved {
		u.Uses = append(u.Uses, KeyUse{one.key, one.use.since(one.before)})
		one.moved = false
		r.moved[i] = nil
	}
	r.moved, r.since = r.moved[:0], now
	if cap(r.moved) > 4*recentKeys && len(u.Uses) < cap(r.moved)/4 {
		r.moved = nil
	}
	if first || !u.Start.Before(now) { // the clock was put back
		return
	}
	u.Uses = compact(u.Uses)
	if len(r.spans) == recentSpans {
		r.spans = slices.Delete(r.spans, 0, 1)
	}
	r.spans = append(r.spans, u)
}

// compact keeps the keys that moved most, and puts the others together.
func compact(all []KeyUse) []KeyUse {
	if len(all) <= recentKeys {
		return slices.Clip(all)
	}
	slices.SortFunc(all, func(a, b KeyUse) int { return cmp.Compare(b.bytes(), a.bytes()) })
	kept := slices.Clone(all[:recentKeys])
	rest := make(map[Key]int)
	for _, one := range all[recentKeys:] {
		k := Key{User: one.User, Application: one.Application}
		at, there := rest[k]
		if !there && len(rest) >= recentKeys { // names are anybody's: they are bounded, too
			k = Key{}
			at, there = rest[k]
		}
		if !there {
			at = len(kept)
			rest[k] = at
			kept = append(kept, KeyUse{Key: k})
		}
		kept[at].add(one.Use)
	}
	return slices.Clip(kept)
}

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
