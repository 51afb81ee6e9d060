// SPDX-License-Identifier: MIT

package classifier

import "strings"

// oneOf tells the bytes of set, all if there are none.
func oneOf(set string) func(byte) bool {
	if set == "" {
		return nil
	}
	return func(b byte) bool { return strings.IndexByte(set, b) >= 0 }
}

// opens compares the start of a stream with prefix: no, wait while it is
// shorter, or enough.
func opens(b []byte, prefix string) verdict {
	n := min(len(b), len(prefix))
	switch {
	case string(b[:n]) != prefix[:n]:
		return no
	case n < len(prefix):
		return wait
	}
	return enough
}

// sure is done if ok and no if not: the answer to a whole message.
func sure(ok bool) verdict {
	if ok {
		return done
	}
	return no
}

// certain makes done of whatever recognises the protocol.
func certain(v verdict) verdict {
	if v >= found {
		return done
	}
	return v
}

// opensFold is opens for a prefix in capitals, without regard to case.
func opensFold(b []byte, prefix string) verdict {
	n := min(len(b), len(prefix))
	for i := range n {
		c := b[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != prefix[i] {
			return no
		}
	}
	if n < len(prefix) {
		return wait
	}
	return enough
}

// opensAny is the best answer of opens for several prefixes.
func opensAny(b []byte, prefixes ...string) verdict {
	best := no
	for _, p := range prefixes {
		best = max(best, opens(b, p))
	}
	return best
}
