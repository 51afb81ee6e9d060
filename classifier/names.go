// SPDX-License-Identifier: MIT

package classifier

import (
	"maps"
	"slices"
	"strings"
)

// Protocols returns the names that Result.Protocol can have by a detector, each
// once, in order without regard to case. Labels that a detector gives besides
// its own, and IP protocols told by number, are not among them.
func Protocols() []string {
	names := make(map[string]bool)
	for _, d := range detectors() {
		names[d.name] = true
	}
	return slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
}
