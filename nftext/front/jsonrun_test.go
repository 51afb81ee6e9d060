// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/nftext/jsondoc"
)

// jsonHandles are what one load and the next have different.
var jsonHandles = regexp.MustCompile(`"handle": \d+`)

func loadJSON(t testing.TB) (network, string) {
	t.Helper()
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c; add chain ip t d; add set ip t s { type ifname; }; "+
		"add rule ip t c ip saddr 10.0.0.1 "+matchTerm+" counter comment \"x\"; add rule ip t c "+statementTerm+" drop; add rule ip t d accept")
	return ns, `{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 0, "comment": "x", "expr": [` +
		`{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "10.0.0.1"}}, ` +
		matchJSON + `, {"counter": {"packets": 0, "bytes": 0}}]}}, ` +
		`{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 0, "expr": [` + statementJSON + `, {"drop": null}]}}`
}

func TestRunJSONList(t *testing.T) {
	ns, want := loadJSON(t)
	got := ns.run(t, "", "-j", "list", "chain", "ip", "t", "c")
	if out := jsonHandles.ReplaceAllString(got.Out, `"handle": 0`); got.Exit != 0 || got.Err != "" || !strings.HasSuffix(out, want+"]}\n") {
		t.Errorf("%+v", got)
	}
	if text := ns.run(t, "", "list", "chain", "ip", "t", "c"); !strings.Contains(text.Out, matchTerm) {
		t.Errorf("%+v", text)
	}
}

// A listing in JSON loads again, and lists as before.
func TestRunJSONRoundTrip(t *testing.T) {
	ns, _ := loadJSON(t)
	want := ns.run(t, "", "-j", "list", "ruleset").Out
	other := newNetwork(t)
	if got := other.run(t, want, "-j", "-f", "-"); got != (said{}) {
		t.Fatalf("load: %+v", got)
	}
	file := filepath.Join(t.TempDir(), "rules.json")
	if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-j", "-c", "-f", file}, {"flush", "ruleset"}, {"-j", "-f", file}} {
		if got := other.run(t, "", args...); got != (said{}) {
			t.Fatalf("nft %q: %+v", args, got)
		}
	}
	got := other.run(t, "", "-j", "list", "ruleset").Out
	if d := cmp.Diff(jsonHandles.ReplaceAllString(want, ""), jsonHandles.ReplaceAllString(got, "")); d != "" {
		t.Errorf("(-listed +listed after a load):\n%s", d)
	}
	if d := cmp.Diff(ns.run(t, "", "list", "ruleset").Out, other.run(t, "", "list", "ruleset").Out); d != "" {
		t.Errorf("text (-listed +listed after a load):\n%s", d)
	}
}

func TestRunJSONEcho(t *testing.T) {
	ns, _ := loadJSON(t)
	rule := `{"rule": {"family": "ip", "table": "t", "chain": "d", "expr": [{"counter": null}, ` + matchJSON + `]}}`
	src := `{"nftables": [{"add": ` + rule + `}, {"insert": ` + strings.Replace(rule, "counter", "notrack", 1) + `}]}`
	got := ns.run(t, src, "-j", "-e", "-f", "-")
	if out := regexp.MustCompile(`, "handle": \d+`).ReplaceAllString(got.Out, ""); got.Exit != 0 || out != src {
		t.Errorf("%+v, want\n%s", got, src)
	}
	got = ns.run(t, "", "-j", "-e", "add rule ip t d "+statementTerm)
	if !strings.Contains(got.Out, `"expr": [`+statementJSON+`]`) || got.Exit != 0 {
		t.Errorf("command: %+v", got)
	}
	got = ns.run(t, "", "-j", "-e", src)
	if !strings.Contains(got.Out, matchJSON) || got.Exit != 0 {
		t.Errorf("JSON as a command: %+v", got)
	}
}

