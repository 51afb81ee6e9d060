// SPDX-License-Identifier: MIT

package ruletest

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// Eval returns what the reference answers to a rule for a packet, with the
// rows of store.
func Eval(text string, p nftext.Packet, store dict.Store) (bool, error) {
	b, err := bind(text, store)
	if err != nil {
		return false, err
	}
	c, ok := b.(*nftext.Condition)
	if !ok {
		return false, fmt.Errorf("%s: %w: no match", text, dict.ErrInvalid)
	}
	return nftext.Eval(c, p, store)
}

// Apply does to the store what the reference does for a statement.
func Apply(text string, p nftext.Packet, store dict.Store) error {
	b, err := bind(text, store)
	if err != nil {
		return err
	}
	return nftext.Apply(b, p, store)
}

func bind(text string, schema nftext.Schema) (nftext.Bound, error) {
	t, n, err := nftext.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	if n != len(text) {
		return nil, fmt.Errorf("%s: %w: ends at %d", text, dict.ErrInvalid, n)
	}
	return nftext.Bind(t, schema)
}

// Check compares the rows of a store with what an effect is to leave.
func (e Effect) Check(s dict.Store, p nftext.Packet) error {
	var errs []error
	for _, want := range e.Want {
		errs = append(errs, want.check(s, p))
	}
	return errors.Join(errs...)
}

func (r Row) check(s dict.Store, p nftext.Packet) error {
	want, ok := r.Resolve(p)
	if !ok {
		return fmt.Errorf("row of %s: packet has no %s", r.Table, r.Select)
	}
	t, err := s.Table(r.Table)
	if err != nil {
		return err
	}
	if want.Key, err = fit(want.Key, t.Key); err != nil {
		return err
	}
	have, err := s.Get(r.Table, want.Key)
	switch {
	case errors.Is(err, dict.ErrNotExist) && len(want.Cells) == 0:
		return nil
	case err != nil:
		return err
	case len(want.Cells) == 0:
		return fmt.Errorf("row %s %s is there: %v", r.Table, want.Key, have.Cells)
	}
	for i, c := range want.Cells {
		if r.Cells[i].From != 0 {
			c.Value = narrow(&t, c)
		}
		v, ok := have.Get(c.Field)
		if !ok || v.Type() != c.Value.Type() || v != c.Value {
			return fmt.Errorf("row %s %s: field %s: have %q %s, want %q %s",
				r.Table, want.Key, c.Field, v.Text(), v.Type(), c.Value.Text(), c.Value.Type())
		}
	}
	if len(have.Cells) != len(want.Cells) {
		return fmt.Errorf("row %s %s: have %v, want %v", r.Table, want.Key, have.Cells, want.Cells)
	}
	return nil
}

// narrow returns a packet's number as the Int that a field may be of.
func narrow(t *dict.Table, c dict.Cell) dict.Value {
	if i := t.Index(c.Field); i >= 0 && t.Fields[i].Type == dict.Int {
		return dict.IntValue(int32(c.Value.Int64()))
	}
	return c.Value
}
