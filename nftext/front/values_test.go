// SPDX-License-Identifier: MIT

package front

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// valueRules are rules with values as they are listed, in a table of names,
// numbers and addresses.
var valueRules = []string{
	`dict sessions ct id v_int vmap { 1 : drop, 100 : jump d }`,
	`tcp dport 80 dict sessions ct id v_name vmap { "YOUTUBE" : jump d }`,
	`dict sessions ct id v_name vmap { "NET*" : drop }`,
	`dict sessions ct id v_name @names drop`,
	`dict sessions ct id v_name != @names drop`,
	`dict sessions ct id v_name . tcp dport @pairs drop`,
	`ip saddr . dict sessions ct id v_name vmap { 10.0.0.1 . "x" : drop }`,
	`dict sessions ct id v_name . dict sessions ct id v_int vmap { "x" . 5 : drop }`,
	`dict sessions ct id v_name . dict sessions ct id v_name vmap { "x" . "y" : drop }`,
	`ip saddr 10.0.0.1 tcp dport 80 counter packets 0 bytes 0 dict sessions ct id v_int vmap @verdicts`,
	`meta mark set dict sessions ct id v_int`,
	`meta mark set dict sessions ct id v_int accept`,
	`ct mark set dict sessions ct id v_int`,
	`meta mark set dict sessions ct id v_name map { "VOIP" : 0x00000001 }`,
	`meta mark set dict sessions ct id v_name map @marks`,
	`meta mark set dict sessions ct id v_int meta mark set dict sessions ct id v_int`,
	`meta mark set jhash dict sessions ct id v_name mod 5`,
	`dict sessions ct id v_ip4 vmap { 10.0.0.1 : drop, 10.1.0.0/16 : accept }`,
	`dict sessions ct id v_ip4 @v4 drop`,
	`dict sessions ct id v_ip6 @v6 drop`,
	`dict sessions ct id v_ip6 . tcp dport vmap { ::1 . 80 : drop }`,
	`dict sessions ct id v_big vmap { 5 : drop }`,
	`add @seen { dict sessions ct id v_name timeout 5m }`,
	`update @seen { dict sessions ct id v_name timeout 5m } drop`,
	`add @marks { dict sessions ct id v_name : dict sessions ct id v_int }`,
	`add @v4d { dict sessions ct id v_ip4 }`,
	`dict sessions ct id application 7 dict sessions ct id v_int vmap { 1 : drop } dict sessions ct id application set 9`,
	`dict sessions ct id v_int vmap { 1 : jump d } comment "dict sessions ct id v_int"`,
}

const valueTable = `table inet t {
	set names {
		type ifname
		elements = { "a" }
	}

	set pairs {
		type ifname . inet_service
	}

	set v4 {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8 }
	}

	set v4d {
		type ipv4_addr
		size 65535
		flags dynamic
	}

	set v6 {
		type ipv6_addr
	}

	set seen {
		type ifname
		size 65535
		flags dynamic,timeout
	}

	map marks {
		type ifname : mark
		size 65535
		flags dynamic
	}

	map verdicts {
		typeof meta length : verdict
	}

	chain d {
	}

	chain c {
		RULES
	}
}
`

func TestRunValues(t *testing.T) {
	ns := newNetwork(t)
	for _, rule := range valueRules {
		text := strings.Replace(valueTable, "RULES", rule, 1)
		if s := ns.run(t, "flush ruleset\n"+text, "-f", "-"); s != (said{}) {
			t.Errorf("%s: %s", rule, s.Err)
			continue
		}
		s := ns.run(t, "", "list", "ruleset")
		if d := cmp.Diff(text, s.Out); d != "" || s.Err != "" {
			t.Errorf("%s (-want +got):\n%s%s", rule, d, s.Err)
		}
		if s = ns.run(t, "flush ruleset\n"+s.Out, "-f", "-"); s != (said{}) {
			t.Errorf("%s, again: %s", rule, s.Err)
		}
	}
	all := strings.Replace(valueTable, "RULES", strings.Join(valueRules, "\n\t\t"), 1)
	if s := ns.run(t, "flush ruleset\n"+all, "-f", "-"); s != (said{}) {
		t.Errorf("all: %s", s.Err)
	}
	if d := cmp.Diff(all, ns.run(t, "", "list", "ruleset").Out); d != "" {
		t.Errorf("all (-want +got):\n%s", d)
	}
}
