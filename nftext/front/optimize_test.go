// SPDX-License-Identifier: MIT

package front

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// optimizeRules is a file of which nft -o merges the rules without terms.
const optimizeRules = `table inet t {
	chain d {
	}
	chain c {
		dict sessions ct id application 1 tcp dport 80 drop
		dict sessions ct id application 2 tcp dport 81 drop
		dict sessions ct id application 2 tcp dport 82 accept
		tcp dport 80 dict sessions ct id application 1 ip saddr 10.0.0.1 drop
		tcp dport 80 dict sessions ct id application 1 ip saddr 10.0.0.2 accept
		dict sessions ct id application 1 drop
		dict sessions ct id application 1 accept
		tcp dport 83 drop
		tcp dport 84 drop
		dict sessions ct id application set 5 tcp dport 85 drop
		dict sessions ct id application set 5 tcp dport 86 drop
		dict sessions ct id v_int vmap { 1 : drop }
		dict sessions ct id v_int vmap { 2 : accept }
		meta mark set dict sessions ct id v_int
		meta mark set dict sessions ct id v_int
		dict sessions ct id v_mac . tcp dport { 02:00:00:00:00:01 . 80 } drop
		dict sessions ct id v_bool vmap { true : drop }
		dict sessions ct id application 3 counter; ip saddr 10.0.0.1 drop; ip saddr 10.0.0.2 drop
	}
}
`

// TestRunOptimize: nft -o merges what it would merge without the rules with terms,
// and leaves those as they are.
func TestRunOptimize(t *testing.T) {
	ns := newNetwork(t)
	name := filepath.Join(t.TempDir(), "rules.nft")
	if err := os.WriteFile(name, []byte(optimizeRules), 0o600); err != nil {
		t.Fatal(err)
	}
	const said = `Merging:
FILE:12:3-19: 		tcp dport 83 drop
FILE:13:3-19: 		tcp dport 84 drop
into:
	
Merging:
FILE:22:46-67: 		dict sessions ct id application 3 counter; ip saddr 10.0.0.1 drop; ip saddr 10.0.0.2 drop
FILE:22:70-91: 		dict sessions ct id application 3 counter; ip saddr 10.0.0.1 drop; ip saddr 10.0.0.2 drop
into:
	
`
	const merged = `tcp dport { 83, 84 } dropip saddr { 10.0.0.1, 10.0.0.2 } drop`
	for _, args := range [][]string{{"-c", "-o", "-f", name}, {"-o", "-f", name}} {
		got := ns.run(t, "", args...)
		text := strings.ReplaceAll(got.Err, name, "FILE")
		if d := cmp.Diff(said, text); d != "" || got.Exit != 0 || got.Out != merged {
			t.Errorf("nft %q: exit %d, %q (-want +got):\n%s", args, got.Exit, got.Out, d)
		}
		rules := strings.Count(ns.run(t, "", "list", "ruleset").Out, "dict ")
		if want := map[bool]int{true: 0, false: 16}[args[0] == "-c"]; rules != want {
			t.Errorf("nft %q: %d rules with terms are loaded, want %d", args, rules, want)
		}
	}
	want := strings.NewReplacer(
		"\t\ttcp dport 83 drop\n\t\ttcp dport 84 drop\n", "\t\ttcp dport { 83, 84 } drop\n",
		"counter; ip saddr 10.0.0.1 drop; ip saddr 10.0.0.2 drop", "counter packets 0 bytes 0\n\t\tip saddr { 10.0.0.1, 10.0.0.2 } drop",
		"chain d {\n\t}\n", "chain d {\n\t}\n\n").Replace(optimizeRules)
	listed := ns.run(t, "", "list", "ruleset").Out
	if d := cmp.Diff(want, listed); d != "" {
		t.Errorf("(-want +listed):\n%s", d)
	}
	// Without terms it is as nft does it.
	const plain = "table ip p {\n\tchain c {\n\t\ttcp dport 1 drop\n\t\ttcp dport 2 drop\n\t}\n}\n"
	if d := cmp.Diff(ns.plain(t, plain, "-c", "-o", "-f", "-"), ns.run(t, plain, "-c", "-o", "-f", "-")); d != "" {
		t.Errorf("without terms (-nft +front):\n%s", d)
	}
}

// TestRunOptimizeElsewhere: -o with commands, JSON, a term that fails, listings and
// echoes.
func TestRunOptimizeElsewhere(t *testing.T) {
	ns := newNetwork(t)
	const add = "add rule ip t c dict sessions ct id application 1 counter"
	ns.must(t, "-o", "add table ip t; add chain ip t c; "+add)
	if got := ns.run(t, "", "-o", "-e", add); got.Exit != 0 || !strings.HasPrefix(got.Out, "add rule ip t c dict sessions ct id application 1 counter packets 0 bytes 0\n") {
		t.Errorf("echo: %+v", got)
	}
	if got := ns.run(t, "", "-o", "list", "ruleset"); strings.Count(got.Out, "dict sessions ct id application 1 counter") != 2 {
		t.Errorf("list: %+v", got)
	}
	got := ns.run(t, "", "-o", "add rule ip t c dict sessions ct id application 9999 drop")
	if want := "Error: value \"9999\": refused by the test\nadd rule ip t c dict sessions ct id application 9999 drop\n                                                ^^^^\n"; got.Exit != 1 || got.Err != want {
		t.Errorf("failure: %+v, want %s", got, want)
	}
	document := ns.run(t, "", "-j", "list", "table", "ip", "t").Out
	if got := ns.run(t, "flush ruleset", "-f", "-"); got != (said{}) {
		t.Fatal(got.Err)
	}
	if got := ns.run(t, document, "-j", "-o", "-f", "-"); got.Exit != 0 || got.Err != "" {
		t.Errorf("JSON: %+v", got)
	}
	if got := ns.run(t, "", "-j", "list", "table", "ip", "t").Out; strings.Count(got, `"dict"`) != strings.Count(document, `"dict"`) {
		t.Errorf("JSON: listed %s, loaded %s", got, document)
	}
}
