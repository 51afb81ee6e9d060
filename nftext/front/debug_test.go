// SPDX-License-Identifier: MIT

package front

import (
	"strings"
	"testing"
)

func TestRunDebug(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table inet t; add chain inet t c")
	const rule = "dict sessions ct id application 1 tcp dport . dict sessions ct id v_name . dict sessions ct id v_ip4 vmap { 80 . \"a\" . 10.0.0.1 : drop } meta mark set dict sessions ct id v_int dict sessions ct id application set 9"
	for _, args := range [][]string{{"add rule inet t c " + rule}, {"list", "ruleset"}} {
		got := ns.run(t, "", append([]string{"-d", "netlink"}, args...)...)
		if got.Exit != 0 || got.Err != "" {
			t.Fatalf("%+v", got)
		}
		for _, want := range []string{
			"  [ dict sessions ct id application 1 ]\n",
			"  [ dict sessions ct id v_name => reg 9 ]\n  [ dict sessions ct id v_ip4 => reg 13 ]\n  [ lookup reg 1 set __map",
			"  [ dict sessions ct id v_int => reg 1 ]\n",
			"  [ dict sessions ct id application set 9 ]\n",
		} {
			if !strings.Contains(got.Out, want) {
				t.Errorf("%s: no %q in\n%s", args, want, got.Out)
			}
		}
		if strings.Contains(got.Out, "bri_iifname") || strings.Contains(got.Out, "objref") {
			t.Errorf("%s: a placeholder is shown:\n%s", args, got.Out)
		}
	}
	if got := ns.run(t, "", "-d", "netlink", "list", "ruleset"); !strings.Contains(got.Out, "\t\t"+rule+"\n") {
		t.Errorf("listing:\n%s", got.Out)
	}
	for _, kind := range []string{"eval", "segtree", "proto-ctx", "scanner", "parser", "mnl", "all"} {
		got := ns.run(t, "", "-d", kind, "add rule inet t c "+rule)
		if got.Exit != 0 || strings.Contains(got.Out+got.Err, "\nadd rule inet t c ibrname") {
			t.Errorf("-d %s: %d, %.2000s", kind, got.Exit, got.Err)
		}
	}
	const bad = "add rule inet t c dict sessions ct id application 9999"
	if got := ns.run(t, "", "-d", "netlink", bad); got.Exit != 1 || !strings.Contains(got.Err, "refused by the test\n"+bad) {
		t.Errorf("%+v", got)
	}
	// Without a term it is what nft prints.
	for _, args := range [][]string{{"-d", "netlink", "add rule inet t c tcp dport 80"}, {"-d", "eval", "add rule inet t c ip saddr 10.0.0.1"}} {
		fresh := newNetwork(t)
		fresh.must(t, "add table inet t; add chain inet t c")
		want := fresh.plain(t, "", args...)
		if got := fresh.run(t, "", args...); got != want {
			t.Errorf("%q: %+v\nwant %+v", args, got, want)
		}
	}
}
