// SPDX-License-Identifier: MIT

package quota

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// writes are changes of rows that are made together: what is added first, so that
// a row that says that it is of a period has what that period grants.
type writes struct {
	adds, puts map[string][]dict.Row
}

func newWrites() writes {
	return writes{make(map[string][]dict.Row), make(map[string][]dict.Row)}
}

// add has something added to what is left.
func (w *writes) add(b *budget, n int64) { w.addTo(b, "remaining", n) }

// count has octets counted.
func (w *writes) count(b *budget, n int64) { w.addTo(b, "bytes", n) }

func (w *writes) addTo(b *budget, field string, n int64) {
	if n == 0 {
		return
	}
	table := b.id.subject.Kind.Table()
	w.adds[table] = append(w.adds[table], dict.Row{Key: b.key, Cells: []dict.Cell{{Field: b.field(field), Value: dict.Int64Value(n)}}})
}

// put has fields written.
func (w *writes) put(b *budget, cells []dict.Cell) {
	table := b.id.subject.Kind.Table()
	w.puts[table] = append(w.puts[table], dict.Row{Key: b.key, Cells: cells})
}

// whole has all fields written, where rules charge none yet.
func (w *writes) whole(b *budget) {
	table := b.id.subject.Kind.Table()
	// What was added to a field that is not there is in Remaining.
	for i := len(w.adds[table]) - 1; i >= 0; i-- {
		if r := &w.adds[table][i]; r.Key == b.key && r.Cells[0].Field == b.field("remaining") {
			w.adds[table] = append(w.adds[table][:i], w.adds[table][i+1:]...)
		}
	}
	cells := append(b.cells(), dict.Cell{Field: b.field("remaining"), Value: dict.Int64Value(b.Remaining)})
	if b.plan.Unit == plan.Seconds {
		cells = append(cells, dict.Cell{Field: b.field("bytes"), Value: dict.Int64Value(b.clock.octets)})
	}
	w.put(b, cells)
}

// differences has those fields written that say something else.
func (w *writes) differences(b *budget, r *dict.Row) {
	var cells []dict.Cell
	for _, c := range b.cells() {
		if v, ok := r.Get(c.Field); !ok || v != c.Value {
			cells = append(cells, c)
		}
	}
	if _, ok := r.Get(b.field("bytes")); !ok && b.plan.Unit == plan.Seconds {
		cells = append(cells, dict.Cell{Field: b.field("bytes"), Value: dict.Int64Value(b.clock.octets)})
	}
	if len(cells) > 0 {
		w.put(b, cells)
	}
}

// cells are the fields that only the daemon writes, but for exceeded, which rules
// set.
func (b *budget) cells() []dict.Cell {
	cells := []dict.Cell{
		{Field: b.field("size"), Value: dict.Int64Value(b.Size)},
		{Field: b.field("period"), Value: dict.Int64Value(b.Start.Unix())},
		{Field: b.field("exceeded"), Value: dict.BoolValue(b.Exceeded != nil)},
	}
	if !b.plan.Own() {
		cells = append(cells, dict.Cell{Field: "quota_plan", Value: dict.MustString(b.plan.Name)})
	}
	return cells
}

// flush makes the changes. What is put and fails is found again at the next look. Of
// tables to which nothing could be added, which it returns, nothing is put, either: a
// row must not say that it is of a period that has granted it nothing.
func (w *writes) flush(s dict.Store) (failed map[string]bool, err error) {
	var errs []error
	failed = make(map[string]bool)
	for table, rows := range w.adds {
		if err := s.Add(table, rows...); err != nil {
			failed[table] = true
			errs = append(errs, fmt.Errorf("add to budgets: %w", err))
		}
	}
	for table, rows := range w.puts {
		if failed[table] {
			continue
		}
		if err := s.Put(table, rows...); err != nil {
			errs = append(errs, fmt.Errorf("write budgets: %w", err))
		}
	}
	*w = newWrites()
	return failed, errors.Join(errs...)
}
