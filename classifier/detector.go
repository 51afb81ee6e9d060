// SPDX-License-Identifier: MIT

package classifier

import (
	"math/bits"
	"slices"
)

// detector recognises one protocol. It keeps no state: what must outlive a
// packet is the session's, who lends each detector sixteen bytes (sight.memo).
type detector struct {
	name       string // as Result.Protocol shows it
	upper      string // as Result.Application shows it
	category   string // of the bare protocol
	confidence uint8  // in the bare protocol, where the detector sets no other

	bare *Application // of name and category, for the history; set by New
	// answers tells datagrams of the protocol where the session's own detector takes
	// anything that follows for its own; nil: it does not.
	answers func([]byte) bool
	// opening tells a datagram that may open a connection of the protocol on a
	// session that another has; nil: none does.
	opening func([]byte) bool
	// starts tells first payload bytes the protocol can begin with; nil: any, where
	// a number comes first that the sender chooses.
	starts func(byte) bool
	// stream looks at a TCP direction from its first byte on; nil: not over TCP.
	stream func(*sight) verdict
	// datagram looks at one UDP payload; nil: not over UDP.
	datagram func(*sight) verdict
}

// verdict is a detector's answer.
type verdict uint8

const (
	no     verdict = iota // not this protocol; from the session's own detector: enough
	wait                  // may be, needs more bytes
	found                 // is, and this direction has more to tell
	enough                // is, and this direction has no more to tell
	done                  // is, and all is known
)

// transport numbers the two ways to a detector.
type transport uint8

const (
	overTCP transport = iota
	overUDP
)

// look returns the detector's function for a transport.
func (d *detector) look(t transport) func(*sight) verdict {
	if t == overUDP {
		return d.datagram
	}
	return d.stream
}

// idSet is a set of detectors, by their place in the classifier's list.
type idSet [4]uint64

func (s *idSet) add(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s *idSet) remove(i int)   { s[i>>6] &^= 1 << (i & 63) }
func (s *idSet) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }
func (s *idSet) empty() bool    { return s[0]|s[1]|s[2]|s[3] == 0 }

// and returns what is in both sets.
func (s idSet) and(o *idSet) idSet {
	for w := range s {
		s[w] &= o[w]
	}
	return s
}

// all yields the members in order. It goes over a copy: members may be removed
// meanwhile.
func (s idSet) all(yield func(int) bool) {
	for w := range s {
		for m := s[w]; m != 0; m &= m - 1 {
			if !yield(w<<6 + bits.TrailingZeros64(m)) {
				return
			}
		}
	}
}

// detectors lists every protocol, the surest first: the first to claim a
// payload gets the session.
func detectors() []detector {
	return slices.Concat(
		webDetectors(),
		serviceDetectors(),
		industrialDetectors(),
		peerDetectors(),
		talkDetectors(),
		gameDetectors(),
		gadgetDetectors(),
		underlayDetectors(),
		multicastDetectors(),
		plantDetectors(),
		notationDetectors(),
		greetingDetectors(),
		studioDetectors(),
	)
}
