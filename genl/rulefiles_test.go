// SPDX-License-Identifier: MIT

package genl

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// TestRuleFiles compares the expressions of the terms of every rule in
// nftext/testdata with those written down beside it, in the form of rules.golden.
// Values go to the first register.
func TestRuleFiles(t *testing.T) {
	files, err := ruletest.Files("../nftext/testdata")
	if err != nil {
		t.Fatal(err)
	}
	c := newCompiling()
	for _, name := range files {
		lines, err := ruletest.ReadLines(name)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, l := range lines {
			if l.Canonical != "" {
				out.WriteString(c.listing(t, l))
			}
		}
		golden := name + ".kmod"
		if *update {
			if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), out.String()); d != "" {
			t.Errorf("(-%s +compiled):\n%s", golden, d)
		}
	}
}

// listing compiles the terms of a rule and lists their expressions. Each is
// found again among others.
func (c *compiling) listing(t *testing.T, l ruletest.Line) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprintln(&out, l.Rule)
	parts, _, err := ruletest.Parts(l.Rule, c.schema)
	if err != nil {
		t.Fatalf("%s: %v", l.Place, err)
	}
	for _, p := range parts {
		target := nftext.Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "c", Class: p.Class}
		if p.Class != 0 {
			target.Register = unix.NFT_REG_1
		}
		code, err := c.compiler.Compile(target, p.Bound)
		if err != nil {
			fmt.Fprintf(&out, "\terror: %v\n", err)
			continue
		}
		elems := split(t, code.Exprs)
		for _, e := range elems {
			fmt.Fprintf(&out, "\t[%s %s]\n", e.Name, render(t, e))
		}
		want := nftext.Found{Text: p.Term.String(), N: len(elems), Class: p.Class, Register: target.Register}
		others := []nftext.Element{{Name: "counter"}, {Name: "byteorder"}}
		if d := cmp.Diff(want, c.compiler.Decompile(target.Family, append(elems, others...))); d != "" {
			t.Errorf("%s: decompiled (-want +have):\n%s", p.Term, d)
		}
	}
	return out.String()
}
