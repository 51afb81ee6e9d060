// SPDX-License-Identifier: MIT

package rule

import (
	"bytes"
	"fmt"

	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Range is the values from Lo to Hi, both included.
type Range[T any] struct{ Lo, Hi T }

// Between holds for packets whose key is from lo to hi, both included.
func (k Key[T]) Between(lo, hi T) Statement { return k.ranges(false, []Range[T]{{lo, hi}}) }

// Outside holds for packets whose key is below lo or above hi.
func (k Key[T]) Outside(lo, hi T) Statement { return k.ranges(true, []Range[T]{{lo, hi}}) }

// Among holds for packets whose key is in one of the ranges, which may overlap.
func (k Key[T]) Among(ranges ...Range[T]) Statement { return k.ranges(false, ranges) }

// NotAmong holds for packets whose key is in none of the ranges.
func (k Key[T]) NotAmong(ranges ...Range[T]) Statement { return k.ranges(true, ranges) }

func (k Key[T]) ranges(not bool, ranges []Range[T]) Statement {
	var spans []span
	var words []string
	for _, r := range ranges {
		ends, _, err := k.encode([]T{r.Lo, r.Hi})
		if err == nil && (ends[0].prefix || ends[1].prefix) {
			err = errWildcard(ends[0].text)
		}
		if err == nil && bytes.Compare(k.big(ends[0].data), k.big(ends[1].data)) > 0 {
			err = fmt.Errorf("range %s-%s: %w: its beginning is above its end", ends[0].text, ends[1].text, dict.ErrInvalid)
		}
		if err != nil {
			return k.broken(fmt.Sprintf("%v-%v", r.Lo, r.Hi), err)
		}
		spans = append(spans, span{k.big(ends[0].data), k.big(ends[1].data)})
		if bytes.Equal(ends[0].data, ends[1].data) {
			words = append(words, ends[0].text)
		} else {
			words = append(words, ends[0].text+"-"+ends[1].text)
		}
	}
	return k.within(not, spans, words)
}

// broken is a condition whose values are wrong.
func (k key) broken(text string, err error) Statement {
	return statement{text: k.text + " " + text, make: func(*builder) error { return err }}
}

// within is the condition that a key is in one of the spans, or in none.
func (k key) within(not bool, spans []span, words []string) Statement {
	op := expr.CmpOpEq
	if not {
		op = expr.CmpOpNeq
	}
	return statement{text: k.op(op) + braces(words), make: func(b *builder) error {
		switch len(spans) {
		case 0:
			return fmt.Errorf("%w: it names no value", dict.ErrInvalid)
		case 1:
			if err := k.ordered(b, reg1); err != nil {
				return err
			}
			lo, hi := spans[0].lo, spans[0].hi
			switch {
			case bytes.Equal(lo, hi):
				b.cmp(op, lo)
			case not:
				b.add(&expr.Range{Op: op, Register: reg1, FromData: lo, ToData: hi})
			default:
				b.cmp(expr.CmpOpGte, lo)
				b.cmp(expr.CmpOpLte, hi)
			}
			return nil
		}
		return k.among(b, nil, spans, not)
	}}
}

// Below holds for packets whose key is below v.
func (k Key[T]) Below(v T) Statement { return k.order(expr.CmpOpLt, v) }

// AtMost holds for packets whose key is not above v.
func (k Key[T]) AtMost(v T) Statement { return k.order(expr.CmpOpLte, v) }

// Above holds for packets whose key is above v.
func (k Key[T]) Above(v T) Statement { return k.order(expr.CmpOpGt, v) }

// AtLeast holds for packets whose key is not below v.
func (k Key[T]) AtLeast(v T) Statement { return k.order(expr.CmpOpGte, v) }

func (k Key[T]) order(op expr.CmpOp, v T) Statement {
	list, text, err := k.encode([]T{v})
	return statement{text: k.op(op) + text, make: func(b *builder) error {
		if err != nil {
			return err
		}
		if list[0].prefix {
			return errWildcard(text)
		}
		if err := k.ordered(b, reg1); err != nil {
			return err
		}
		b.cmp(op, k.big(list[0].data))
		return nil
	}}
}

// errWildcard is a wildcard where there must be a value.
func errWildcard(text string) error {
	return fmt.Errorf("%s: %w: a wildcard is no value", text, dict.ErrInvalid)
}
