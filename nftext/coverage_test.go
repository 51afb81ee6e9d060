// SPDX-License-Identifier: MIT

package nftext_test

import (
	"fmt"
	"testing"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// TestCoverage: the lines of testdata hold every operator beside every type that
// has it, every verb, and every use beside every type that nft has a place for.
func TestCoverage(t *testing.T) {
	files, err := ruletest.Files("testdata")
	if err != nil {
		t.Fatal(err)
	}
	names := useNames()
	have := map[string]bool{}
	for _, name := range files {
		lines, err := ruletest.ReadLines(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Canonical == "" {
				continue
			}
			parts, _, err := ruletest.Parts(l.Rule, newSchema())
			if err != nil {
				t.Fatalf("%s: %v", l.Place, err)
			}
			for _, p := range parts {
				switch b := p.Bound.(type) {
				case *nftext.Condition:
					have[fmt.Sprintf("%s %s", b.Type, b.Op)] = true
					if b.Term().(*nftext.Match).Set {
						have[fmt.Sprintf("%s %s set", b.Type, b.Op)] = true
					}
					for _, i := range b.Items {
						if i.Lo != i.Hi {
							have[fmt.Sprintf("%s %s range", b.Type, b.Op)] = true
						}
						if i.Glob != nil {
							have[fmt.Sprintf("%s %s glob", b.Type, b.Op)] = true
						}
					}
				case *nftext.Write:
					have[fmt.Sprintf("%s %s", b.Type, b.Verb)] = true
				case *nftext.Load:
					have[fmt.Sprintf("%s %s", b.Type, names[p.Use])] = true
				}
			}
		}
	}
	want := func(typ dict.Type, what ...string) {
		t.Helper()
		for _, w := range what {
			if !have[fmt.Sprintf("%s %s", typ, w)] {
				t.Errorf("no line has %s %s", typ, w)
			}
		}
	}
	for _, typ := range dict.Types() {
		want(typ, "exists", "missing")
		if typ == dict.Address {
			continue
		}
		want(typ, "==", "!=", "== set", "!= set", "set")
		if typ == dict.Int || typ == dict.Int64 || typ == dict.IPv4 || typ == dict.IPv6 {
			want(typ, "<", "<=", ">", ">=", "== range", "!= range")
		}
	}
	want(dict.String, "== glob", "!= glob", "match", "key", "listed", "element")
	for _, typ := range []dict.Type{dict.Int, dict.Int64} {
		want(typ, "add", "sub", "match", "key", "number", "port", "listed")
	}
	want(dict.Int, "element")
	for _, typ := range []dict.Type{dict.IPv4, dict.IPv6} {
		want(typ, "match", "key", "address", "element")
	}
}
