// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/backend"
	"nftdict/internal/need"
)

// withModule makes a namespace with tables whose values nft can work with.
func withModule(t *testing.T) string {
	t.Helper()
	netns := withTables(t)
	need.Feature(t, "kmod", func() error {
		return within(netns, func() error {
			b, err := backend.Open(backend.Kmod, backend.Options{})
			if err != nil {
				return err
			}
			return b.Store.Close()
		})
	})
	return netns
}

// TestValuesIdentity: what lists rules with values loads them.
func TestValuesIdentity(t *testing.T) {
	netns := withModule(t)
	feed(t, netns, valueRules, "nft", "-f", "-")
	before, _ := run(t, netns, 0, "nft", "-a", "list", "ruleset")
	feed(t, netns, "flush ruleset\n"+before, "nft", "-c", "-f", "-")
	if after, _ := run(t, netns, 0, "nft", "-a", "list", "ruleset"); after != before {
		t.Errorf("after a check (-before +after):\n%s", cmp.Diff(before, after))
	}
	text, _ := run(t, netns, 0, "nft", "list", "ruleset")
	feed(t, netns, "flush ruleset\n"+text, "nft", "-f", "-")
	if again, _ := run(t, netns, 0, "nft", "list", "ruleset"); again != text {
		t.Errorf("(-listed +listed again):\n%s", cmp.Diff(text, again))
	}
}

// TestValuesInPlace changes rules with values one by one.
func TestValuesInPlace(t *testing.T) {
	netns := withModule(t)
	nft := func(words string) string {
		t.Helper()
		out, _ := run(t, netns, 0, append([]string{"nft"}, strings.Fields(words)...)...)
		return out
	}
	nft("add table inet t; add chain inet t c; add rule inet t c dict sessions ct id application vmap { B : drop }")
	nft("insert rule inet t c meta mark set dict values meta mark i")
	handles := regexp.MustCompile(`handle (\d+)\n`).FindAllStringSubmatch(nft("-a list chain inet t c"), -1)
	if len(handles) != 3 {
		t.Fatalf("handles: %q", handles)
	}
	nft("replace rule inet t c handle " + handles[2][1] + " dict sessions ct id application . tcp dport vmap { C . 80 : drop }")
	echo := nft("-e -a add rule inet t c index 0 ct mark set dict values meta mark i")
	if !strings.HasPrefix(echo, "add rule inet t c ") || !strings.Contains(echo, " ct mark set dict values meta mark i # handle ") {
		t.Errorf("echo: %s", echo)
	}
	nft("delete rule inet t c handle " + handles[1][1])
	want := `table inet t {
	chain c {
		ct mark set dict values meta mark i
		dict sessions ct id application . tcp dport vmap { "C" . 80 : drop }
	}
}
`
	if d := cmp.Diff(want, nft("list table inet t")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestValuesMonitor: what a rule with a value is to a monitor, it is to a listing.
func TestValuesMonitor(t *testing.T) {
	netns := withModule(t)
	run(t, netns, 0, "nft", "add table inet t; add chain inet t c")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	monitor := exec.Command(self, "--netns", netns, "nft", "monitor", "rules")
	monitor.Env = append(os.Environ(), asProgram+"=1")
	out, err := monitor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := monitor.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	defer func() {
		_ = monitor.Process.Kill()
		for range lines {
		}
		_ = monitor.Wait()
	}()
	const rule = "add rule inet t c meta mark set dict values meta mark i"
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		run(t, netns, 0, "nft", rule)
		select {
		case got := <-lines:
			if got != rule {
				t.Errorf("monitor: %q, want %q", got, rule)
			}
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.Fatal("monitor shows nothing")
}

// TestValuesElsewhere: a backend that has no values for nft says so by name, and
// at the term.
func TestValuesElsewhere(t *testing.T) {
	netns := ruleNamespace(t)
	for words, want := range map[string][]string{
		"add rule ip filter forward dict sessions ct id application vmap { A : drop }":                {"not supported", "dict sessions ct id application vmap { A : drop }\n                           ^^^^^^"},
		"add rule ip filter forward meta mark set dict users dict sessions ct id username quota_size": {"not supported"},
	} {
		_, stderr := run(t, netns, 1, "--backend", "ebpf", "nft", words)
		for _, w := range want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%s: %q, want %q", words, stderr, w)
			}
		}
	}
	if listing, _ := run(t, netns, 0, "--backend", "ebpf", "nft", "list", "ruleset"); len(rulesOf(listing)) != 0 {
		t.Errorf("refused, and loaded\n%s", listing)
	}
}

// TestSavedElsewhere: what the module's rules with values are saved as is
// refused where they cannot be, by rule and reason, and what is there stays.
func TestSavedElsewhere(t *testing.T) {
	netns := withTablesOf(t, backend.EBPF)
	load := func(text string) (status int, stderr string) {
		var out, errs bytes.Buffer
		status = program(netns)("", strings.NewReader(text), &out, &errs, []string{"--backend", "ebpf", "nft", "-f", "-"})
		return status, out.String() + errs.String()
	}
	const before = "table ip before {\n\tchain c {\n\t\tdict sessions ct id application \"X\" drop\n\t}\n}\n"
	if status, said := load(before); status != 0 {
		t.Fatal(said)
	}
	lines := strings.Split(valueRules, "\n")
	rules := 0
	for i, line := range lines {
		if !strings.Contains(line, "dict ") {
			continue
		}
		rules++
		alone := []string{"flush ruleset"} // keeps the rule's place in lines, one further
		for k, other := range lines {
			if k != i && strings.Contains(other, "dict ") {
				other = ""
			}
			alone = append(alone, other)
		}
		for _, text := range []string{strings.Join(alone, "\n"), "flush ruleset\n" + strings.Join(lines[:i+1], "\n") + "\n}\n}\n"} {
			status, said := load(text)
			at, _, _ := strings.Cut(said, "\n")
			if status != 1 || !strings.Contains(at, "/dev/stdin:") || !strings.Contains(at, "not supported by the ebpf backend") || !strings.Contains(said, "^") {
				t.Errorf("%s: status %d, %s", line, status, said)
			}
			if text == strings.Join(alone, "\n") && (!strings.HasPrefix(at, fmt.Sprintf("/dev/stdin:%d:", i+2)) || !strings.Contains(said, "\n"+line+"\n")) {
				t.Errorf("%s: in line %d said of another\n%s", line, i+2, said)
			}
			if after, _ := run(t, netns, 0, "--backend", "ebpf", "nft", "list", "ruleset"); after != before {
				t.Fatalf("%s: refused, and (-before +after):\n%s", line, cmp.Diff(before, after))
			}
		}
	}
	if rules < 15 {
		t.Errorf("only %d rules were tried", rules)
	}
}
