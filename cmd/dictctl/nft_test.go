// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"nftdict/internal/backend"
	"nftdict/internal/need"
)

// ruleNamespace makes a namespace with the chains that rules of the tests go
// into, and returns its name.
func ruleNamespace(t *testing.T) string {
	t.Helper()
	netns := newNamespace(t)
	need.Program(t, "nft")
	run(t, netns, 0, "nft", `table ip filter {
	chain forward { type filter hook forward priority filter; }
	chain prerouting { type filter hook prerouting priority mangle; }
	chain portal { type nat hook prerouting priority dstnat; }
}`)
	return netns
}

// rule is a rule as it is given to a shell, without the shell's escapes.
type rule struct {
	words   string // behind `dictctl nft`
	listing string // how nft prints it
}

// classic are the rules of the documentation, as written there.
var classic = []rule{
	{"add rule ip filter forward dict sessions ct id application long_string NETFLIX reject",
		`dict sessions ct id application long_string "NETFLIX" reject`},
	{"add rule ip filter forward dict hosts ip saddr mac-vendor long_string *NEST* reject",
		`dict hosts ip saddr mac-vendor long_string "*NEST*" reject`},
	{"add rule ip filter portal tcp dport 80 dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80",
		`tcp dport 80 dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80`},
	{"add rule ip filter forward dict devices ether saddr quota-remaining int 0 reject",
		`dict devices ether saddr quota-remaining int 0 reject`},
	{"add rule ip filter forward dict users dict sessions ct id username long_string quota-exceeded bool true reject",
		`dict users dict sessions ct id username long_string quota-exceeded bool true reject`},
	{"add rule ip filter forward dict sessions ct id server_country long_string NL reject",
		`dict sessions ct id server_country long_string "NL" reject`},
	{"add rule ip filter prerouting ct state new dict hosts ip saddr mac_address ether_addr set ether saddr",
		`ct state new dict hosts ip saddr mac_address ether_addr set ether saddr`},
	{"add rule ip filter forward dict users dict sessions ct id username long_string user_group long_string *sales* reject",
		`dict users dict sessions ct id username long_string user_group long_string "*sales*" reject`},
}

// rulesOf returns the rules of a listing, one a line.
func rulesOf(listing string) []string {
	var rules []string
	for l := range strings.Lines(listing) {
		if l = strings.TrimSpace(l); strings.Contains(l, "dict ") {
			rules = append(rules, l)
		}
	}
	return rules
}

func TestRules(t *testing.T) {
	netns := ruleNamespace(t)
	for _, r := range classic {
		before, _ := run(t, netns, 0, "nft", "list", "ruleset")
		run(t, netns, 0, append([]string{"nft"}, strings.Fields(r.words)...)...)
		after, _ := run(t, netns, 0, "nft", "list", "ruleset")
		if strings.Contains(before, r.listing) || !strings.Contains(after, "\t\t"+r.listing+"\n") {
			t.Errorf("%s: listed as\n%s", r.words, after)
		}
	}
	listing, _ := run(t, netns, 0, "nft", "list", "ruleset")
	if n := len(rulesOf(listing)); n != len(classic) {
		t.Fatalf("%d rules\n%s", n, listing)
	}

	// What is listed loads again, as a file, and is listed the same.
	run(t, netns, 0, "nft", "flush", "ruleset")
	run(t, netns, 0, "nft", listing)
	if again, _ := run(t, netns, 0, "nft", "list", "ruleset"); again != listing {
		t.Errorf("got\n%s\nwant\n%s", again, listing)
	}
	chain, _ := run(t, netns, 0, "nft", "list", "chain", "ip", "filter", "prerouting")
	if got := rulesOf(chain); len(got) != 1 || got[0] != classic[6].listing {
		t.Errorf("list chain: %q", got)
	}

	// The words of a listing are those of nft alone, apart from the terms.
	run(t, netns, 0, "nft", "flush", "chain", "ip", "filter", "forward")
	if rest, _ := run(t, netns, 0, "nft", "list", "table", "ip", "filter"); len(rulesOf(rest)) != 2 {
		t.Errorf("after flush chain\n%s", rest)
	}
}

