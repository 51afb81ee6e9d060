// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/internal/backend"
	"nftdict/internal/need"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// movedMatches are the matches of all scenes and of the rule tests, each once, as
// they print.
func movedMatches(t *testing.T) (texts []string) {
	t.Helper()
	seen := map[string]bool{}
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	for _, s := range ruletest.Scenes() {
		for _, r := range s.Rules {
			add(canonical(t, r.Text))
		}
	}
	for _, text := range canonicalTerms(t) {
		if term, _, err := nftext.Parse(text); err != nil {
			t.Fatal(text, err)
		} else if term.Kind() == nftext.KindMatch {
			add(text)
		}
	}
	return texts
}

// canonical returns a term as it prints.
func canonical(t *testing.T, text string) string {
	t.Helper()
	term, n, err := nftext.Parse(text)
	if err != nil || n != len(text) {
		t.Fatal(text, n, err)
	}
	b, err := nftext.Bind(term, ruletest.NewSchema())
	if err != nil {
		t.Fatal(text, err)
	}
	return b.Term().String()
}

// movedRules returns a ruleset of all scenes, and of all effects, each for the
// packets to a port of its own.
func movedRules(matches []string, effects []ruletest.Effect) string {
	var b strings.Builder
	b.WriteString("table inet moved {\n\tchain scenes {\n")
	for _, m := range matches {
		b.WriteString("\t\t" + m + " counter packets 0 bytes 0\n")
	}
	b.WriteString("\t}\n\n\tchain effects {\n")
	for i, e := range effects {
		fmt.Fprintf(&b, "\t\tudp dport %d %s counter packets 0 bytes 0\n", effectPorts+i, e.Text)
	}
	v4, v6 := ruletest.Flows()
	fmt.Fprintf(&b, `	}

	chain pre {
		type filter hook prerouting priority filter; policy accept;
		meta nfproto ipv4 meta mark set 0x%08x ct mark set 0x%08x
		meta nfproto ipv6 meta mark set 0x%08x ct mark set 0x%08x
		udp dport %d jump scenes
		udp dport %d-%d jump effects
		udp dport %d-%d counter packets 0 bytes 0
	}
}
`, v4.Mark, v4.CtMark, v6.Mark, v6.CtMark, scenePort, effectPorts, effectPorts+len(effects), scenePort, effectPorts+len(effects))
	return b.String()
}

// TestMoved saves rules on the backend of stock kernels and restores them on the
// best one that there is here, and from there back as JSON: they are listed the same,
// and do with packets what the suite of rules wants of both.
func TestMoved(t *testing.T) {
	from, to := newGateway(t, backend.EBPF), newGateway(t, backend.Auto)
	if need.Promised("kmod") {
		to.kind = backend.Kmod
	}
	matches, effects := sample(movedMatches(t), 11), sample(ruletest.Effects(), 7)
	for i := range effects {
		effects[i].Text = canonical(t, effects[i].Text)
	}
	text := movedRules(matches, effects)
	from.load(t, text)
	saved := from.list(t)
	if d := cmp.Diff(text, saved); d != "" {
		t.Fatalf("(-loaded +listed):\n%s", d)
	}
	to.load(t, saved)
	if d := cmp.Diff(saved, to.list(t)); d != "" {
		t.Fatalf("(-saved +restored):\n%s", d)
	}
	document := to.list(t, "-j")
	from.load(t, "flush ruleset\n")
	from.load(t, document, "-j")
	if d := cmp.Diff(saved, from.list(t)); d != "" {
		t.Fatalf("back, from JSON (-saved +restored):\n%s", d)
	}
	t.Logf("%d matches, %d statements", len(matches), len(effects))

	port := clientPort
	for _, scene := range ruletest.Scenes() {
		port++
		var acts [2][]bool
		for i, g := range []*gateway{from, to} {
			g.fresh(t, scene.Flow, port, scenePort, scene.Rows)
			before := g.counters(t, "scenes")
			g.send(t, scene.Flow, port, scenePort, 1)
			for k, n := range g.counters(t, "scenes") {
				acts[i] = append(acts[i], n > before[k])
			}
			for _, r := range scene.Rules {
				if k := slices.Index(matches, canonical(t, r.Text)); k >= 0 && acts[i][k] != r.Match {
					t.Errorf("%s: %s: %s: matched %v, want %v", g.kind, scene.Name, r.Text, acts[i][k], r.Match)
				}
			}
		}
		for k := range matches { // of those the scene does not speak of, too
			if acts[0][k] != acts[1][k] {
				t.Errorf("%s: %s: matched %v, restored %v", scene.Name, matches[k], acts[0][k], acts[1][k])
			}
		}
	}
	for i, effect := range effects {
		port++
		for _, g := range []*gateway{from, to} {
			packet := g.fresh(t, effect.Flow, port, effectPorts+i, effect.Rows)
			g.send(t, effect.Flow, port, effectPorts+i, effect.Packets)
			if err := effect.Check(g.store, packet); err != nil {
				t.Errorf("%s: %s: %v", g.kind, effect.Text, err)
			}
		}
	}
}

