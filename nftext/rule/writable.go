// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"nftdict/dict"
)

// Writable is a Key that a rule can set.
type Writable[T unsigned] struct {
	Key[T]
	store func(b *builder, reg uint32)
}

func writable[T unsigned](k Key[T], store func(*builder, uint32)) Writable[T] {
	return Writable[T]{Key: k, store: store}
}

// Set sets the key.
func (w Writable[T]) Set(v T) Statement {
	d, err := w.enc(v)
	return statement{text: w.text + " set " + d.text, make: func(b *builder) error {
		if err != nil {
			return err
		}
		b.immediate(reg1, d.data)
		w.store(b, reg1)
		return nil
	}}
}

// SetBits sets the bits of mask to those of v and leaves the others. nft writes
// that as key & (^mask | v) | v.
func (w Writable[T]) SetBits(mask, v T) Statement {
	keep, err := w.enc(^mask)
	bits, _ := w.enc(v) // fails only if the one before does
	left, _ := w.enc(^mask | v)
	text := w.text + " set " + w.text
	if ^mask|v != ^T(0) {
		text += " & " + left.text
	}
	if v != 0 {
		text += " | " + bits.text
	}
	return statement{text: text, make: func(b *builder) error {
		if err != nil {
			return err
		}
		if v&^mask != 0 {
			return fmt.Errorf("%w: bits %s are not all in the mask", dict.ErrInvalid, bits.text)
		}
		if err := w.into(b, reg1); err != nil {
			return err
		}
		b.bitwise(keep.data, bits.data)
		w.store(b, reg1)
		return nil
	}}
}

// SetFrom sets the key to what a value is for the packet. Where there is none
// the rule ends.
func (w Writable[T]) SetFrom(v Value) Statement {
	return statement{text: w.text + " set " + v.String(), make: func(b *builder) error {
		if have := v.dataType(); have.Bytes != 0 && have.Bytes != w.typ.Bytes {
			return fmt.Errorf("%w: %s has %d bytes, %s %d", dict.ErrInvalid, v, have.Bytes, w.text, w.typ.Bytes)
		}
		if err := v.into(b, reg1); err != nil {
			return err
		}
		w.store(b, reg1)
		return nil
	}}
}
