// SPDX-License-Identifier: MIT

package neighbour

import (
	"maps"
	"net/netip"
	"slices"
)

// topology is the links of the namespace, by index, which are inside, and the
// networks that they have.
type topology struct {
	links    map[uint32]string // without loopbacks
	inside   map[uint32]string
	networks map[uint32][]netip.Prefix // without link-local ones
}

// newTopology sorts links by whether they are inside: those of names, else all
// that outside does not have.
func newTopology(links map[uint32]string, names []string, outside map[uint32]struct{}, networks map[uint32][]netip.Prefix) topology {
	t := topology{links: links, inside: make(map[uint32]string), networks: networks}
	for index, name := range links {
		if _, out := outside[index]; len(names) > 0 && slices.Contains(names, name) || len(names) == 0 && !out {
			t.inside[index] = name
		}
	}
	return t
}

// names returns the names of what is inside, sorted, never nil.
func (t *topology) names() []string {
	names := slices.AppendSeq([]string{}, maps.Values(t.inside))
	slices.Sort(names)
	return slices.Compact(names)
}

// astray reports whether an address that is seen on a link belongs to the network
// of another: whoever has it there, it is not whom that network gave it to.
func (t *topology) astray(index uint32, a netip.Addr) bool {
	has := func(index uint32) bool {
		return slices.ContainsFunc(t.networks[index], func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if a.IsLinkLocalUnicast() || has(index) {
		return false
	}
	for other := range t.networks {
		if other != index && has(other) {
			return true
		}
	}
	return false
}
