// SPDX-License-Identifier: MIT

package quota

import (
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// id names a budget: of a subject, in the fields that all plans share (""), or in
// those of a plan.
type id struct {
	subject plan.Subject
	fields  string
}

func idOf(s plan.Subject, p *plan.Plan) id {
	if p.Own() {
		return id{s, p.Name}
	}
	return id{subject: s}
}

// record is what is kept of a budget.
type record struct {
	Plan      string     `json:"plan"`
	Unit      plan.Unit  `json:"unit"`
	Start     time.Time  `json:"start"`
	End       time.Time  `json:"end"`             // zero: none
	Base      int64      `json:"base"`            // what the plan, or somebody for this subject, grants
	Own       *int64     `json:"own,omitempty"`   // what somebody granted
	Begun     bool       `json:"begun,omitempty"` // Own is by Begin, for Plan alone
	Size      int64      `json:"size"`            // and what was carried over and topped up
	Remaining int64      `json:"remaining"`
	Warned    int        `json:"warned,omitempty"`   // percents
	Exceeded  *time.Time `json:"exceeded,omitempty"` // since when
	Octets    int64      `json:"octets,omitempty"`   // of a budget of time: what had moved
	Looked    time.Time  `json:"looked,omitzero"`    // when
	Left      time.Time  `json:"left,omitzero"`      // since when its subject is gone
}

// budget is one that is kept now.
type budget struct {
	id   id
	key  dict.Key
	plan *plan.Plan
	record
	changed bool // the record is to be saved
	clock   stopwatch
	owed    int64     // bytes that passed outside of the chains and are not taken yet
	taken   int64     // of these, with writes that are on their way
	graced  time.Time // when its grace was looked at last
	pace    pace
	near    bool // its end is near
}

// field returns the name of a field of the budget.
func (b *budget) field(name string) string { return b.plan.Field(name) }

// used returns how much of the size is used up.
func (b *budget) used() int64 { return b.Size - b.Remaining }

// granted is what a period is given without what is carried over.
func (b *budget) granted() int64 {
	if b.Own != nil {
		return *b.Own
	}
	return b.plan.Size
}

// open begins the first period of a budget that nobody knows.
func (b *budget) open(now time.Time) {
	own := b.Own
	b.record = record{Plan: b.plan.Name, Unit: b.plan.Unit, Own: own}
	b.Start, b.End = b.plan.Span(now)
	b.Base = b.granted()
	b.Size, b.Remaining = b.Base, b.Base
	b.changed = true
}

// over reports whether the period has ended, or another calendar has begun a new one
// since. A clock that goes back gives nobody a new one.
func (b *budget) over(now time.Time) bool {
	if now.Before(b.Start) {
		return false
	}
	start, end := b.plan.Span(now)
	if start.After(b.Start) {
		return true
	}
	if !end.Equal(b.End) {
		b.End, b.changed = end, true
	}
	return false
}

// early takes a period that a clock began which was ahead by more than a period for the
// one that now is in, with what is left, and reports whether it was one: nobody is to
// wait for years.
func (b *budget) early(now time.Time) bool {
	if !now.Before(b.Start) {
		return false
	}
	start, end := b.plan.Span(now)
	if end.IsZero() || !end.Before(b.Start) {
		return false
	}
	b.Start, b.End, b.changed = start, end, true
	return true
}

// turn begins the period that now is in, and returns how much is to be added to
// what is left.
func (b *budget) turn(now time.Time) (add int64) {
	ended := b.End
	b.Start, b.End = b.plan.Span(now)
	b.Base = b.granted()
	carried := min(max(b.Remaining, 0), b.plan.Rollover)
	if !ended.Equal(b.Start) { // and nothing was used in periods between
		carried = min(carried+b.Base, b.plan.Rollover)
	}
	b.Plan, b.Size = b.plan.Name, b.Base+carried
	add = b.Size - b.Remaining
	b.Remaining, b.Warned, b.Exceeded, b.changed = b.Size, 0, nil, true
	return add
}

// other begins a period where the one that is was begun for another plan, and returns how
// much is to be added to what is left, and whether it was one.
func (b *budget) other(now time.Time) (add int64, was bool) {
	if !b.Begun || b.Plan == b.plan.Name {
		return 0, false
	}
	left := b.Remaining
	b.Own = nil
	b.open(now)
	return b.Remaining - left, true
}

// regrant takes over what the plan, or somebody, grants now in the middle of a
// period, and returns how much is to be added to what is left.
func (b *budget) regrant() (add int64) {
	if add = b.granted() - b.Base; add == 0 && b.Plan == b.plan.Name {
		return 0
	}
	b.Plan = b.plan.Name
	b.Base += add
	b.Size += add
	b.Remaining += add
	b.changed = true
	return add
}

// percent returns how much is used up, in percents of the size.
func (b *budget) percent() int {
	if b.Size <= 0 {
		return 100
	}
	return int(float64(b.used()) / float64(b.Size) * 100)
}
