// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Flags is a key of bits.
type Flags[T unsigned] struct {
	Key[T]
	names []string
}

// flags makes a Flags; names are those of the bits from the lowest on.
func flags[T unsigned](text string, typ nftables.SetDatatype, host bool, names []string,
	order func(func(T) string) func(T) (value, error), load func(*builder, uint32)) Flags[T] {
	f := Flags[T]{names: names}
	f.Key = Key[T]{key: key{text: text, typ: typ, host: host, load: load}, enc: order(func(bits T) string {
		if text := f.list(" | ")(bits); strings.Contains(text, " ") {
			return "(" + text + ")"
		}
		return f.list("")(bits)
	})}
	return f
}

// list returns what writes bits by their names.
func (f Flags[T]) list(between string) func(T) string {
	return func(bits T) string {
		var words []string
		for i, n := range f.names {
			if bits&(1<<i) != 0 && n != "" {
				words = append(words, n)
				bits &^= 1 << i
			}
		}
		if bits != 0 || words == nil {
			words = append(words, fmt.Sprintf("0x%x", uint64(bits)))
		}
		return strings.Join(words, between)
	}
}

// Any holds for packets that have one of the bits at least.
func (f Flags[T]) Any(bits T) Statement {
	return f.test(bits, f.text+" "+f.list(",")(bits), expr.CmpOpNeq)
}

// None holds for packets that have none of the bits.
func (f Flags[T]) None(bits T) Statement {
	return f.test(bits, f.text+" ! "+f.list(",")(bits), expr.CmpOpEq)
}

// All holds for packets that have all of the bits, whatever others they have.
func (f Flags[T]) All(bits T) Statement { return f.Masked(bits).Is(bits) }

func (f Flags[T]) test(bits T, text string, op expr.CmpOp) Statement {
	m, err := f.enc(bits)
	return statement{text: text, make: func(b *builder) error {
		switch {
		case err != nil:
			return err
		case bits == 0:
			return fmt.Errorf("%w: it names no bit", dict.ErrInvalid)
		}
		k := f.key
		k.mask = m.data
		if err := k.into(b, reg1); err != nil {
			return err
		}
		b.cmp(op, zeros(len(m.data)))
		return nil
	}}
}
