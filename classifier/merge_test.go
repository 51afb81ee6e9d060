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
	base := parse("a.example.com A one\nb.example.com B two\nc.* C three\nl-*.example.com LABEL three\nm-*.example.org LABEL three\nexample.org ORG six\n")
	more := parse("b.example.com MINE four\nx.y.z.example.com DEEP five\nl-1*.example.com FIRST five\nn-*.example.org FIRST five\n")
	m := base.Merge(more)
	for name, want := range map[string]string{
		"a.example.com": "A", "b.example.com": "MINE", "www.c.de": "C", "w.x.y.z.example.com": "DEEP", "example.com": "",
		"l-12.example.com": "FIRST", "l-22.example.com": "LABEL", "m-1.example.org": "LABEL", "n-1.example.org": "FIRST", "example.org": "ORG",
	} {
		if app, _ := m.Lookup(name); app.Name != want {
			t.Errorf("%s is %q, want %q", name, app.Name, want)
		}
	}
	if app, _ := base.Lookup("b.example.com"); app.Name != "B" {
		t.Errorf("the base says %q now", app.Name)
	}
}
