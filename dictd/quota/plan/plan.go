// SPDX-License-Identifier: MIT

package plan

import (
	"slices"
	"strings"
	"time"

	"nftdict/nftext"
)

// Plan is a plan that can be kept. It does not change.
type Plan struct {
	Name      string
	For       []Whom
	Shared    bool  // groups have one budget
	Of        Kinds // all traffic, if it is empty
	Unit      Unit
	Size      int64 // bytes or seconds, for each period
	Direction Direction
	Separate  bool
	Calendar  Calendar
	Rollover  int64 // most of what is left that the next period gets, in addition
	Warn      []int // percents of the size, in their order
	Then      Action
	Mark      uint32 // of packets, where Then gives them one
	Except    Kinds  // what stays usable
}

// Kinds are kinds of traffic, as rows of sessions have them.
type Kinds struct {
	Applications []string
	Categories   []string
}

// Empty reports whether there is no kind.
func (k Kinds) Empty() bool { return len(k.Applications)+len(k.Categories) == 0 }

// Has reports whether traffic of an application and a category is meant, as rules
// would find it: names may have wildcards.
func (k Kinds) Has(application, category string) bool {
	return among(k.Applications, application) || among(k.Categories, category)
}

func among(patterns []string, name string) bool {
	return name != "" && slices.ContainsFunc(patterns, func(p string) bool {
		if p == name {
			return true
		}
		g, err := nftext.CompileGlob(p)
		return err == nil && g.Match(name)
	})
}

// Direction says which packets a budget pays for: those to the subject, those
// from it, or both.
type Direction uint8

// The directions.
const (
	Both Direction = iota
	In
	Out
)

// String returns the word of a configuration.
func (d Direction) String() string { return [...]string{Both: "both", In: "in", Out: "out"}[d] }

// Action is what becomes of a subject's packets when its budget is used up.
type Action uint8

// The actions.
const (
	Block    Action = iota // they are rejected, but those of transfers under way vanish: these go on after a top-up
	Reset                  // they are rejected
	Drop                   // they vanish: open connections wait, and go on after a top-up
	Throttle               // they get the mark and the class that tc slows down
	Class                  // they get a mark of the plan's own
)

// ThrottleClass is the class of traffic control, 1:20, of packets that are throttled,
// beside their mark.
const ThrottleClass = 0x1_0020

// String returns the word of a configuration, without its mark.
func (a Action) String() string {
	return [...]string{Block: "block", Reset: "reset", Drop: "drop", Throttle: "throttle", Class: "class"}[a]
}

// Own reports whether the plan's budgets have fields of their own in the rows of
// their subjects; else they have quota_size, quota_remaining and the others.
func (p *Plan) Own() bool { return p.Separate || p.Unit == Seconds || !p.Of.Empty() }

// Field returns the name of a field of the plan's budgets: "remaining".
func (p *Plan) Field(name string) string {
	if p.Own() {
		return "quota_" + p.Name + "_" + name
	}
	return "quota_" + name
}

// Covers reports whether a subject has a budget by the plan; groups are those of
// a user.
func (p *Plan) Covers(s Subject, groups []string) bool {
	return slices.ContainsFunc(p.For, func(w Whom) bool { return w.Is(s, groups) })
}

// Has reports whether the plan is for some subjects of a kind.
func (p *Plan) Has(k Kind) bool {
	return slices.ContainsFunc(p.For, func(w Whom) bool { return w.Kind == k })
}

// Counts reports whether traffic of an application and a category counts.
func (p *Plan) Counts(application, category string) bool {
	return p.Of.Empty() || p.Of.Has(application, category)
}

// String tells what the plan grants: "20 MB in a day".
func (p *Plan) String() string {
	var b strings.Builder
	b.WriteString(FormatAmount(p.Size, p.Unit))
	if p.Direction != Both {
		b.WriteString(" " + p.Direction.String())
	}
	if of := slices.Concat(p.Of.Applications, p.Of.Categories); len(of) > 0 {
		b.WriteString(" of " + strings.Join(of, ", "))
	}
	if p.Calendar.Every != None {
		b.WriteString(" a " + p.Calendar.Every.String())
	}
	return b.String()
}

// Span returns the period that an instant is in, as Calendar.Span.
func (p *Plan) Span(t time.Time) (start, end time.Time) { return p.Calendar.Span(t) }
