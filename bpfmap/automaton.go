// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"

	"github.com/cilium/ebpf"

	"nftdict/nftext"
)

// maxGlobWords is how many words of 64 positions the program walks.
const maxGlobWords = len(ruleAutomaton{}.First)

// automaton is the globs of one condition as the program walks them, all at
// once and in one pass over the string: see struct automaton in bpf/match.h.
type automaton struct {
	positions                   int
	first, anywhere, last, stay bitset
	sets                        [256]bitset
}

// bitset is a set of positions.
type bitset []uint64

func (b *bitset) add(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

// add adds a glob. It returns false, and has added nothing, for a glob that
// matches every string or only the empty one, which has no position.
func (a *automaton) add(g *nftext.Glob) bool {
	begin, star := a.positions, false
	for _, t := range g.Tokens() {
		if t.Star {
			if a.positions > begin {
				a.stay.add(a.positions - 1)
			}
			star = true
			continue
		}
		if a.positions == begin {
			a.first.add(begin)
			if star {
				a.anywhere.add(begin)
			}
		}
		for c := range a.sets {
			if t.Has(byte(c)) {
				a.sets[c].add(a.positions)
			}
		}
		a.positions++
	}
	if a.positions == begin {
		return false
	}
	a.last.add(a.positions - 1)
	return true
}

// words returns how many words of positions there are.
func (a *automaton) words() int { return (a.positions + 63) / 64 }

// marshal returns the value of the map, nil where there is no glob.
func (a *automaton) marshal() []byte {
	n := a.words()
	if n == 0 {
		return nil
	}
	out := make([]byte, 0, 8*(4*maxGlobWords+256*n))
	put := func(b bitset, words int) {
		for w := range words {
			v := uint64(0)
			if w < len(b) {
				v = b[w]
			}
			out = binary.NativeEndian.AppendUint64(out, v)
		}
	}
	for _, b := range []bitset{a.first, a.anywhere, a.last, a.stay} {
		put(b, maxGlobWords)
	}
	for _, b := range a.sets {
		put(b, n)
	}
	return out
}

// fill gives the map of a program's globs its value, if there are any.
func (a *automaton) fill(spec *ebpf.MapSpec) {
	value := a.marshal()
	if value == nil {
		return
	}
	spec.Key, spec.Value = nil, nil // the value is shorter than its type says
	spec.ValueSize = uint32(len(value))
	spec.Contents = []ebpf.MapKV{{Key: uint32(0), Value: value}}
}
