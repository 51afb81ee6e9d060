// SPDX-License-Identifier: MIT

package nftext_test

import (
	"path/filepath"
	"strings"
	"testing"

	"nftdict/nftext/ruletest"
)

// TestValues binds the values of every line of testdata/values and compares the
// rule that they print in.
func TestValues(t *testing.T) {
	files, err := filepath.Glob("testdata/values/*.t")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	schema := newSchema()
	for _, name := range files {
		lines, err := ruletest.ReadLines(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			parts, canonical, err := ruletest.Parts(l.Rule, schema)
			switch {
			case l.Canonical == "" && err == nil:
				t.Errorf("%s: %s\n\tis accepted as %s", l.Place, l.Rule, canonical)
			case l.Canonical == "" && !strings.Contains(err.Error(), l.Why):
				t.Errorf("%s: %s\n\thave %v\n\twant %s", l.Place, l.Rule, err, l.Why)
			case l.Canonical == "":
			case err != nil:
				t.Errorf("%s: %s\n\t%v", l.Place, l.Rule, err)
			case canonical != l.Canonical || len(parts) == 0:
				t.Errorf("%s: %s\n\thave %s\n\twant %s", l.Place, l.Rule, canonical, l.Canonical)
			default:
				for _, p := range parts {
					checkRoundTrip(t, p.Term)
				}
				again, twice, err := ruletest.Parts(l.Canonical, schema)
				if err != nil || twice != canonical || len(again) != len(parts) {
					t.Errorf("%s: %s\n\tprints again as %s, %v", l.Place, canonical, twice, err)
				}
			}
		}
	}
}
