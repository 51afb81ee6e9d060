// SPDX-License-Identifier: MIT

package neighbour

import (
	"maps"
	"slices"
)

// topology is the links of the namespace, by index, and which are inside.
type topology struct {
	links  map[uint32]string // without loopbacks
	inside map[uint32]string
}

// newTopology sorts links by whether they are inside: those of names, else all
// that outside does not have.
func newTopology(links map[uint32]string, names []string, outside map[uint32]struct{}) topology {
	t := topology{links: links, inside: make(map[uint32]string)}
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