func TestRulesInPlace(t *testing.T) {
	netns := ruleNamespace(t)
	nft := func(words string) string {
		t.Helper()
		out, _ := run(t, netns, 0, append([]string{"nft"}, strings.Fields(words)...)...)
		return out
	}
	forward := func() string {
		t.Helper()
		var apps []string
		for _, r := range rulesOf(nft("list chain ip filter forward")) {
			apps = append(apps, regexp.MustCompile(`"(.*)"`).FindStringSubmatch(r)[1])
		}
		return strings.Join(apps, " ")
	}
	nft("add rule ip filter forward dict sessions ct id application B drop")
	nft("insert rule ip filter forward dict sessions ct id application A drop")
	nft("add rule ip filter forward dict sessions ct id application D counter drop")
	handles := regexp.MustCompile(`"(.)".*# handle (\d+)`).FindAllStringSubmatch(nft("-a list chain ip filter forward"), -1)
	if len(handles) != 3 {
		t.Fatalf("handles: %q", handles)
	}
	nft("insert rule ip filter forward handle " + handles[2][2] + " dict sessions ct id application C drop")
	if got := forward(); got != "A B C D" {
		t.Errorf("order: %s", got)
	}
	nft("replace rule ip filter forward handle " + handles[1][2] + " dict sessions ct id application E drop")
	nft("delete rule ip filter forward handle " + handles[0][2])
	if got := forward(); got != "E C D" {
		t.Errorf("order: %s", got)
	}
	// -c changes nothing.
	nft("-c add rule ip filter forward dict sessions ct id application F drop")
	if got := forward(); got != "E C D" {
		t.Errorf("after -c: %s", got)
	}
	if out := nft("-e -a add rule ip filter forward dict sessions ct id application G drop"); !strings.Contains(out, `dict sessions ct id application "G" drop # handle`) {
		t.Errorf("echo: %s", out)
	}
}

func TestRuleErrors(t *testing.T) {
	netns := ruleNamespace(t)
	for _, tt := range []struct {
		words string
		want  []string // on standard error
	}{
		{"add rule ip filter forward tcp dport 80 dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80",
			[]string{"Operation not supported", "remedy: dnat and redirect belong in a nat chain at prerouting"}},
		{"add rule ip filter forward dict sessions ct id aplication NETFLIX reject",
			[]string{`field "aplication": does not exist`, "^"}},
		{"add rule ip filter forward dict session ct id application NETFLIX reject",
			[]string{`table "session": does not exist`}},
		{"add rule ip filter forward dict sessions ip saddr application NETFLIX reject", []string{"wrong type"}},
		{"add rule ip filter forward dict devices ether saddr quota-remaining int many reject", []string{`"many"`}},
		{"add rule ip filter forward dict sessions ct id application reject", []string{"Error"}},
		{"add rule ip filter nowhere dict sessions ct id application NETFLIX reject", []string{"No such file or directory"}},
	} {
		_, stderr := run(t, netns, 1, append([]string{"nft"}, strings.Fields(tt.words)...)...)
		for _, want := range tt.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: %q, want %q", tt.words, stderr, want)
			}
		}
	}
	if listing, _ := run(t, netns, 0, "nft", "list", "ruleset"); len(rulesOf(listing)) != 0 {
		t.Errorf("refused, and loaded\n%s", listing)
	}

	// A table that a rule uses stays; maps that hold it know which rule that is.
	run(t, netns, 0, "table", "add", "own", "key", "mark", "field", "n", "int")
	run(t, netns, 0, append([]string{"nft"}, strings.Fields("add rule ip filter forward dict own meta mark n 5 accept")...)...)
	holder := map[string]string{backend.EBPF: "ip filter forward", backend.Kmod: "a rule uses the table"}[kindOf(t, netns)]
	if _, stderr := run(t, netns, 1, "table", "delete", "own"); !strings.Contains(stderr, "in use") || !strings.Contains(stderr, holder) {
		t.Errorf("table delete: %s", stderr)
	}
	run(t, netns, 0, "nft", "flush", "chain", "ip", "filter", "forward")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // the kernel frees a rule a moment later
		var errs bytes.Buffer
		if status := program(netns)("", nil, &errs, &errs, []string{"table", "delete", "own"}); status == 0 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("table delete: %s", &errs)
		}
	}
}

