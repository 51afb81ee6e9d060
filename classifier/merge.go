// SPDX-License-Identifier: MIT

package classifier

import (
	"maps"
	"slices"
)

// Merge returns a table of the domains of d and of more. Where both have one,
// more's application holds. Neither changes.
func (d *Domains) Merge(more *Domains) *Domains {
	m := &Domains{exact: maps.Clone(d.exact), any: maps.Clone(d.any), full: maps.Clone(d.full), labelled: maps.Clone(d.labelled), labels: max(d.labels, more.labels)}
	m.patterns = append(append(m.patterns, more.patterns...), d.patterns...)
	for domain, app := range more.exact {
		if app != unnamed || m.exact[domain] == nil {
			m.exact[domain] = app
		}
	}
	maps.Copy(m.any, more.any)
	maps.Copy(m.full, more.full)
	for domain, all := range more.labelled {
		m.labelled[domain] = slices.Concat(all, m.labelled[domain])
	}
	return m
}
