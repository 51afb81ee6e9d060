// SPDX-License-Identifier: MIT

package classifier

import "testing"

// TestEveryCategoryIsRated covers the categories of detectors and of the table
// of domains.
func TestEveryCategoryIsRated(t *testing.T) {
	categories := map[string]string{}
	for _, d := range detectors() {
		categories[d.category] = d.name
	}
	domains := BuiltinDomains()
	for _, table := range []map[string]*Application{domains.exact, domains.any} {
		for domain, app := range table {
			if app == unnamed {
				continue
			}
			categories[app.Category] = domain
		}
	}
	for category, of := range categories {
		r := RateApplication("", category)
		if r.Productivity < 1 || r.Productivity > 5 || r.Risk < 1 || r.Risk > 5 {
			t.Errorf("category %q (of %s): rated %+v", category, of, r)
		}
	}
	if r := RateApplication("", ""); r != (Rating{}) {
		t.Errorf("what is unknown is rated %+v", r)
	}
	if r := RateApplication("BITTORRENT", "network"); r.Risk != 5 {
		t.Errorf("an application is rated as its category: %+v", r)
	}
}
