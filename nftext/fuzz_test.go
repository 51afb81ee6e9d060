// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"testing"

	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// FuzzParse parses, prints, binds and runs what it is given.
func FuzzParse(f *testing.F) {
	for _, l := range readRules(f) {
		f.Add(l.rule)
	}
	v4, _ := ruletest.Flows()
	p := packet(v4)
	store := newMem(f)
	if err := ruletest.Put(store, p, ruletest.Scenes()[0].Rows...); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		term, n, err := nftext.Parse(text)
		if err != nil {
			if e, ok := errors.AsType[*nftext.SyntaxError](err); !ok || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("error %v out of place", err)
			}
			return
		}
		if n <= 0 || n > len(text) || len(term.String()) > nftext.MaxText {
			t.Fatalf("%q: %d bytes, prints %q", text, n, term)
		}
		checkRoundTrip(t, term)
		bound, err := nftext.Bind(term, store)
		if err != nil {
			return
		}
		if bound.Term() != term {
			t.Fatal("bound to another term")
		}
		if l, ok := bound.(*nftext.Load); ok {
			if c, err := l.Class(nftext.UseKey); err != nil || c.Width() == 0 {
				t.Fatalf("%s: class %d, %v", l.Term(), c, err)
			}
			return
		}
		c, ok := bound.(*nftext.Condition)
		if !ok {
			if err := nftext.Apply(bound, p, newMem(t)); err != nil {
				t.Fatal(err)
			}
			return
		}
		holds, err := nftext.Eval(c, p, store)
		if err != nil {
			t.Fatal(err)
		}
		checkOpposite(t, *c, holds, p, store)
	})
}

// checkOpposite evaluates the condition with the opposite operator: never do
// both hold.
func checkOpposite(t *testing.T, c nftext.Condition, holds bool, p nftext.Packet, rows nftext.Rows) {
	t.Helper()
	op := c.Op
	c.Op = map[nftext.Op]nftext.Op{
		nftext.Eq: nftext.Ne, nftext.Ne: nftext.Eq, nftext.Lt: nftext.Ge, nftext.Ge: nftext.Lt,
		nftext.Le: nftext.Gt, nftext.Gt: nftext.Le, nftext.Exists: nftext.Missing, nftext.Missing: nftext.Exists,
	}[op]
	if opposite, err := nftext.Eval(&c, p, rows); err != nil || opposite && holds {
		t.Fatalf("%s and its opposite hold, %v", c.Term(), err)
	}
}
