// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"math"

	"nftdict/dict"
)

// Packet is what the selectors yield for one packet, each a key of type
// Selector.Key. A selector that is not in it yields nothing: `ip saddr` of an
// IPv6 packet, `ct id` of an untracked one.
type Packet map[Selector]dict.Key

// Rows gives rows by table and key, an error that wraps dict.ErrNotExist where
// there is none. Every dict.Store is one.
type Rows interface {
	Get(table string, key dict.Key) (dict.Row, error)
}

// Eval reports whether a condition holds for a packet. It is the reference for
// all backends. The error is one of rows, but never dict.ErrNotExist.
func Eval(c *Condition, p Packet, rows Rows) (bool, error) {
	key, err := c.Key.eval(c.Table.Key, p, rows)
	if err != nil || key.Type() == 0 {
		return false, err
	}
	v, err := c.get(key, rows)
	switch {
	case err != nil:
		return false, err
	case c.Op == Missing:
		return v.IsZero(), nil
	case v.IsZero():
		return false, nil
	case c.Op == Exists:
		return true, nil
	}
	return c.holds(v), nil
}

// holds reports whether the condition holds for a value of its type.
func (c *Condition) holds(v dict.Value) bool {
	if c.Op == Eq || c.Op == Ne {
		in := false
		for i := range c.Items {
			in = in || c.Items[i].has(v)
		}
		return in == (c.Op == Eq)
	}
	n := compare(v, c.Items[0].Lo)
	switch c.Op {
	case Lt:
		return n < 0
	case Le:
		return n <= 0
	case Gt:
		return n > 0
	}
	return n >= 0
}

// eval returns the key, no key if the packet or the nested field has none.
func (k *KeyRef) eval(t dict.KeyType, p Packet, rows Rows) (dict.Key, error) {
	if k.Nested == nil {
		key, ok := p[k.Selector]
		if !ok {
			return dict.Key{}, nil
		}
		return keyOf(KeyValue(key), t), nil
	}
	v, err := k.Nested.eval(p, rows)
	return keyOf(v, t), err
}

// eval returns the value, no value if there is none of the type asked for.
func (r *Ref) eval(p Packet, rows Rows) (dict.Value, error) {
	key, err := r.Key.eval(r.Table.Key, p, rows)
	if err != nil || key.Type() == 0 {
		return dict.Value{}, err
	}
	return r.get(key, rows)
}

// get returns the value of the field in the row of key, else the default,
// else no value.
func (r *Ref) get(key dict.Key, rows Rows) (dict.Value, error) {
	row, err := rows.Get(r.Table.Name, key)
	if err != nil && !errors.Is(err, dict.ErrNotExist) {
		return dict.Value{}, err
	}
	v, ok := row.Get(r.Field)
	switch {
	case err != nil || !ok:
		return r.Default, nil
	case r.Type == 0 || v.Type() == r.Type || r.Type == dict.Address && r.Type.Accepts(v.Type()):
		return v, nil
	}
	return dict.Value{}, nil
}

// keyOf makes a key of a value, no key if it cannot be one.
func keyOf(v dict.Value, t dict.KeyType) dict.Key {
	key := dict.Key{}
	switch v.Type() {
	case dict.Int, dict.Int64:
		n := v.Int64()
		switch {
		case n < 0 || n > math.MaxUint32:
		case t == dict.KeyCtID:
			key = dict.CtID(uint32(n))
		case t == dict.KeyMark:
			key = dict.Mark(uint32(n))
		case t == dict.KeyInt:
			key = dict.IntKey(uint32(n))
		}
	case dict.IPv4, dict.IPv6:
		key, _ = dict.AddrKey(v.Addr()).Convert(t)
	case dict.Ether:
		key = dict.EtherKey(v.Ether())
	case dict.String:
		key, _ = dict.StringKey(v.Str())
	}
	if key.Type() != t {
		return dict.Key{}
	}
	return key
}

// KeyValue returns what a selector yields as a value: numbers as Int64.
func KeyValue(k dict.Key) dict.Value {
	switch k.Type() {
	case dict.KeyCtID, dict.KeyMark, dict.KeyInt:
		return dict.Int64Value(int64(k.Uint32()))
	case dict.KeyEther:
		return dict.EtherValue(k.Ether())
	}
	return dict.AddrValue(k.Addr())
}
