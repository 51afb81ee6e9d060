// SPDX-License-Identifier: MIT

package identity

import (
	"maps"
	"slices"
)

// bound are the devices that have a user, found either way. Under State.mu.
type bound struct {
	user    map[[6]byte]string
	devices map[string]map[[6]byte]struct{}
}

func newBound() bound {
	return bound{make(map[[6]byte]string), make(map[string]map[[6]byte]struct{})}
}

// set gives a device to a user, and takes it from another.
func (b *bound) set(mac [6]byte, name string) {
	b.remove(mac)
	b.user[mac] = name
	if b.devices[name] == nil {
		b.devices[name] = make(map[[6]byte]struct{})
	}
	b.devices[name][mac] = struct{}{}
}

// remove takes a device from its user.
func (b *bound) remove(mac [6]byte) {
	name, there := b.user[mac]
	if !there {
		return
	}
	delete(b.user, mac)
	if delete(b.devices[name], mac); len(b.devices[name]) == 0 {
		delete(b.devices, name)
	}
}

// of returns the devices of a user, in their order.
func (b *bound) of(name string) [][6]byte {
	return slices.SortedFunc(maps.Keys(b.devices[name]), func(a, b [6]byte) int { return slices.Compare(a[:], b[:]) })
}
