// SPDX-License-Identifier: MIT

package classifier

import "maps"

// Merge returns a table of the domains of d and of more. Where both have one,
// more's application holds. Neither changes.
func (d *Domains) Merge(more *Domains) *Domains {
	m := &Domains{exact: maps.Clone(d.exact), any: maps.Clone(d.any), full: maps.Clone(d.full), labels: max(d.labels, more.labels)}
	m.patterns = append(append(m.patterns, more.patterns...), d.patterns...)
	maps.Copy(m.exact, more.exact)
	maps.Copy(m.any, more.any)
	maps.Copy(m.full, more.full)
	return m
}
