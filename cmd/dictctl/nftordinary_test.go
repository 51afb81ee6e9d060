// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addConditions adds a rule with a dict condition to every chain that may have
// one.
func (p *pair) addConditions(t *testing.T) {
	t.Helper()
	for _, r := range []bodyRule{{"ip", "c", ""}, {"ip", "in", ""}, {"ip", "pre", ""}, {"ip6", "c", ""}, {"inet", "c", ""}, {"inet", "post", ""}, {"bridge", "c", ""}, {"arp", "c", ""}, {"netdev", "in", ""}} {
		if !p.conditions[r.family] {
			continue
		}
		for _, text := range []string{condition + " counter accept", "counter " + condition + " comment \"kept\""} {
			if got := p.compare(t, "", "-a", "-e", r.add(text)); got.status != 0 {
				t.Fatalf("%s: %s", r.add(text), got.stderr)
			}
		}
	}
}

// listings compares every way to list the ruleset.
func (p *pair) listings(t *testing.T) {
	t.Helper()
	for _, options := range thinned([]string{"-a", "-n", "-s", "-t", "-y", "-p", "-u", "-S", "-T", "-nn", "-j", "-j -a", "-j -s", "-j -n", "-a -s -t -y -p -u -S -T", ""}) {
		p.compare(t, "", append(strings.Fields(options), "list", "ruleset")...)
	}
	for _, family := range thinned([]string{"netdev", "ip", "ip6", "inet", "bridge", "arp"}) {
		p.compare(t, "", "-a", "list", "table", family, "t")
	}
}

// TestBodyRules loads every rule of the body beside rules with conditions: what
// is echoed, listed and refused is as with nft alone.
func TestBodyRules(t *testing.T) {
	for _, name := range []string{"matches.txt", "statements.txt"} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.addConditions(t)
			var commands []string
			for i, r := range bodyRules(t, name) {
				commands = append(commands, r.add(r.text))
				if i%10 == 0 && p.conditions[r.family] {
					commands = append(commands, "insert rule "+r.family+" t "+r.chain+" "+condition+" counter")
				}
			}
			good, bad := p.sift(t, commands)
			t.Logf("%d rules, and %d that nft refuses here", len(good), len(bad))
			if len(good) < len(commands)/2 {
				t.Errorf("only %d rules", len(good))
			}
			if got := p.compare(t, strings.Join(good, "\n")+"\n", "-a", "-e", "-f", "-"); got.status != 0 {
				t.Fatal(got.stderr)
			}
			for _, command := range bad {
				p.compare(t, "", command)
			}
			p.listings(t)
			p.reload(t)
		})
	}
}

// reload loads what is listed again, but for rules that nft lists as it does not
// read them, and wants the same listing.
func (p *pair) reload(t *testing.T) {
	t.Helper()
	text := p.front(t, "", "list", "ruleset").stdout
	for left := 20; ; left-- {
		got := process(t, p.spare, "", "flush ruleset\n"+strings.ReplaceAll(text, condition, plainTyped), "nft", "-c", "-f", "-")
		if got.status == 0 {
			break
		}
		lines := strings.SplitAfter("\n"+text, "\n")
		for _, m := range errorLine.FindAllStringSubmatch(got.stderr, -1) {
			n, _ := strconv.Atoi(m[1])
			lines[n-1] = ""
		}
		if text = strings.Join(lines[1:], ""); left == 0 {
			t.Fatalf("nft takes no part of its listing: %.2000s", got.stderr)
		}
	}
	if got := p.compare(t, "flush ruleset\n"+text, "-f", "-"); got.status != 0 {
		t.Error(got.stderr)
	}
	if again := p.compare(t, "", "list", "ruleset").stdout; again != text {
		t.Errorf("listed, loaded and listed again (-before +after):\n%s", cmp.Diff(text, again))
	}
}

// TestBodyRulesWithCondition puts a condition before, behind and on both sides of
// every rule of the body (in a guest, one of these): it is listed as with a plain
// match there.
func TestBodyRulesWithCondition(t *testing.T) {
	parts := [][]string{{"matches.txt"}, {"statements.txt"}}
	few := len(thinned(parts)) < len(parts)
	if few {
		parts = [][]string{slices.Concat(parts...)}
	}
	for _, names := range parts {
		t.Run(names[0], func(t *testing.T) {
			p := newPair(t)
			var rules []bodyRule
			for _, name := range names {
				rules = append(rules, bodyRules(t, name)...)
			}
			var commands []string
			for i, r := range rules {
				if !p.conditions[r.family] {
					continue
				}
				each := []string{r.add(condition + " " + r.text), r.add(r.text + " " + condition), r.add(condition + " " + r.text + " " + condition)}
				if few {
					each = each[i%3 : i%3+1]
				}
				commands = append(commands, each...)
			}
			good, bad := p.sift(t, commands)
			t.Logf("%d rules, and %d that nft refuses here", len(good), len(bad))
			if len(good) < len(commands)/3 {
				t.Errorf("only %d rules", len(good))
			}
			if got := p.compare(t, strings.Join(good, "\n")+"\n", "-a", "-e", "-f", "-"); got.status != 0 {
				t.Fatal(got.stderr)
			}
			for chunk := range slices.Chunk(bad, 5) {
				p.compare(t, strings.Join(chunk, "\n")+"\n", "-f", "-")
			}
			p.listings(t)
			p.reload(t)
		})
	}
}

// TestBodyCommands runs every command of the body, with conditions in the tables.
func TestBodyCommands(t *testing.T) {
	p := newPair(t)
	p.addConditions(t)
	for _, line := range thinned(bodyLines(t, "commands.txt")) {
		p.compare(t, "", splitOptions(line)...)
	}
	t.Logf("%d commands", p.runs)
}

// splitOptions makes arguments of a line: each option, then the rest as one.
func splitOptions(line string) (args []string) {
	for strings.HasPrefix(line, "-") {
		word, rest, _ := strings.Cut(line, " ")
		args, line = append(args, word), rest
		if len(word) == 2 && strings.IndexByte("fDId", word[1]) >= 0 || word == "--define" {
			if word, line, _ = strings.Cut(line, " "); word != "" {
				args = append(args, word)
			}
		}
	}
	if line != "" {
		args = append(args, line)
	}
	return args
}

// unbalanced matches text that takes what follows with it, or ends its chain.
var unbalanced = regexp.MustCompile(`^[^{]*}|{[^}]*$|^[^"]*"[^"]*$`)

// TestBodyBroken refuses what nft refuses, in nft's words: alone, and in the
// midst of a file that has conditions.
func TestBodyBroken(t *testing.T) {
	p := newPair(t)
	for i, r := range bodyRules(t, "broken.txt") {
		if i%2 == 0 {
			p.compare(t, "", r.add(r.text))
		}
		behind := condition
		if unbalanced.MatchString(r.text) { // the next line is in another block, or in quotes
			behind = "accept"
		}
		p.compare(t, fmt.Sprintf("table %s t {\n\tchain %s {\n\t\t%s counter\n\t\t%s\n\t\tcounter %s\n\t}\n}\n", r.family, r.chain, condition, r.text, behind), "-f", "-")
	}
	p.compare(t, "", "list", "ruleset")
}
