// SPDX-License-Identifier: MIT

package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
)

// Spec is a plan as a configuration has it: texts that Parse understands.
type Spec struct {
	Name         string   `toml:"name"`
	For          []string `toml:"for"`
	Shared       bool     `toml:"shared"`
	Applications []string `toml:"applications"`
	Categories   []string `toml:"categories"`
	Volume       string   `toml:"volume"`
	Direction    string   `toml:"direction"`
	Time         string   `toml:"time"`
	Separate     bool     `toml:"separate"`
	Period       string   `toml:"period"`
	Reset        string   `toml:"reset"` // HH:MM
	Day          string   `toml:"day"`   // a weekday, or the day of a month
	Zone         string   `toml:"zone"`
	Rollover     string   `toml:"rollover"`
	Warn         []int    `toml:"warn"`
	Then         string   `toml:"then"`
	Except       Except   `toml:"except"`
}

// Except is what stays usable when a budget is used up.
type Except struct {
	Applications []string `toml:"applications"`
	Categories   []string `toml:"categories"`
}

// Bounds of a configuration.
const (
	MaxPlans = 64
	maxOwn   = 40 // plans with fields of their own; a table has 256
	maxName  = 32
	maxKinds = 256 // applications and categories of a plan
)

// Defaults are what plans that do not say otherwise have.
type Defaults struct {
	Zone     *time.Location
	Throttle uint32 // the mark
}

// Parse makes plans of texts, in their order. The error names all that is wrong,
// by plan and key.
func Parse(specs []Spec, d Defaults) ([]*Plan, error) {
	var errs []error
	if len(specs) > MaxPlans {
		errs = append(errs, fmt.Errorf("plan: %w: %d, at most %d", dict.ErrRange, len(specs), MaxPlans))
	}
	var plans []*Plan
	own := 0
	for i := range specs {
		p, err := specs[i].parse(d)
		if err == nil && slices.ContainsFunc(plans, func(o *Plan) bool { return dict.Name(o.Name) == p.Name }) {
			err = dict.ErrExist
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("plan %s: %w", dict.Quote(specs[i].Name), err))
			continue
		}
		if p.Own() {
			own++
		}
		plans = append(plans, p)
	}
	if own > maxOwn {
		errs = append(errs, fmt.Errorf("plan: %w: %d of applications, of time, or separate, at most %d", dict.ErrRange, own, maxOwn))
	}
	return plans, errors.Join(errs...)
}

// reserved are names of plans that would make fields of others.
var reserved = []string{"size", "remaining", "exceeded", "period", "plan", "group", "bytes", "grace"}

func (s *Spec) parse(d Defaults) (*Plan, error) {
	name, err := dict.CheckName(s.Name)
	if err != nil {
		return nil, err
	}
	if len(name) > maxName || slices.Contains(reserved, name) || strings.Contains(name, ".") {
		return nil, fmt.Errorf("name: %w: want at most %d letters, digits, - or _, and none of %s", dict.ErrInvalid, maxName, strings.Join(reserved, ", "))
	}
	p := &Plan{Name: name, Shared: s.Shared, Separate: s.Separate,
		Of:     Kinds{once(s.Applications), once(s.Categories)},
		Except: Kinds{once(s.Except.Applications), once(s.Except.Categories)},
	}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	if len(s.For) == 0 {
		note(fmt.Errorf("for: %w: nobody", dict.ErrInvalid))
	}
	for _, text := range s.For {
		w, err := parseWhom(text, s.Shared)
		if err == nil && s.Shared && w.Kind != Group {
			err = fmt.Errorf("for %s: %w: of shared plans, want \"group NAME\"", dict.Quote(text), dict.ErrInvalid)
		}
		note(err)
		p.For = append(p.For, w)
	}
	for _, list := range [][]string{p.Of.Applications, p.Of.Categories, p.Except.Applications, p.Except.Categories} {
		note(checkKinds(list))
	}
	note(p.parseSize(s))
	note(p.parsePeriod(s, d))
	note(p.parseEnd(s, d))
	return p, errors.Join(errs...)
}

// once returns names without those that were there before.
func once(names []string) (out []string) {
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func checkKinds(list []string) error {
	if len(list) > maxKinds {
		return fmt.Errorf("%w: %d applications or categories, at most %d", dict.ErrRange, len(list), maxKinds)
	}
	for _, name := range list {
		if _, err := dict.StringValue(name); err != nil || name == "" || strings.TrimSpace(name) != name {
			return fmt.Errorf("application or category %s: %w", dict.Quote(name), dict.ErrInvalid)
		}
	}
	return nil
}

func (p *Plan) parseSize(s *Spec) (err error) {
	switch {
	case (s.Volume == "") == (s.Time == ""):
		return fmt.Errorf("volume, time: %w: want one of them", dict.ErrInvalid)
	case s.Volume != "":
		if p.Size, p.Unit, err = ParseAmount(s.Volume); err == nil && p.Unit != Bytes {
			err = fmt.Errorf("%w: want bytes, such as 20MB", dict.ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("volume %s: %w", dict.Quote(s.Volume), err)
		}
	default:
		if p.Size, p.Unit, err = ParseAmount(s.Time); err == nil && p.Unit != Seconds {
			err = fmt.Errorf("%w: want a time, such as 2h", dict.ErrInvalid)
		}
		if err != nil {
			return fmt.Errorf("time %s: %w", dict.Quote(s.Time), err)
		}
	}
	switch s.Direction {
	case "", "both":
	case "in":
		p.Direction = In
	case "out":
		p.Direction = Out
	default:
		return fmt.Errorf("direction %s: %w: want in, out, both", dict.Quote(s.Direction), dict.ErrInvalid)
	}
	if s.Rollover == "" {
		return nil
	}
	n, unit, err := ParseAmount(s.Rollover)
	if err == nil && unit != p.Unit && n != 0 {
		err = fmt.Errorf("%w: want %s", dict.ErrInvalid, p.Unit)
	}
	if err != nil {
		return fmt.Errorf("rollover %s: %w", dict.Quote(s.Rollover), err)
	}
	p.Rollover = n
	return nil
}
