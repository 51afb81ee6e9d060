// SPDX-License-Identifier: MIT

package front

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Messages point at the user's words, wherever nft's point.
func TestValuesErrors(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table inet t; add chain inet t c; add set inet t names { type ifname; }; add set inet t v4 { type ipv4_addr; }")
	for command, want := range map[string]string{
		"add rule inet t c dict sessions ct id v_name vmap { \"a\" : drop } bogus": `
Error: syntax error, unexpected newline
add rule inet t c dict sessions ct id v_name vmap { "a" : drop } bogus
                                                                      ^
`,
		"add rule inet t c bogus dict sessions ct id v_name vmap { \"a\" : drop }": `
Error: syntax error, unexpected dict
add rule inet t c bogus dict sessions ct id v_name vmap { "a" : drop }
                        ^^^^
`,
		"add rule inet t c dict sessions ct id v_name @v4 drop": `
Error: datatype mismatch, expected network interface name, expression has type IPv4 address
add rule inet t c dict sessions ct id v_name @v4 drop
                  ~~~~~~~~~~~~~~~~~~~~~~~~~~ ^^^
`,
		"add rule inet t c tcp dport . dict sessions ct id v_name @names drop": `
Error: datatype mismatch, expected concatenation of (internet network service, network interface name), expression has type network interface name
add rule inet t c tcp dport . dict sessions ct id v_name @names drop
                  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ ^^^^^^
`,
		"add rule inet t c meta mark set dict sessions ct id v_big . tcp dport map { 5 . 80 : 1 }": `
Error: a number of this width in a concatenation that a statement looks up in a map, of which nft lists wrong elements: not supported
add rule inet t c meta mark set dict sessions ct id v_big . tcp dport map { 5 . 80 : 1 }
                                ^^^^^^^^^^^^^^^^^^^^^^^^^
`,
		"add rule inet t c dict sessions ct id v_name @nosuch drop": `
Error: No such file or directory
add rule inet t c dict sessions ct id v_name @nosuch drop
                                             ^^^^^^^
`,
		"add rule inet t nosuch meta mark set dict sessions ct id v_int": `
Error: Could not process rule: No such file or directory
add rule inet t nosuch meta mark set dict sessions ct id v_int
                ^^^^^^
`,
		"add rule inet t c meta mark set dict sessions ct id v_int counter name \"nosuch\"": `
Error: Could not process rule: No such file or directory
add rule inet t c meta mark set dict sessions ct id v_int counter name "nosuch"
                                                                       ^^^^^^^^
`,
		"add rule inet t c meta mark set dict sessions9 ct id v_int": `
Error: refused by the test
add rule inet t c meta mark set dict sessions9 ct id v_int
                                ^^^^^^^^^^^^^^^^^^^^^^^^^^
`,
		"add rule inet t c tcp dport . dict sessions9 ct id v_name vmap { 80 . \"a\" : drop }": `
Error: refused by the test
add rule inet t c tcp dport . dict sessions9 ct id v_name vmap { 80 . "a" : drop }
                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
`,
	} {
		if d := cmp.Diff(said{Exit: 1, Err: want[1:]}, ns.run(t, "", command)); d != "" {
			t.Errorf("%s (-want +got):\n%s", command, d)
		}
	}
}
