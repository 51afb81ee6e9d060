// SPDX-License-Identifier: MIT

package quota

import (
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/quota/plan"
)

// Notice is the Data of events about budgets.
type Notice struct {
	Kind      string `json:"kind"`
	Plan      string `json:"plan"`
	Unit      string `json:"unit"`
	Size      int64  `json:"size"`
	Remaining int64  `json:"remaining"`
	Percent   int    `json:"percent,omitempty"` // of a warning
	Amount    int64  `json:"amount,omitempty"`  // of a top-up

	table string // of the subject's row
}

// number returns a number of a row, false if it is not there.
func number(r *dict.Row, field string) (int64, bool) {
	if r == nil {
		return 0, false
	}
	v, ok := r.Get(field)
	return v.Int64(), ok
}

// adopt gives a new budget what its row says, or the record, whichever is of the
// later period; or begins its first period. It returns the row, nil if it is not
// to be believed.
func (m *Manager) adopt(b *budget, r *dict.Row, now time.Time) *dict.Row {
	saved, known := m.saved[b.id]
	if known && saved.Unit != b.plan.Unit {
		b.open(now) // and the row is of bytes where it should be of seconds, or the other way round
		return nil
	}
	if known {
		b.record = saved
		if !b.Left.IsZero() {
			b.Left, b.changed = time.Time{}, true
		}
	}
	start, has := number(r, b.field("period"))
	left, counted := number(r, b.field("remaining"))
	switch {
	case has && counted && (!known || start >= saved.Start.Unix()):
		if !known || start != saved.Start.Unix() {
			// The row is of a period that the record does not know of.
			own := b.Own
			b.record = record{Unit: b.plan.Unit, Own: own}
			b.Start = time.Unix(start, 0).UTC()
			_, b.End = b.plan.Span(b.Start)
			if v, ok := r.Get("quota_plan"); ok && !b.plan.Own() {
				b.Plan = v.Str()
			} else {
				b.Plan = b.plan.Name
			}
			b.Base = b.granted()
			b.Size = b.Base
			if size, ok := number(r, b.field("size")); ok {
				b.Size = size
			}
			b.changed = true
		}
		b.Remaining = left
		if !b.Looked.IsZero() { // what moved while nobody looked
			b.clock = stopwatch{octets: b.Octets, looked: b.Looked, moved: b.Looked}
		}
		return r
	case !known:
		b.open(now)
	}
	return nil
}

// step brings a budget up to date with its row, which may be nil, and the time.
func (m *Manager) step(b *budget, r *dict.Row, now time.Time) {
	left, there := number(r, b.field("remaining"))
	if _, ours := number(r, b.field("period")); !ours {
		there = false // the row was lost, and something was added to nothing
	}
	if there && left != b.Remaining {
		b.Remaining, b.changed = left, true
	}
	if b.plan.Unit == plan.Bytes {
		m.pay(b, there)
	} else {
		octets, counted := number(r, b.field("bytes"))
		if !there || !counted { // it begins anew
			octets, b.clock.octets = 0, 0
		}
		octets += m.pay(b, there && counted)
		if n := b.clock.look(octets, now); n > 0 {
			b.Remaining -= n
			b.changed = true
			m.out.add(b, -n)
		}
		b.Octets, b.Looked = b.clock.octets, now
	}
	if add, was := b.other(now); was {
		m.out.add(b, add)
	} else if b.over(now) {
		m.close(b, now)
		m.out.add(b, b.turn(now))
		m.tell(b, event.QuotaReset, Notice{})
	} else if add := b.regrant(); add != 0 {
		m.out.add(b, add)
	}
	m.judge(b, now)
	m.approach(b, now)
	m.indulge(b, r, now)
	if !there {
		m.out.whole(b)
		return
	}
	m.out.differences(b, r)
}

// judge notes whether a budget is used up, or nearly.
func (m *Manager) judge(b *budget, now time.Time) {
	switch {
	case b.Remaining > 0 && b.Exceeded != nil:
		b.Exceeded, b.changed = nil, true
	case b.Remaining <= 0 && b.Exceeded == nil:
		at := now.UTC()
		b.Exceeded, b.changed = &at, true
		m.tell(b, event.QuotaExceeded, Notice{})
	}
	used, due := b.percent(), 0
	for _, w := range b.plan.Warn {
		if used >= w {
			due = w
		}
	}
	if due > b.Warned && b.Exceeded == nil {
		m.tell(b, event.QuotaWarning, Notice{Percent: due})
	}
	if due != b.Warned {
		b.Warned, b.changed = due, true
	}
}

// tell has an event published, after all is written.
func (m *Manager) tell(b *budget, kind event.Kind, n Notice) {
	n.table = b.id.subject.Kind.Table()
	n.Kind, n.Plan, n.Unit, n.Size, n.Remaining = b.id.subject.Kind.String(), b.plan.Name, b.plan.Unit.String(), b.Size, b.Remaining
	m.events = append(m.events, event.Event{Kind: kind, Subject: b.id.subject.Name, Data: n})
}
