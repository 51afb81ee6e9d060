// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/backend"
)

// block is an indented part of a document.
type block struct {
	only string // the backend it is for; "" is any
	text string // without the indentation
}

// term finds the word that a term begins with, in text and JSON.
var term = regexp.MustCompile(`\bdict\b`)

// blocks returns the indented parts of a document in their order. A heading may
// say in parentheses that what stands below it is for one backend.
func blocks(document string) []block {
	var all []block
	only := ""
	open, blank := false, ""
	for line := range strings.Lines(document) {
		if strings.HasPrefix(line, "#") {
			chapter := strings.HasPrefix(line, "## ")
			switch {
			case strings.Contains(line, "(kmod)"):
				only = backend.Kmod
			case strings.Contains(line, "(ebpf)"):
				only = backend.EBPF
			case chapter || only == backend.EBPF:
				only = ""
			}
		}
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case line == "\n" && open:
			blank += line
			continue
		case indented && open:
			all[len(all)-1].text += blank + text
		case indented:
			all = append(all, block{only, text})
		}
		open, blank = indented, ""
	}
	return all
}

// errorsIn returns the rules of a block that a message follows, with that.
func (b block) errorsIn() (rules [][2]string) {
	lines := strings.Split(b.text, "\n")
	for i := 1; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "Error: ") {
			rules = append(rules, [2]string{strings.TrimPrefix(lines[i-1], "dictctl nft "), strings.Join(lines[i:], "\n")})
		}
	}
	return rules
}

// TestManual loads what docs/rules.md, and so nft-dict(7), shows: commands, rules
// and JSON load, those for the other backend are refused, faults have the
// message they are said to have, and all that was loaded is listed so that it
// loads again.
func TestManual(t *testing.T) {
	netns := newNamespace(t)
	kind := kindOf(t, netns)
	seen := map[string]int{}
	for _, b := range blocks(manual(t)) {
		first, _, _ := strings.Cut(b.text, " ")
		faults := b.errorsIn()
		var args []string
		switch {
		case len(faults) > 0:
			for _, f := range faults {
				if b.only != "" && b.only != kind {
					continue
				}
				seen["fault"]++
				_, stderr := run(t, netns, 1, "nft", f[0])
				want, rest, _ := strings.Cut(f[1], "\n")
				if rest != "" && !strings.HasPrefix(rest, "add ") {
					want = strings.TrimSuffix(f[1], "\n")
				}
				if !strings.HasPrefix(stderr, want) {
					t.Errorf("%s: the message is %q, want %q", f[0], stderr, want)
				}
			}
			continue
		case first == "dictctl" && strings.Contains(b.text, "nftables.conf"), strings.Contains(b.text, "[OPTION]"): // TestDropIn
			continue
		case first == "dictctl":
			for line := range strings.Lines(b.text) {
				seen["command"]++
				run(t, netns, 0, shellWords(strings.TrimPrefix(line, "dictctl "))...)
			}
			continue
		case first == "add", first == "define", first == "table":
			args = []string{"nft", "-f", "-"}
		case strings.HasPrefix(b.text, `{"nftables"`):
			args = []string{"nft", "-j", "-f", "-"}
		default:
			continue
		}
		seen[strings.Join(args, " ")]++
		if b.only == "" || b.only == kind || !term.MatchString(b.text) {
			feed(t, netns, b.text, args...)
			continue
		}
		// Not for this backend: each rule by itself is refused by name.
		rules := strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")
		if first != "add" {
			rules = []string{b.text}
		}
		for _, rule := range rules {
			seen["refused"]++
			var out, errs bytes.Buffer
			status := program(netns)(t.TempDir(), strings.NewReader(rule+"\n"), &out, &errs, args)
			if status != 1 || !strings.Contains(errs.String(), "not supported by the ebpf backend") {
				t.Errorf("%s: status %d, %s", rule, status, &errs)
			}
		}
	}
	for what, least := range map[string]int{"command": 18, "fault": 12, "nft -f -": 18, "nft -j -f -": 2} {
		if seen[what] < least {
			t.Errorf("%s: found %d, want %d", what, seen[what], least)
		}
	}
	listing, _ := run(t, netns, 0, "nft", "-s", "list", "ruleset")
	feed(t, netns, "flush ruleset\n"+listing, "nft", "-f", "-")
	if again, _ := run(t, netns, 0, "nft", "-s", "list", "ruleset"); again != listing {
		t.Errorf("(-listed +listed again):\n%s", cmp.Diff(listing, again))
	}
}
