// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"

	"nftdict/dict"
)

// step is one thing to do: rows to put or to add, else do.
type step struct {
	at    []dict.Pos // of the statements it carries out
	table string
	rows  []dict.Row
	add   bool                               // the rows' values are amounts
	do    func(note func(*dict.Table)) error // note tells of a limit that stays
}

// apply carries out the plan up to the first step with a refusal, and returns
// the refusals of that.
func (p *plan) apply(ctx context.Context, note func(*dict.Table)) (faults []error) {
	for i := range p.steps {
		s := &p.steps[i]
		switch {
		case ctx.Err() != nil:
			return []error{&dict.TextError{Pos: s.at[0], Err: ctx.Err()}}
		case s.do != nil:
			if err := s.do(note); err != nil {
				return []error{&dict.TextError{Pos: s.at[0], Err: err}}
			}
			p.done++
		default:
			write := p.store.Put
			if s.add {
				write = p.store.Add
			}
			faults := s.refusals(write(s.table, s.rows...))
			p.done += len(s.rows) - len(faults)
			if len(faults) > 0 {
				return faults
			}
		}
	}
	return nil
}

// refusals finds the statements of the rows that the store refused, which its joined
// errors name by their keys.
func (s *step) refusals(err error) []error {
	if err == nil {
		return nil
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	used := make([]bool, len(s.rows))
	var faults []error
	for _, err := range all {
		pos := s.at[0]
		var at *dict.At
		if errors.As(err, &at) {
			for i := range s.rows {
				if !used[i] && s.rows[i].Key.Text() == at.Key {
					used[i], pos = true, s.at[i]
					break
				}
			}
		}
		faults = append(faults, &dict.TextError{Pos: pos, Err: err})
	}
	return faults
}
