// SPDX-License-Identifier: MIT

package classifier

import (
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"testing"
)

// listsOf opens lists that are held in memory.
func listsOf(lists map[string]string) Opener {
	return func(name string) (io.ReadCloser, error) {
		text, ok := lists[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

func TestDomainLists(t *testing.T) {
	lists := map[string]string{
		"shop":      "# a comment\nshop.example\ndomain:Other.example @ads\nfull:exact.example # only this\nkeyword:bazaar\nregexp:^s[0-9]+\\.cdn\\.example$\ninclude:more/deep @cn\ninclude:rest @-ads\n",
		"more/deep": "chosen.example @cn\nleft.example\n",
		"rest":      "tracker.example @ads\nplain.example\nshop.example\n",
	}
	d, err := ParseDomainLists(strings.NewReader("list:shop SHOP shopping\nfirst.example FIRST test\n"), listsOf(lists))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []*Domains{d, BuiltinDomains().Merge(d), d.Merge(BuiltinDomains())} {
		for host, want := range map[string]string{
			"shop.example": "SHOP", "www.shop.example": "SHOP", "a.other.example": "SHOP", "exact.example": "SHOP", "www.exact.example": "",
			"my.bazaar1.test": "SHOP", "s12.cdn.example": "SHOP", "s.cdn.example": "", "a.s1.cdn.example": "", "chosen.example": "SHOP",
			"left.example": "", "tracker.example": "", "plain.example": "SHOP", "first.example": "FIRST", "unknown.example": "", "": "",
		} {
			if app, _ := table.Lookup(host); app.Name != want {
				t.Errorf("%q: %q, want %q", host, app.Name, want)
			}
		}
	}
}

func TestDomainListsRefuse(t *testing.T) {
	many := func(form string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(form, "N", strconv.Itoa(i)) + "\n")
		}
		return b.String()
	}
	for name, tt := range map[string]struct{ list, want string }{
		"itself":           {"include:a", "includes itself"},
		"missing":          {"include:b", "file does not exist"},
		"up":               {"include:../b", "not a name"},
		"root":             {"include:/etc/passwd", "not a name"},
		"kind":             {"a.example\ngeoip:de", `line 2: "geoip": want domain`},
		"attribute":        {"a.example ads", "want an attribute"},
		"name":             {"domain:exa~mple", "not a host name"},
		"keyword":          {"keyword:ab", "fewer than 3"},
		"many keywords":    {many("keyword:wordN", maxKeywords+1), "more than 256 keywords"},
		"regexp":           {"regexp:(", "missing closing"},
		"long regexp":      {"regexp:" + strings.Repeat("a", 300), "more than 256"},
		"many expressions": {many("regexp:^aN$", maxExpressions+1), "more than 64 regexps"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDomainLists(strings.NewReader("list:a SHOP shopping\n"), listsOf(map[string]string{"a": tt.list}))
			if !errors.Is(err, ErrDomains) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := ParseDomains(strings.NewReader("list:a SHOP shopping\n")); !errors.Is(err, ErrDomains) {
		t.Errorf("a list without lists: %v", err)
	}
}

func FuzzDomainList(f *testing.F) {
	f.Add("a.example @ads\nfull:b.example\nkeyword:abc\nregexp:^a$\ninclude:a\n", "www.a.example")
	f.Fuzz(func(t *testing.T, list, host string) {
		d, err := ParseDomainLists(strings.NewReader("list:a SHOP shopping\n"), listsOf(map[string]string{"a": list}))
		if err != nil {
			return
		}
		if app, ok := d.Lookup(host); ok && app.Name != "SHOP" {
			t.Fatalf("%q is %q", host, app.Name)
		}
	})
}
