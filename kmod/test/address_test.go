// SPDX-License-Identifier: MIT

package test

import (
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// TestAddressSet: a rule sets a field for addresses of both families to that of
// another, whatever family the old one and the default are of.
func TestAddressSet(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	f.table(t, "from", dict.KeyInt, 0, field("a", dict.Address))
	f.table(t, "to", dict.KeyInt, 0, field("none", dict.Address),
		field("four", dict.Address, nest(fieldDefault, val(dict.AddrValue(v4)))), field("six", dict.Address, nest(fieldDefault, val(dict.AddrValue(v6)))))
	names := []string{"none", "four", "six"}
	h.chain(t)
	for _, name := range names {
		set := dictExpr(big(exprOp, opSet), lookup(exprLookup, "to", name, dict.Address, byReg(4)), lookup(exprSource, "from", "a", dict.Address, byReg(4)))
		if err := r.batch(r.rule("c", markKey(), set)); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []string{"10.9.8.7", "2001:db8::9", "::1", "10.0.0.1", "10.0.0.2", "2001:db8::1", "10.0.0.3"} {
		want := dict.AddrValue(addrOf(a))
		if err := f.put(t, "from", row(intKey(0), cell("a", want))); err != nil {
			t.Fatal(err)
		}
		h.send(t)
		got, err := h.store.Get("to", dict.IntKey(0))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range got.Cells {
			if c.Value != want {
				t.Errorf("%s: %v, want %v", names[i], c.Value, want)
			}
		}
		if len(got.Cells) != len(names) {
			t.Errorf("the row is %v", got)
		}
	}
}
