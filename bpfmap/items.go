// SPDX-License-Identifier: MIT

package bpfmap

import (
	"fmt"
	"math"
	"math/bits"

	"nftdict/dict"
	"nftdict/nftext"
)

// How the program compares; the order is that of enum shape in bpf/match.h.
const (
	shapePresence = iota
	shapeNumbers
	shapeWide
	shapeDigests
	shapeGlobs
)

// comparison is what a condition compares a value with.
type comparison struct {
	shape  uint32
	items  []ruleItem
	globs  automaton
	inside bool // the result for a value that is in one of them
}

// compare returns the comparison of a condition: every order is a range.
func compare(c *nftext.Condition, s secret) (comparison, error) {
	out := comparison{inside: c.Op != nftext.Ne && c.Op != nftext.Missing}
	switch {
	case c.Op == nftext.Exists || c.Op == nftext.Missing:
		return out, nil
	case c.Type == dict.String:
		out.strings(c.Items, s)
	default:
		out.ranges(c)
	}
	switch {
	case len(out.items) > len(ruleCondition{}.Item):
		return out, fmt.Errorf("%d values: %w by the ebpf backend: at most %d in one set, write two rules", len(c.Items), dict.ErrNotSupported, len(ruleCondition{}.Item))
	case out.globs.words() > maxGlobWords:
		return out, fmt.Errorf("patterns of %d positions: %w by the ebpf backend: at most %d in one set, write two rules", out.globs.positions, dict.ErrNotSupported, 64*maxGlobWords)
	}
	return out, nil
}

func (c *comparison) strings(items []nftext.Item, s secret) {
	c.shape = shapeDigests
	for _, it := range items {
		if it.Glob == nil {
			c.items = append(c.items, ruleItem{Lo: s.sum(it.Lo.Str())})
			continue
		}
		if !c.globs.add(it.Glob) { // any string
			*c = comparison{inside: c.inside}
			return
		}
		c.shape = shapeGlobs
	}
}

func (c *comparison) ranges(cond *nftext.Condition) {
	order := signed()
	c.shape = shapeNumbers
	if cond.Type == dict.IPv6 {
		order = unsigned128()
		c.shape = shapeWide
	}
	add := func(lo, hi [2]uint64) { c.items = append(c.items, ruleItem{Lo: lo, Hi: hi}) }
	lo := words(cond.Items[0].Lo)
	switch cond.Op {
	case nftext.Lt:
		if lo != order.least {
			add(order.least, order.before(lo))
		}
	case nftext.Le:
		add(order.least, lo)
	case nftext.Gt:
		if lo != order.greatest {
			add(order.after(lo), order.greatest)
		}
	case nftext.Ge:
		add(lo, order.greatest)
	default:
		for _, it := range cond.Items {
			add(words(it.Lo), words(it.Hi))
		}
	}
}

// order is how the program orders the words of values.
type order struct {
	least, greatest [2]uint64
	before, after   func([2]uint64) [2]uint64
}

// signed orders numbers of 64 bits, and what fits them: IPv4 and MAC
// addresses.
func signed() order {
	return order{
		least: [2]uint64{1 << 63}, greatest: [2]uint64{math.MaxInt64},
		before: func(w [2]uint64) [2]uint64 { return [2]uint64{w[0] - 1} },
		after:  func(w [2]uint64) [2]uint64 { return [2]uint64{w[0] + 1} },
	}
}

// unsigned128 orders IPv6 addresses.
func unsigned128() order {
	return order{
		greatest: [2]uint64{math.MaxUint64, math.MaxUint64},
		before: func(w [2]uint64) [2]uint64 {
			low, borrow := bits.Sub64(w[1], 1, 0)
			return [2]uint64{w[0] - borrow, low}
		},
		after: func(w [2]uint64) [2]uint64 {
			low, carry := bits.Add64(w[1], 1, 0)
			return [2]uint64{w[0] + carry, low}
		},
	}
}