func TestRunJSONErrors(t *testing.T) {
	ns, _ := loadJSON(t)
	before := ns.run(t, "", "list", "ruleset")
	rule := func(chain, term string) string {
		return `{"add": {"rule": {"family": "ip", "table": "t", "chain": "` + chain + `", "expr": [{"counter": null}, ` + term + `]}}}`
	}
	bad := strings.Replace(matchJSON, `"right": 7`, `"right": 9999`, 1)
	for name, c := range map[string]struct{ src, want string }{
		"compile": {`{"nftables": [` + rule("d", matchJSON) + `, ` + rule("d", bad) + `]}`, `
Error: nftables[1].add.rule.expr[1]: value "9999": refused by the test
dict sessions ct id application 9999
                                ^^^^
`},
		"member": {`{"nftables": [` + rule("d", strings.Replace(matchJSON, `"field"`, `"feld"`, 1)) + `]}`, `
/dev/stdin:1:105-233: Error: nftables[0].add.rule.expr[1].match.left.dict.feld: is not known here, want table, key, field, type
` + strings.Replace(matchJSON, `"field"`, `"feld"`, 1) + "\n"},
		"kernel": {`{"nftables": [` + rule("nosuch", matchJSON) + `, ` + rule("d", bad) + `]}`, `
internal:0:0-0: Error: Could not process rule: No such file or directory

Error: nftables[1].add.rule.expr[1]: value "9999": refused by the test
dict sessions ct id application 9999
                                ^^^^
`},
		"nft": {`{"nftables": [` + rule("d", matchJSON+`, {"nosuch": null}`) + `]}`, `
internal:0:0-0: Error: Unknown statement object 'nosuch'.

internal:0:0-0: Error: Parsing expr array at index 2 failed.

internal:0:0-0: Error: Parsing command array at index 0 failed.

`},
	} {
		if d := cmp.Diff(said{Exit: 1, Err: c.want[1:]}, ns.run(t, c.src, "-j", "-f", "-")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	// Text is as ever.
	got := ns.run(t, "", "-j", "add rule ip t d dict sessions ct id application 9999 drop")
	want := "Error: value \"9999\": refused by the test\nadd rule ip t d dict sessions ct id application 9999 drop\n" + strings.Repeat(" ", 48) + "^^^^\n"
	if got != (said{Exit: 1, Err: want}) {
		t.Errorf("%+v", got)
	}
	// Where nft does not translate it is nft that refuses.
	got = ns.run(t, `{"nftables": [{"add": {"rule": {"family": "ip", "table": "t", "chain": "d", "expr": [{"counter": `+matchJSON+`}]}}}]}`, "-j", "-f", "-")
	if got.Exit == 0 {
		t.Errorf("a term in a counter: %+v", got)
	}
	if d := cmp.Diff(before, ns.run(t, "", "list", "ruleset")); d != "" {
		t.Errorf("something was loaded:\n%s", d)
	}
}

// Every event of a monitor is a document on a line of its own.
func TestRunJSONMonitor(t *testing.T) {
	ns, _ := loadJSON(t)
	ctx, cancel := context.WithCancel(context.Background())
	var out lockedBuffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c := Command{Args: []string{"-j", "monitor"}, Codec: fakeCodec{}, Stdout: &out}
		ns.do(t, func() { _, _ = c.Run(ctx) })
	}()
	defer func() { cancel(); <-ended }()
	const want = `{"add": {"rule": {"family": "ip", "table": "t", "chain": "d", "handle": 0, "expr": [` + matchJSON + `, {"drop": null}]}}}` + "\n"
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(jsonHandles.ReplaceAllString(out.String(), `"handle": 0`), want); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("monitor shows %q", out.String())
		}
		ns.must(t, "add rule ip t d "+matchTerm+" drop")
	}
}

// Every ordinary rule with a term looks in JSON as one with a plain match in its
// place, and fares alike when its document is loaded.
func TestOrdinaryRulesWithTermJSON(t *testing.T) {
	a, b := newNetwork(t), newNetwork(t)
	text, err := os.ReadFile("testdata/ordinary.txt")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`^((?:add|insert) rule \w+ \w+ \w+) (.*)$`)
	rules := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch m := rule.FindStringSubmatch(line); {
		case m != nil:
			command := m[1] + " " + dictTerm + " " + m[2]
			a.plain(t, "", replaceTerm(command))
			b.run(t, "", command)
			rules++
		case strings.HasPrefix(line, "add ") || strings.HasPrefix(line, "create "):
			a.plain(t, "", line)
			b.run(t, "", line)
		}
	}
	if rules < 30 {
		t.Errorf("only %d rules", rules)
	}
	const plain = `{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}`
	object := strings.Replace(matchJSON, `"right": 7`, `"right": 1`, 1)
	same := func(want, got said) bool {
		t.Helper()
		want, got = steady(want), steady(got)
		want.Out = strings.ReplaceAll(want.Out, plain, object)
		d := cmp.Diff(want, got)
		if d != "" {
			t.Errorf("(-nft +front end):\n%s", d)
		}
		return d == ""
	}
	list := []string{"-j", "list", "ruleset"}
	before := a.plain(t, "", list...)
	if n := strings.Count(before.Out, plain); n < 30 {
		t.Errorf("only %d rules in JSON", n)
	}
	if !same(before, b.run(t, "", list...)) {
		return
	}
	// The whole, then each of its rules alone: nft does not read all that it prints.
	flush := `{"nftables": [{"flush": {"ruleset": null}}, `
	load := func(document string) {
		t.Helper()
		same(a.plain(t, document, "-j", "-f", "-"), b.run(t, strings.ReplaceAll(document, plain, object), "-j", "-f", "-"))
	}
	load(flush + strings.TrimPrefix(before.Out, `{"nftables": [`))
	loaded := 0
	_ = jsondoc.Walk([]byte(before.Out), func(at *jsondoc.Path) bool { return at.Member("rule") }, func(_ *jsondoc.Path, start, end int) error {
		loaded++
		load(`{"nftables": [{"add": {"rule": ` + before.Out[start:end] + `}}]}`)
		return nil
	})
	if loaded < 30 {
		t.Errorf("%d rules loaded", loaded)
	}
	same(a.plain(t, "", list...), b.run(t, "", list...))
}