// TestNftAlone does as nft does where there is no dict term: output, messages
// and exit status.
func TestNftAlone(t *testing.T) {
	netns := ruleNamespace(t)
	run(t, netns, 0, "nft", "add", "rule", "ip", "filter", "forward", "tcp", "dport", "{", "80,", "443", "}", "counter", "accept")
	for _, words := range []string{"list ruleset", "-a list ruleset", "-j list tables", "list table ip nowhere", "add rule ip filter forward frobnicate", "-v", "-V", "--version", "-h", "--help", "--help list ruleset", "--frob", "-f", ""} {
		args := strings.Fields(words)
		want := nftAlone(t, netns, args)
		stdout, stderr := run(t, netns, want.status, append([]string{"nft"}, args...)...)
		if stdout != want.stdout || stderr != want.stderr {
			t.Errorf("nft %s:\n%s%s\nwant\n%s%s", words, stdout, stderr, want.stdout, want.stderr)
		}
	}
	// An option of ours before the word is nft's too.
	alone := nftAlone(t, netns, []string{"-j", "list", "tables"})
	if stdout, _ := run(t, netns, 0, "-j", "nft", "list", "tables"); stdout != alone.stdout {
		t.Errorf("-j nft: %s", stdout)
	}
}

// TestNftOutputLost: nft does its work and ends as ever where nobody takes what it
// prints, and says nothing about it; so does ours, whatever the rules hold.
func TestNftOutputLost(t *testing.T) {
	netns := ruleNamespace(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, words := range []string{
		"list ruleset", "list table ip nowhere", "-e add rule ip filter forward drop", "add rule ip filter forward drop",
		"-j list ruleset", "-e add rule ip filter forward dict sessions ct id application NETFLIX drop",
	} {
		var ours, theirs bytes.Buffer
		status := program(netns)("", nil, full, &ours, append([]string{"nft"}, strings.Fields(words)...))
		if strings.Contains(words, "dict") {
			words = "-e add rule ip filter forward accept"
		}
		alone := exec.Command("ip", append([]string{"netns", "exec", netns, "nft"}, strings.Fields(words)...)...)
		alone.Stdout, alone.Stderr = full, &theirs
		_ = alone.Run()
		if want := alone.ProcessState.ExitCode(); status != want || ours.String() != theirs.String() {
			t.Errorf("nft %s: status %d, %q, want %d, %q", words, status, &ours, want, &theirs)
		}
	}
	if listing, _ := run(t, netns, 0, "nft", "list", "ruleset"); len(rulesOf(listing)) != 1 {
		t.Errorf("listed as\n%s", listing)
	}
}

// TestTableHeld: who deletes a table that a rule uses is told which.
func TestTableHeld(t *testing.T) {
	netns := ruleNamespace(t)
	run(t, netns, 0, "table", "add", "spare", "key", "string", "field", "n", "int")
	run(t, netns, 0, "nft", "add rule ip filter forward accept; add rule ip filter forward dict spare dict sessions ct id username n 5 drop")
	listing, _ := run(t, netns, 0, "nft", "-a", "list", "chain", "ip", "filter", "forward")
	handles := regexp.MustCompile(`handle (\d+)\n`).FindAllStringSubmatch(listing, -1)
	handle := handles[len(handles)-1][1]
	if _, stderr := run(t, netns, 1, "table", "delete", "spare"); !strings.Contains(stderr, "in use: ") || !strings.Contains(stderr, "by ip filter forward handle "+handle+"\n") {
		t.Errorf("with a rule: %s", stderr)
	}
	run(t, netns, 0, "nft", "delete rule ip filter forward handle "+handle)
	run(t, netns, 0, "table", "delete", "spare")
}

// TestNftExamples runs the examples of the help text.
func TestNftExamples(t *testing.T) {
	netns := newNamespace(t)
	need.Program(t, "nft")
	run(t, netns, 0, "nft", "table inet filter { chain forward { type filter hook forward priority filter; }; }")
	help, _ := run(t, netns, 0, "help", "nft")
	_, examples, _ := strings.Cut(help, "Examples:\n")
	examples, _, _ = strings.Cut(examples, "\n\n")
	n := 0
	for line := range strings.Lines(examples) {
		var words []string
		for i, part := range strings.Split(strings.TrimSpace(line), "'") {
			if i%2 == 1 { // between a shell's quotes
				words = append(words, part)
			} else {
				words = append(words, strings.Fields(part)...)
			}
		}
		run(t, netns, 0, words[1:]...)
		n++
	}
	if listing, _ := run(t, netns, 0, "nft", "list", "ruleset"); n < 4 || len(rulesOf(listing)) != 3 {
		t.Errorf("%d examples, listed as\n%s", n, listing)
	}
}
