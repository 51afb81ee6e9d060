// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func TestMerge(t *testing.T) {
	parse := func(text string) *Domains {
		d, err := ParseDomains(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := parse("a.example.com A one\nb.example.com B two\nc.* C three\n")
	more := parse("b.example.com MINE four\nx.y.z.example.com DEEP five\n")
	m := base.Merge(more)
	for name, want := range map[string]string{
		"a.example.com": "A", "b.example.com": "MINE", "www.c.de": "C", "w.x.y.z.example.com": "DEEP", "example.com": "",
	} {
		if app, _ := m.Lookup(name); app.Name != want {
			t.Errorf("%s is %q, want %q", name, app.Name, want)
		}
	}
	if app, _ := base.Lookup("b.example.com"); app.Name != "B" {
		t.Errorf("the base says %q now", app.Name)
	}
}
