// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/internal/backend"
	"nftdict/internal/need"
	"nftdict/nftext/ruletest"
)

// jsonHandles differ from load to load.
var jsonHandles = regexp.MustCompile(`"handle": \d+(, )?`)

// withTables makes a namespace with the tables of the rule tests.
func withTables(t *testing.T) string {
	t.Helper()
	return withTablesOf(t, backend.Auto)
}

// withTablesOf is withTables on a backend.
func withTablesOf(t *testing.T, name string) string {
	t.Helper()
	need.Program(t, "nft")
	netns := newNamespace(t)
	err := within(netns, func() error {
		b, err := backend.Open(name, backend.Options{})
		if err != nil {
			return err
		}
		for _, table := range ruletest.Tables() {
			if err := b.Store.AddTable(table); err != nil && !errors.Is(err, dict.ErrExist) {
				return errors.Join(err, b.Store.Close())
			}
		}
		return b.Store.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return netns
}

// canonicalTerms returns the terms of nftext's own test data as they print.
func canonicalTerms(t *testing.T) (terms []string) {
	t.Helper()
	files, err := filepath.Glob("../../nftext/testdata/*.t")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			rule, term, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ";ok;")
			if term == "-" {
				term = rule
			}
			if ok && rule[0] != '#' {
				terms = append(terms, term)
			}
		}
	}
	return terms
}

// TestRulesAsJSON loads every form of a term as text, then its listing as JSON
// elsewhere: both list the same, as text and as JSON.
func TestRulesAsJSON(t *testing.T) {
	one, other := withTables(t), withTables(t)
	text := "table inet j {\n\tchain c {\n"
	for i, term := range canonicalTerms(t) {
		text += "\t\t" + []string{"", "tcp dport 80 ", "ip saddr 10.0.0.1 counter packets 0 bytes 0 "}[i%3] + term + []string{"", " drop"}[i%2] + "\n"
	}
	text += "\t}\n}\n"
	feed(t, one, text, "nft", "-f", "-")
	if got, _ := run(t, one, 0, "nft", "list", "ruleset"); got != text {
		t.Fatalf("text (-loaded +listed):\n%s", cmp.Diff(text, got))
	}
	document, _ := run(t, one, 0, "nft", "-j", "list", "ruleset")
	feed(t, other, document, "nft", "-j", "-c", "-f", "-")
	feed(t, other, document, "nft", "-j", "-f", "-")
	if got, _ := run(t, other, 0, "nft", "list", "ruleset"); got != text {
		t.Errorf("text after JSON (-loaded +listed):\n%s", cmp.Diff(text, got))
	}
	got, _ := run(t, other, 0, "-j", "nft", "list", "ruleset")
	if d := cmp.Diff(jsonHandles.ReplaceAllString(document, ""), jsonHandles.ReplaceAllString(got, "")); d != "" {
		t.Errorf("JSON (-loaded +listed):\n%s", d)
	}
}

// feed runs the program on a text and wants it to succeed in silence.
func feed(t *testing.T, netns, stdin string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	var in io.Reader = strings.NewReader(stdin)
	if status := program(netns)("", in, &out, &errs, args); status != 0 || out.Len()+errs.Len() > 0 {
		t.Fatalf("dictctl %q: status %d, %s%s", args, status, &out, &errs)
	}
}