// TestMovedManual restores the rules of docs/rules.md on the other backend.
func TestMovedManual(t *testing.T) {
	from, to := newGateway(t, backend.EBPF), newGateway(t, backend.Auto)
	var text strings.Builder
	for _, b := range blocks(manual(t)) {
		first, _, _ := strings.Cut(b.text, " ")
		switch {
		case b.only != "" || len(b.errorsIn()) > 0 || strings.Contains(b.text, "[OPTION]"):
		case first == "dictctl" && strings.Contains(b.text, "dictctl table add"):
			for line := range strings.Lines(b.text) {
				for _, g := range []*gateway{from, to} {
					g.dictctl(t, shellWords(strings.TrimPrefix(line, "dictctl "))...)
				}
			}
		case first == "add", first == "define", first == "table" && !strings.Contains(b.text, "delete table"):
			text.WriteString(b.text)
		}
	}
	from.load(t, "add table ip filter; add chain ip filter forward; "+text.String())
	saved := from.list(t, "-s")
	if n := len(rulesOf(saved)); n < 100 {
		t.Errorf("only %d rules", n)
	}
	to.load(t, saved)
	if d := cmp.Diff(saved, to.list(t, "-s")); d != "" {
		t.Errorf("(-saved +restored):\n%s", d)
	}
}

// elsewhere are rules with terms that only the module has, as they are listed.
const elsewhere = `table netdev edge {
	chain in {
		type filter hook ingress device "lo" priority filter; policy accept;
		dict hosts ip saddr username exists drop
		dict devices ether saddr quota_remaining < 0 drop
	}
}
table arp neighbours {
	chain in {
		type filter hook input priority filter; policy accept;
		dict devices ether saddr username missing drop
	}
}
table inet two {
	chain c {
		dict values ct mark l set ct id
		dict values ct mark l add meta skuid
		ip saddr 10.0.0.1 dict numbers iif i add oif accept
	}
}
`

// TestMovedAway: the module takes and lists them.
func TestMovedAway(t *testing.T) {
	netns := withModule(t)
	feed(t, netns, elsewhere+valueRules, "nft", "-f", "-")
	listed, _ := run(t, netns, 0, "nft", "list", "ruleset")
	if d := cmp.Diff(elsewhere+valueRules, listed); d != "" {
		t.Errorf("(-loaded +listed):\n%s", d)
	}
}

// TestMovedRefused: what the module alone can do is refused elsewhere, each rule at
// its line and with the reason, and what is there stays.
func TestMovedRefused(t *testing.T) {
	netns := withTablesOf(t, backend.EBPF)
	nft := func(stdin string, args ...string) outcome {
		t.Helper()
		var out, errs strings.Builder
		status := program(netns)("", strings.NewReader(stdin), &out, &errs, append([]string{"--backend", backend.EBPF, "nft"}, args...))
		return outcome{status, out.String(), errs.String()}
	}
	const before = "table ip before {\n\tchain c {\n\t\tdict sessions ct id application \"X\" drop\n\t}\n}\n"
	if got := nft(before, "-f", "-"); got != (outcome{}) {
		t.Fatalf("%+v", got)
	}
	saved := elsewhere + valueRules
	got := nft("flush ruleset\n"+saved, "-f", "-")
	if got.status != 1 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	rules := 0
	for i, line := range strings.Split(saved, "\n") {
		if !strings.Contains(line, "dict ") {
			continue
		}
		rules++
		said := ""
		for message := range strings.SplitSeq("\n"+got.stderr, "\n/dev/stdin:") {
			if strings.HasPrefix(message, fmt.Sprintf("%d:", i+2)) {
				said += message
			}
		}
		if !strings.Contains(said, dict.ErrNotSupported.Error()) || !strings.Contains(said, line+"\n") || !strings.Contains(said, "^") {
			t.Errorf("%s: said %q", line, said)
		}
	}
	if rules < 20 {
		t.Errorf("only %d rules", rules)
	}
	if after := nft("", "list", "ruleset"); after.stdout != before {
		t.Errorf("refused, and (-before +after):\n%s", cmp.Diff(before, after.stdout))
	}
}
