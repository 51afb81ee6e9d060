// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"

	"nftdict/dict"
)

// match binds a Match.
func (b binder) match(m *Match) (*Condition, error) {
	ref, asked, err := b.lookup(&m.Lookup)
	if err != nil {
		return nil, err
	}
	c := &Condition{Ref: *ref, Op: m.Op, term: m}
	fail := func(err error) (*Condition, error) {
		return nil, fieldError(&c.Table, &m.Lookup, err)
	}
	if m.Op == Exists || m.Op == Missing {
		c.Type, c.Default = asked, dict.Value{}
		return c, nil
	}
	if asked, err = operandsType(&c.Ref, asked, m.Items); err != nil {
		return fail(err)
	}
	c.Type = c.stored(asked)
	if err := checkOp(m, c.Type); err != nil {
		return fail(err)
	}
	for i := range m.Items {
		item, err := newItem(m.Items[i], asked, c.Type)
		if err != nil {
			return fail(about(&m.Items[i], err))
		}
		c.Items = append(c.Items, item)
	}
	c.restrictDefault()
	return c, nil
}

// stored returns the type of the values in the field when asked is the type
// that was written: int may be written where the field is int64.
func (r *Ref) stored(asked dict.Type) dict.Type {
	if r.Type == dict.Int64 {
		return dict.Int64
	}
	return asked
}

// checkOp refuses an operator that values of type t do not have.
func checkOp(m *Match, t dict.Type) error {
	if m.Op == Eq || m.Op == Ne {
		return nil
	}
	if !ordered(t) {
		return about(&m.Op, fmt.Errorf("operator %s: %w: %s has no order, use == or !=", m.Op, dict.ErrType, t))
	}
	o := &m.Items[0]
	if !o.Quoted && readLiteral(o.Text).form != formSingle {
		return about(o, fmt.Errorf("operator %s: %w: %s is more than one value, use == or !=", m.Op, dict.ErrInvalid, o.Text))
	}
	return nil
}

// ordered reports whether values of type t have an order.
func ordered(t dict.Type) bool {
	return t == dict.Int || t == dict.Int64 || t == dict.IPv4 || t == dict.IPv6
}

// operandType returns the type that a value is read as. asked is what was
// written or declared; where that is address, or nothing as in an open table,
// the look of the value decides.
func operandType(r *Ref, asked dict.Type, o *Operand) (dict.Type, error) {
	if asked != dict.Address && asked != 0 {
		return asked, nil
	}
	kind := dict.String
	if asked == dict.Address && o.Quoted {
		kind = kindOf(o.Text)
	} else if !o.Quoted {
		kind = readLiteral(o.Text).kind
	}
	switch {
	case asked == dict.Address && kind != dict.IPv4 && kind != dict.IPv6:
		return 0, about(o, fmt.Errorf("value %s: %w: want an IPv4 or an IPv6 address", o, dict.ErrType))
	case kind == dict.Int64:
		return 0, about(o, fmt.Errorf("value %s: %w: table %s is open, write int, int64 or long_string before it", o, dict.ErrType, r.Table.Name))
	}
	return kind, nil
}

// operandsType returns the one type that all values of a match are read as.
func operandsType(r *Ref, asked dict.Type, items []Operand) (found dict.Type, err error) {
	for i := range items {
		o := &items[i]
		kind, err := operandType(r, asked, o)
		if err != nil {
			return 0, err
		}
		if i > 0 && kind != found {
			return 0, about(o, fmt.Errorf("value %s: %w: %s beside %s in one set, write two rules", o, dict.ErrType, kind, found))
		}
		found = kind
	}
	return found, nil
}
