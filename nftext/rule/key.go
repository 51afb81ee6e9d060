// SPDX-License-Identifier: MIT

package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Key is what a rule reads of a packet, such as its source address: a T. Its
// methods make conditions. What a packet has not (a port of an ICMP packet)
// ends the rule.
type Key[T any] struct {
	key
	enc func(T) (value, error)
}

// key is a Key without its type.
type key struct {
	text string
	typ  nftables.SetDatatype // of sets of such keys
	host bool                 // a number in host order
	// What a packet must be to have it; 0 is any.
	l3, l4 uint8
	ether  bool
	mask   []byte
	bytes  *bytesOf // where a rule may write them
	alone  bool     // compared with one value, never looked up
	load   func(b *builder, reg uint32)
	// learn tells the builder what a match of one of values teaches it.
	learn func(b *builder, values []value)
}

// value is one value of a key, as the register holds it.
type value struct {
	data   []byte
	text   string
	prefix bool // data is the beginning of the value: a wildcard
}

// AnyKey is a Key of any type.
type AnyKey interface {
	Value
	keys() []key
}

// Value is what a statement sets something to: a Key, what a map has for one
// (MapTo, Map), a number (Numgen, JHash), or what a dictionary has (DictKey).
type Value interface {
	fmt.Stringer
	into(b *builder, reg uint32) error
	dataType() nftables.SetDatatype
}

// String returns the key as nft writes it.
func (k key) String() string { return k.text }

func (k key) keys() []key { return []key{k} }

func (k key) dataType() nftables.SetDatatype { return k.typ }

// need appends what narrows the packets down to those that have the key.
func (k key) need(b *builder) error {
	if err := b.needFamily(k.l3); err != nil {
		return err
	}
	if err := b.needProtocol(k.l4); err != nil {
		return err
	}
	if k.ether {
		return b.needEther()
	}
	return nil
}

// into loads the key into a register.
func (k key) into(b *builder, reg uint32) error {
	if err := k.need(b); err != nil {
		return err
	}
	k.load(b, reg)
	if k.mask != nil {
		b.add(&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: uint32(len(k.mask)), Mask: k.mask, Xor: zeros(len(k.mask))})
	}
	return nil
}

// ordered loads the key so that bytes compare as values do.
func (k key) ordered(b *builder, reg uint32) error {
	if err := errors.Join(k.lookup(), k.into(b, reg)); err != nil {
		return err
	}
	if k.host {
		b.add(&expr.Byteorder{SourceRegister: reg, DestRegister: reg, Op: expr.ByteorderHton, Len: k.typ.Bytes, Size: k.typ.Bytes})
	}
	return nil
}

// lookup refuses a key that is not by itself in its register.
func (k key) lookup() error {
	if k.alone {
		return fmt.Errorf("%s: %w: it is compared with one value, by Is and Not", k.text, dict.ErrNotSupported)
	}
	return nil
}

// big returns a value as it compares.
func (k key) big(v []byte) []byte {
	if k.host {
		return swapped(v)
	}
	return v
}

// Masked returns the key with only the bits of mask left.
func (k Key[T]) Masked(mask T) Key[T] {
	m, err := k.enc(mask)
	load := k.load
	k.load = func(b *builder, reg uint32) {
		if err != nil {
			b.err = err
			return
		}
		load(b, reg)
	}
	k.mask = m.data
	k.text += " & " + m.text
	k.learn = nil
	return k
}

// Is holds for packets whose key is one of values.
func (k Key[T]) Is(values ...T) Statement { return k.equal(expr.CmpOpEq, values) }

// Not holds for packets whose key is none of values.
func (k Key[T]) Not(values ...T) Statement { return k.equal(expr.CmpOpNeq, values) }

func (k Key[T]) equal(op expr.CmpOp, values []T) Statement {
	list, text, err := k.encode(values)
	return statement{text: k.op(op) + text, make: func(b *builder) error {
		switch {
		case err != nil:
			return err
		case len(list) == 0:
			return fmt.Errorf("%w: it names no value", dict.ErrInvalid)
		}
		if err := k.given(b, op, list); err != nil {
			return err
		}
		if len(list) > 1 {
			return k.among(b, list, nil, op == expr.CmpOpNeq)
		}
		if err := k.into(b, reg1); err != nil {
			return err
		}
		b.cmp(op, list[0].data)
		k.teach(b, op, list)
		return nil
	}}
}

// op is the beginning of a condition's text.
func (k key) op(op expr.CmpOp) string {
	sign := map[expr.CmpOp]string{expr.CmpOpEq: "", expr.CmpOpNeq: "!= ", expr.CmpOpLt: "< ",
		expr.CmpOpLte: "<= ", expr.CmpOpGt: "> ", expr.CmpOpGte: ">= "}[op]
	if k.mask != nil && sign == "" {
		sign = "== "
	}
	return k.text + " " + sign
}

// teach tells the builder what packets go on.
func (k key) teach(b *builder, op expr.CmpOp, values []value) {
	if k.learn != nil && op == expr.CmpOpEq {
		k.learn(b, values)
	}
}

// given looks whether a condition on the protocol contradicts what is known.
func (k key) given(b *builder, op expr.CmpOp, values []value) error {
	if k.learn == nil || op != expr.CmpOpEq {
		return nil
	}
	said := builder{}
	k.learn(&said, values)
	if said.l4 == nil || b.l4 == nil || slices.ContainsFunc(said.l4, func(p byte) bool { return b.mayBe(Protocol(p)) == nil }) {
		return nil
	}
	return b.mayBe(Protocol(said.l4[0]))
}

// encode returns the values and their text.
func (k Key[T]) encode(values []T) (list []value, text string, err error) {
	words := make([]string, len(values))
	for i, v := range values {
		e, err := k.enc(v)
		if err != nil {
			return nil, fmt.Sprint(v), err
		}
		list = append(list, e)
		words[i] = e.text
	}
	return list, braces(words), nil
}

// braces writes one value, or several as a set.
func braces(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return "{ " + strings.Join(words, ", ") + " }"
}

// In holds for packets whose key is in the set: one of the same batch, or one
// that is there already, of which Name is enough.
func (k Key[T]) In(set *nftables.Set) Statement { return in(k, set, false) }

// NotIn holds for packets whose key is not in the set.
func (k Key[T]) NotIn(set *nftables.Set) Statement { return in(k, set, true) }

// Vmap ends the rule with the verdict that a verdict map has for the key; where
// it has none the rule goes on.
func (k Key[T]) Vmap(verdicts *nftables.Set) Statement { return vmap(k, verdicts) }

// MapTo is the value that a map has for the key; where it has none the rule
// ends.
func (k Key[T]) MapTo(m *nftables.Set) Value { return mapped{k, m} }
