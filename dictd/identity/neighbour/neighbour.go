// SPDX-License-Identifier: MIT

package neighbour

import (
	"net/netip"
	"time"
)

// Neighbour is a device at the other end of a link, by one of its addresses.
type Neighbour struct {
	Addr      netip.Addr // without zone
	MAC       [6]byte    // in the order of the wire
	Interface string
	Quiet     time.Duration // since the kernel last had proof of it
}

// Update is what a Listener has to tell. It belongs to the Listener.
type Update struct {
	// Neighbours in the order in which the kernel told of them.
	Neighbours []Neighbour
	// Inside are the interfaces that are looked at, sorted; nil if they are not
	// told anew.
	Inside []string
	// Links are the same, with their names, by index.
	Links map[uint32]string
}
