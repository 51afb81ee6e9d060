// SPDX-License-Identifier: MIT

package bpfmap

import "nftdict/nftext"

// automaton returns a glob as the program in the kernel walks it: see struct
// glob in bpf/match.h. matchesAll is true for a glob of nothing but a star,
// which has no automaton. wide is true if it has more than 64 positions.
func automaton(g *nftext.Glob) (a ruleGlob, wide, matchesAll bool) {
	n := 0 // positions so far
	for _, t := range g.Tokens() {
		switch {
		case t.Star && n == 0:
			a.Anywhere = 1
		case t.Star:
			a.Stay[(n-1)/64] |= 1 << ((n - 1) % 64)
		default:
			for c := range a.Sets {
				if t.Has(byte(c)) {
					a.Sets[c][n/64] |= 1 << (n % 64)
				}
			}
			n++
		}
	}
	if n == 0 {
		return a, false, true
	}
	a.Last[(n-1)/64] |= 1 << ((n - 1) % 64)
	return a, n > 64, false
}
