// SPDX-License-Identifier: MIT

package front

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A value as a rule begins with it, and what stands for it with nft alone; then what
// the kernel has of them.
var manualValues = []struct{ value, plain, compiled, loaded string }{
	{"dict sessions ct id v_mac @values_mac", "meta mark @values_plain", "immediate reg 1 0x0808c7d1 0x00000808 ]\n  [ lookup reg 1 set values_mac", "meta load mark => reg 1 ]\n  [ lookup reg 1 set values_plain"},
	{"dict sessions ct id v_bool @values_bool", "meta mark @values_plain", "immediate reg 1 0x000000d1 ]\n  [ lookup reg 1 set values_bool", "meta load mark => reg 1 ]\n  [ lookup reg 1 set values_plain"},
}

// manualKnown are rules that behind an ether_addr are not as behind a mark: of the first
// the kernel compares the protocol with what it knows of the packet, and not with the
// type in the frame; the others nft refuses in these families behind its own ether saddr
// as well.
var manualKnown = regexp.MustCompile(`^(inet t c ether saddr \. ip saddr @stations|ip6? t \w+ vlan id 5)$`)

// taken tells which lines nft takes. It is asked of many at once, and of one after the
// other only where it refuses some.
func taken(t *testing.T, n network, lines []string) []bool {
	t.Helper()
	takes := make([]bool, len(lines))
	var ask func(from, to int)
	ask = func(from, to int) {
		switch s := n.plain(t, strings.Join(lines[from:to], "\n")+"\n", "-c", "-f", "-"); {
		case s.Exit == 0:
			for k := from; k < to; k++ {
				takes[k] = true
			}
		case to-from > 1:
			middle := (from + to) / 2
			ask(from, middle)
			ask(middle, to)
		}
	}
	for k := 0; k < len(lines); k += 32 {
		ask(k, min(k+32, len(lines)))
	}
	return takes
}

// TestManualRulesWithValues puts a value before every rule of the manual's body: the
// kernel has the same of that rule as behind a match of nft's own in the value's
// place, and it is listed likewise.
func TestManualRulesWithValues(t *testing.T) {
	type rule struct{ chain, text string }
	var rules []rule
	for _, name := range []string{"matches.txt", "statements.txt"} {
		text, err := os.ReadFile("testdata/manual/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var chains []string
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if inner, ok := strings.CutPrefix(line, "["); ok {
				chains = strings.Split(strings.TrimSuffix(inner, "]"), ", ")
			} else if line != "" && line[0] != '#' {
				for _, c := range chains {
					rules = append(rules, rule{c, line})
				}
			}
		}
	}
	for i, v := range manualValues {
		a, b := newNetwork(t), newNetwork(t)
		for _, n := range []network{a, b} {
			if s := n.plain(t, "", "-f", "testdata/manual/setup.nft"); s.Exit != 0 {
				t.Fatal(s.Err)
			}
			for _, family := range []string{"ip", "ip6", "inet", "bridge", "arp", "netdev"} {
				n.plain(t, "", "add table "+family+" t; add set "+family+" t values_mac { type ether_addr; }; add set "+family+" t values_bool { type boolean; }; add set "+family+" t values_plain { type mark; }")
			}
		}
		var loaded, plain strings.Builder // what nft takes
		chains, meters := map[string]bool{}, map[string]bool{}
		tried, refused := 0, 0
		var wanted []rule
		for k, r := range rules {
			if i > 0 && k%10 > 0 { // of which nft believes nothing about the rest of a rule
				continue
			}
			family, chain, _ := strings.Cut(r.chain, " ")
			if manualKnown.MatchString(family+" t "+chain+" "+r.text) || strings.Contains(r.text, "meter ") && meters[family+r.text] {
				continue
			}
			meters[family+r.text] = true // a name once
			wanted = append(wanted, r)
		}
		lines := make([]string, len(wanted))
		for k, r := range wanted {
			lines[k] = "add rule " + strings.Replace(r.chain, " ", " t ", 1) + " " + v.plain + " " + r.text
		}
		takes := taken(t, a, lines)
		for k, r := range wanted {
			family, chain, _ := strings.Cut(r.chain, " ")
			add := "add rule " + family + " t " + chain + " "
			if !takes[k] {
				if refused++; refused%10 == 0 && b.run(t, "", "-c", add+v.value+" "+r.text).Exit == 0 {
					t.Errorf("%s: nft refuses it", add+r.text)
				}
				continue
			}
			tried++
			chains[family+" t "+chain] = true
			loaded.WriteString(add + v.value + " " + r.text + "\n")
			plain.WriteString(add + v.plain + " " + r.text + "\n")
		}
		if s := a.plain(t, plain.String(), "-f", "-"); s.Exit != 0 {
			t.Fatal(s.Err)
		}
		if s := b.run(t, loaded.String(), "-f", "-"); s.Exit != 0 || s.Err != "" {
			t.Fatal(s.Err)
		}
		kernel := func(n network, words []string) string {
			var lines []string
			for line := range strings.Lines(n.plain(t, "", append([]string{"--debug=netlink", "list", "chain"}, words...)...).Out) {
				if strings.HasPrefix(line, "  [") {
					lines = append(lines, line)
				}
			}
			return strings.ReplaceAll(strings.Join(lines, ""), " 0x0 ]", " ]")
		}
		for chain := range chains {
			words := strings.Fields(chain)
			if d := cmp.Diff(strings.ReplaceAll(kernel(a, words), v.loaded, v.compiled), kernel(b, words)); d != "" {
				t.Errorf("%s: kernel (-nft +front end):\n%s", chain, d)
			}
			list := append([]string{"list", "chain"}, words...)
			listed := strings.ReplaceAll(a.plain(t, "", list...).Out, v.plain, v.value)
			if d := cmp.Diff(listed, b.run(t, "", list...).Out); d != "" {
				t.Errorf("%s: listed (-nft +front end):\n%s", chain, d)
			}
		}
		t.Logf("%d tried, %d refused", tried, refused)
		if tried < 60 || i == 0 && tried < 500 {
			t.Errorf("only %d rules", tried)
		}
	}
}
