// SPDX-License-Identifier: MIT

package nftext_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// ruleLine is a line of testdata/*.t.
type ruleLine struct {
	place          string // file:line
	rule, verdict  string
	canonical, why string
}

func newSchema() nftext.Schema { return ruletest.NewSchema() }

func readRules(t testing.TB) []ruleLine {
	t.Helper()
	files, err := filepath.Glob("testdata/*.t")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/*.t: %d files, %v", len(files), err)
	}
	var lines []ruleLine
	for _, name := range files {
		read, err := ruletest.ReadLines(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range read {
			verdict := "ok"
			if l.Canonical == "" {
				verdict = "fail"
			}
			lines = append(lines, ruleLine{l.Place, l.Rule, verdict, l.Canonical, l.Why})
		}
	}
	return lines
}

// TestRules binds every line of testdata and compares what it prints.
func TestRules(t *testing.T) {
	schema := newSchema()
	for _, l := range readRules(t) {
		term, _, err := nftext.Parse(l.rule)
		if err == nil {
			_, err = nftext.Bind(term, schema)
		}
		switch {
		case l.verdict == "fail" && err == nil:
			t.Errorf("%s: %s\n\tis accepted as %s", l.place, l.rule, term)
		case l.verdict == "fail" && !strings.Contains(err.Error(), l.why):
			t.Errorf("%s: %s\n\thave %v\n\twant %s", l.place, l.rule, err, l.why)
		case l.verdict == "ok" && err != nil:
			t.Errorf("%s: %s\n\t%v", l.place, l.rule, err)
		case l.verdict == "ok" && term.String() != l.canonical:
			t.Errorf("%s: %s\n\thave %s\n\twant %s", l.place, l.rule, term, l.canonical)
		case l.verdict == "ok":
			checkRoundTrip(t, term)
		}
	}
}

// parse reads a term of the kind.
func parse(text string, kind nftext.Kind) (nftext.Term, int, error) {
	if kind == nftext.KindValue {
		return nftext.ParseValue(text)
	}
	return nftext.Parse(text)
}

// checkRoundTrip fails unless what prints parses, as a whole, to an equal
// term.
func checkRoundTrip(t *testing.T, term nftext.Term) {
	t.Helper()
	text := term.String()
	again, n, err := parse(text, term.Kind())
	if err != nil || n != len(text) {
		t.Fatalf("%s: parses %d of %d bytes, %v", text, n, len(text), err)
	}
	if diff := cmp.Diff(term, again); diff != "" {
		t.Fatalf("%s (-printed +parsed):\n%s", text, diff)
	}
}
