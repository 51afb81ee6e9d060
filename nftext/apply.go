// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"fmt"
	"math"

	"nftdict/dict"
)

// Apply does to a store what a *Write or *Drop does for a packet. It is the
// reference for all backends, but that it reads and writes in two steps where
// they do it in one. Where the key or the value to write yields nothing, and
// where a Drop finds no row, nothing is done: the rule goes on either way. An
// error, such as dict.ErrFull, is for the caller only.
func Apply(b Bound, p Packet, s dict.Store) error {
	switch b := b.(type) {
	case *Write:
		return b.apply(p, s)
	case *Drop:
		key, err := b.Key.eval(b.Table.Key, p, s)
		if err != nil || key.Type() == 0 {
			return err
		}
		if err := s.Delete(b.Table.Name, key); err != nil && !errors.Is(err, dict.ErrNotExist) {
			return err
		}
		return nil
	}
	return fmt.Errorf("apply %s: %w: it is no statement", b.Term(), dict.ErrInvalid)
}

func (w *Write) apply(p Packet, s dict.Store) error {
	key, err := w.Key.eval(w.Table.Key, p, s)
	if err != nil || key.Type() == 0 {
		return err
	}
	v, err := w.value(p, s)
	if err != nil || v.IsZero() {
		return err
	}
	if w.Verb != VerbSet {
		old, err := w.get(key, s)
		if err != nil {
			return err
		}
		v = w.sum(old.Int64(), v.Int64())
	}
	return s.Put(w.Table.Name, dict.Row{Key: key, Cells: []dict.Cell{{Field: w.Field, Value: v}}})
}

// value returns what is to be written, set, added or subtracted.
func (w *Write) value(p Packet, rows Rows) (dict.Value, error) {
	var v dict.Value
	switch {
	case w.Nested != nil:
		var err error
		if v, err = w.Nested.eval(p, rows); err != nil {
			return v, err
		}
	case w.Source != 0:
		key, ok := p[w.Source]
		if !ok {
			return dict.Value{}, nil
		}
		v = KeyValue(key)
	default:
		v = w.Const
	}
	if w.Verb == VerbSet && !v.IsZero() {
		v = w.number(v)
	}
	return v, nil
}

// number makes an Int or Int64 one of the type of the Ref; other values stay.
func (w *Write) number(v dict.Value) dict.Value {
	switch w.Type {
	case dict.Int:
		return dict.IntValue(int32(max(math.MinInt32, min(math.MaxInt32, v.Int64()))))
	case dict.Int64:
		return dict.Int64Value(v.Int64())
	}
	return v
}

// sum adds or subtracts within the limits of the type.
func (w *Write) sum(a, b int64) dict.Value {
	n := a + b
	over := b > 0 && n < a
	under := b < 0 && n > a
	if w.Verb == VerbSub {
		n = a - b
		over, under = b < 0 && n < a, b > 0 && n > a
	}
	switch {
	case over:
		n = math.MaxInt64
	case under:
		n = math.MinInt64
	}
	return w.number(dict.Int64Value(n))
}
