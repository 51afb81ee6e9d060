// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"math"
	"slices"
)

// Plus returns the sum of two numbers as a value of v's type: what leaves the
// limits of that type stays at the limit. v is an Int or Int64; values of other
// types are returned as they are.
func (v Value) Plus(amount int64) Value {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	switch v.typ {
	case Int:
		least, most = math.MinInt32, math.MaxInt32
	case Int64:
	default:
		return v
	}
	sum := v.num + amount
	switch {
	case amount > 0 && sum < v.num:
		sum = most
	case amount < 0 && sum > v.num:
		sum = least
	}
	v.num = min(max(sum, least), most)
	return v
}

// CheckAmounts returns the row as a store's Add takes it: what CheckRow
// returns, every value being a number and no field named twice. The errors are
// those of CheckRow, ErrType for a value that is no number and ErrInvalid for a
// field's second amount.
func (t *Table) CheckAmounts(op string, r Row) (Row, error) {
	out, err := t.CheckRow(op, r)
	if err != nil {
		return Row{}, err
	}
	at := func(field string, err error) (Row, error) {
		return Row{}, &At{Op: op, Table: t.Name, Key: out.Key.Text(), Field: field, Err: err}
	}
	for _, c := range out.Cells {
		if typ := c.Value.Type(); typ != Int && typ != Int64 {
			return at(c.Field, fmt.Errorf("value %s: %w: %s, want an amount of int or int64", c.Value.Text(), ErrType, typ))
		}
	}
	if len(out.Cells) == len(r.Cells) {
		return out, nil
	}
	for i, c := range r.Cells {
		same := func(o Cell) bool { return t.fieldName(o.Field) == t.fieldName(c.Field) }
		if slices.ContainsFunc(r.Cells[:i], same) {
			return at(c.Field, fmt.Errorf("%w: a second amount", ErrInvalid))
		}
	}
	return out, nil
}

// fieldName returns the canonical name of a field by its name or alias.
func (t *Table) fieldName(name string) string {
	if i := t.Index(name); i >= 0 {
		return t.Fields[i].Name
	}
	return Name(name)
}
