// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"strings"
	"testing"
)

// shellWords splits a line of shell as far as the documents use it: single
// quotes.
func shellWords(line string) (w []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			w = append(w, part)
		} else {
			w = append(w, strings.Fields(part)...)
		}
	}
	return w
}

// TestDocumentedCommands types what the documents show: everything loads on
// this kernel, and what is listed loads again.
func TestDocumentedCommands(t *testing.T) {
	for _, name := range []string{"README.md", "docs/tables.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("../../" + name)
			if err != nil {
				t.Fatal(err)
			}
			netns := newNamespace(t)
			run(t, netns, 0, "nft", `table ip filter { chain forward { type filter hook forward priority 0; }; chain prerouting { type filter hook prerouting priority 0; }; }`)
			run(t, netns, 0, "nft", "add table ip nat")
			typed := 0
			for line := range strings.Lines(string(text)) {
				line, _, _ = strings.Cut(line, "  #")
				line, ok := strings.CutPrefix(line, "    dictctl ")
				if !ok {
					continue
				}
				switch words := shellWords(line); words[0] {
				case "nft", "table", "set", "list":
					run(t, netns, 0, words...)
					typed++
				}
			}
			if typed == 0 {
				t.Fatal("no commands")
			}
			listing, _ := run(t, netns, 0, "nft", "-s", "list", "ruleset")
			run(t, netns, 0, "nft", "flush ruleset; "+listing)
			if again, _ := run(t, netns, 0, "nft", "-s", "list", "ruleset"); again != listing {
				t.Errorf("got\n%s\nwant\n%s", again, listing)
			}
		})
	}
}