// TestJSONErrors wants the object at fault by its path, and nothing loaded.
func TestJSONErrors(t *testing.T) {
	netns := ruleNamespace(t)
	before, _ := run(t, netns, 0, "nft", "list", "ruleset")
	object := func(table, key, field, right string) string {
		return `{"nftables": [{"add": {"rule": {"family": "ip", "table": "filter", "chain": "forward", "expr": [{"counter": null}, ` +
			`{"match": {"op": "==", "left": {"dict": {"table": "` + table + `", "key": ` + key + `, "field": "` + field + `"}}, "right": ` + right + `}}]}}}]}`
	}
	const ctID = `{"ct": {"key": "id"}}`
	for document, want := range map[string]string{
		object("sessions", ctID, "aplication", `"NETFLIX"`): `Error: nftables[0].add.rule.expr[1]: dict sessions ct id: field "aplication": does not exist, is "application" meant?`,
		object("sesions", ctID, "application", `"NETFLIX"`): `Error: nftables[0].add.rule.expr[1]: dict: table "sesions": does not exist`,
		object("sessions", ctID, "final", `"maybe"`):        `Error: nftables[0].add.rule.expr[1]: `,
		object("sessions", ctID, "final", `{"set": 5}`):     `.expr[1].match.right.set: expected an array of values, found 5`,
		object("sessions", `"ct id"`, "final", `true`):      `.expr[1].match.left.dict.key: expected an expression of ct id`,
		object("sessions", ctID, "final", `1.5`):            `.expr[1].match.right: expected a whole number, found 1.5`,
	} {
		if out, errs := run(t, netns, 1, "nft", "-j", document); out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s:\n\thave %s%s\n\twant %s", document, out, errs, want)
		}
	}
	if after, _ := run(t, netns, 0, "nft", "list", "ruleset"); after != before {
		t.Errorf("something was loaded:\n%s", after)
	}
}

// valueRules are rules in which nft works with values.
const valueRules = `table inet v {
	set apps {
		type ifname
		elements = { "NETFLIX" }
	}

	set seen {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
	}

	map verdicts {
		type ifname . inet_service : verdict
		elements = { "VOIP" . 5060 : accept }
	}

	set macs {
		type ether_addr
		elements = { 02:00:00:00:00:01 }
	}

	chain video {
	}

	chain c {
		dict sessions ct id application vmap { "YOUTUBE" : jump video }
		dict sessions ct id application @apps counter packets 0 bytes 0
		tcp dport 80 dict sessions ct id application != @apps drop
		dict sessions ct id application . tcp dport vmap @verdicts
		dict sessions ct id application "X" meta mark set dict values meta mark i
		ct mark set dict values meta mark i dict values meta mark b true drop
		meta mark set dict sessions ct id application map { "VOIP" : 0x00000001 }
		dict values meta mark l vmap { 5 : drop }
		dict values meta mark i & 15 == 5 drop
		tcp dport set dict numbers iif i
		meta mark set dict values meta mark i ct mark set dict values meta mark di
		update @seen { dict values meta mark a4 timeout 5m }
		dict values meta mark b vmap { false : accept, true : drop }
		dict values meta mark b . tcp dport { true . 80 } drop
		meta mark set dict values meta mark b map { false : 0x00000002, true : 0x00000001 }
		dict values meta mark e @macs ip saddr 10.0.0.1 drop
		dict values meta mark e . dict values meta mark db vmap { 02:00:00:00:00:01 . true : drop }
		ether daddr set dict values meta mark e
		dict users dict sessions ct id username quota_remaining & 0x1 == 0x1 drop
	}
}
table ip vn {
	chain c {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 80 dnat to dict values meta mark a4:8080
		tcp dport 81 dnat to dict values meta mark a4:dict values meta mark i
	}
}
`

// moreValues are others, of which nft prints constants in its own way.
const moreValues = `table ip w {
	set both { type ipv4_addr . ipv4_addr; flags dynamic; size 100; }
	chain c {
		type filter hook prerouting priority mangle
		ip saddr set dict values mark a4
		udp sport set dict values mark l
		ip id set dict values mark i
		tcp option maxseg size set dict values mark i
		meta priority set dict values mark i
		meta mark set tcp dport . dict values mark b map { 80 . true : 1 }
		dict values mark b . dict values mark db vmap { true . false : drop }
		dict values mark e != { 02:00:00:00:00:01, 02:00:00:00:00:02 } counter ether saddr 02:00:00:00:00:03
		dict values mark e . ip daddr { 02:00:00:00:00:01 . 10.0.0.1, 02:00:00:00:00:01 . 10.0.0.2 } drop
		ether saddr . dict values mark e { 02:00:00:00:00:01 . 02:00:00:00:00:02 } drop
		meta mark set dict values mark i and 0xff or 0x100
		meta mark set dict values mark a4 map { 10.0.0.0/8 : 1, 192.0.2.1 : 2 }
		meta mark set ip saddr . dict values mark a4 map { 10.0.0.1 . 10.0.0.2 : 1 }
		meta mark set dict values mark s . dict values mark i map { "A" . 5 : 1 }
		dict values mark a4 . dict values mark l vmap { 10.0.0.1 . 5 : drop }
		dict values mark a4 & 255.255.255.0 == 10.1.2.0 drop
		dict values mark i { 5-9, 11 } dict values mark i | 1 { 5, 11 } drop
		add @both { ip saddr . dict values mark a4 limit rate 5/second }
		tcp dport 80 tproxy to dict values mark a4:3128
		dup to dict values mark a4 device "lo"
	}
	chain n {
		type nat hook prerouting priority dstnat
		tcp dport 80 redirect to :dict values mark i
		tcp dport 81 dnat to 10.0.0.1 : dict values mark i random
		dnat to dict values mark s map { "A" : 10.0.0.1 }
	}
	chain p {
		type nat hook postrouting priority srcnat
		snat to dict values mark a ipv4_addr persistent
		tcp dport 80 masquerade to :dict values mark i
	}
}
`

