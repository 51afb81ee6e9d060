// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/need"
)

// manyRules returns a file of 10,000 rules, of which every tenth holds a dict
// term, in the form in which it is listed.
func manyRules(t *testing.T) string {
	t.Helper()
	var terms []string
	for _, term := range canonicalTerms(t) {
		if !strings.Contains(term, "sessions ct id application ") {
			terms = append(terms, term)
		}
	}
	var text strings.Builder
	text.WriteString(`table inet many {
	counter total {
		packets 0 bytes 0
	}

	set hosts {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.9 }
	}

	map verdicts {
		type inet_service : verdict
		elements = { 80 : accept, 443 : jump sub }
	}

	chain sub {
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
`)
	numbers := make([]int, 10000)
	for i := range numbers {
		numbers[i] = i
	}
	for _, i := range thinned(numbers) {
		match := []string{
			fmt.Sprintf("ip saddr 10.0.%d.%d tcp dport %d", i/250, i%250, i+1),
			fmt.Sprintf("ip6 daddr 2001:db8::%x meta mark 0x%08x", i+1, i+1),
			fmt.Sprintf("udp dport { 53, %d } ip daddr @hosts", i+1000),
			fmt.Sprintf("ct state established,related ct mark 0x%08x limit rate %d/second burst 9 packets", i+1, i+1),
			fmt.Sprintf("iifname \"eth%d\" tcp dport vmap @verdicts", i),
		}[i%5]
		switch {
		case i%20 == 0:
			match += fmt.Sprintf(" dict sessions ct id application \"APP-%d\"", i)
		case i%20 == 10:
			match = terms[i/20%len(terms)] + " " + match
		}
		if i%5 != 4 {
			match += []string{" counter packets 0 bytes 0 drop", " log prefix \"many: \" accept", " counter name \"total\"", " jump sub"}[i%4]
		}
		if i%7 == 0 {
			match += fmt.Sprintf(" comment \"rule %d\"", i)
		}
		text.WriteString("\t\t" + match + "\n")
	}
	text.WriteString("\t}\n}\n")
	return text.String()
}

// TestManyRules loads a file of 10,000 rules: it is listed as it was written, and
// what is listed loads again, in place of itself and elsewhere, and is listed the
// same.
func TestManyRules(t *testing.T) {
	need.Long(t)
	netns, other := withTables(t), withTables(t)
	list := func(netns, want string) string {
		t.Helper()
		got, _ := run(t, netns, 0, "nft", "list", "ruleset")
		if got != want {
			t.Errorf("list ruleset (-want +got):\n%.3000s", cmp.Diff(want, got))
		}
		return got
	}
	path := filepath.Join(t.TempDir(), "many.nft")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := manyRules(t)
	write(text)
	run(t, netns, 0, "nft", "-f", path)
	listed := list(netns, text)
	write(listed)
	run(t, other, 0, "nft", "-f", path)
	list(other, listed)
	write("flush ruleset\n" + listed)
	run(t, netns, 0, "nft", "-f", path)
	list(netns, listed)
}