// TestValuesAsJSON loads values as text, then their listing as JSON elsewhere.
func TestValuesAsJSON(t *testing.T) {
	one, other := withTables(t), withTables(t)
	need.Feature(t, "kmod", func() error {
		return within(one, func() error {
			b, err := backend.Open(backend.Kmod, backend.Options{})
			if err != nil {
				return err
			}
			return b.Store.Close()
		})
	})
	feed(t, one, valueRules, "nft", "-f", "-")
	text, _ := run(t, one, 0, "nft", "list", "ruleset")
	if d := cmp.Diff(valueRules, text); d != "" {
		t.Errorf("text (-loaded +listed):\n%s", d)
	}
	document, _ := run(t, one, 0, "nft", "-j", "list", "ruleset")
	if n := strings.Count(document, `"dict"`); n != 27 {
		t.Errorf("%d dict objects:\n%s", n, document)
	}
	feed(t, other, document, "nft", "-j", "-f", "-")
	again, _ := run(t, other, 0, "nft", "list", "ruleset")
	if d := cmp.Diff(text, again); d != "" {
		t.Errorf("text after JSON (-loaded +listed):\n%s", d)
	}
	got, _ := run(t, other, 0, "nft", "-j", "list", "ruleset")
	if d := cmp.Diff(jsonHandles.ReplaceAllString(document, ""), jsonHandles.ReplaceAllString(got, "")); d != "" {
		t.Errorf("JSON (-loaded +listed):\n%s", d)
	}

	feed(t, one, "flush ruleset\n"+moreValues, "nft", "-f", "-")
	run(t, other, 0, "nft", "flush", "ruleset")
	text, _ = run(t, one, 0, "nft", "list", "ruleset")
	document, _ = run(t, one, 0, "nft", "-j", "list", "ruleset")
	feed(t, other, document, "nft", "-j", "-f", "-")
	again, _ = run(t, other, 0, "nft", "list", "ruleset")
	if d := cmp.Diff(text, again); d != "" {
		t.Errorf("more text after JSON (-loaded +listed):\n%s", d)
	}
	if want := `dict values meta mark s . dict values meta mark i map { "A" . 0x00000005 : 0x00000001 }`; !strings.Contains(text, want) {
		t.Errorf("%s is not in\n%s", want, text)
	}

	// nft 1.0.6 has no JSON for a map that a rule changes: it leaves the statement
	// out, with a warning.
	feed(t, one, "flush ruleset\ntable ip x { map m { type ipv4_addr : mark; flags dynamic; size 100; }; chain c { update @m { ip saddr : dict values mark i }; }; }", "nft", "-f", "-")
	var out, errs bytes.Buffer
	if status := program(one)("", nil, &out, &errs, []string{"nft", "-j", "list", "ruleset"}); !strings.Contains(out.String(), `"update"`) && (status == 0 || !strings.Contains(errs.String(), "nft has no JSON for the statement")) {
		t.Errorf("a statement without JSON: status %d, %s%s", status, &out, &errs)
	}
}
