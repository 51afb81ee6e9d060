// SPDX-License-Identifier: MIT

package front

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkRun runs nft by itself and behind the front end, on the same rules:
// one in ten has a condition, as a plain match or as a dict term.
func BenchmarkRun(b *testing.B) {
	for _, rules := range []int{0, 1000, 10000} {
		for _, term := range []string{"meta mark 7", "dict sessions ct id application 7"} {
			text := &strings.Builder{}
			text.WriteString("flush ruleset\ntable ip t {\n\tchain c {\n")
			for i := range rules {
				match := ""
				if i%10 == 0 {
					match = term
				}
				fmt.Fprintf(text, "\t\tip saddr 10.0.%d.%d tcp dport %d %s accept\n", i/256, i%256, i+1, match)
			}
			text.WriteString("\t}\n}\n")
			file := filepath.Join(b.TempDir(), "rules.nft")
			if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			ns := newNetwork(b)
			word, _, _ := strings.Cut(term, " ")
			for _, args := range [][]string{{"-f", file}, {"list", "ruleset"}} {
				name := fmt.Sprintf("rules=%d/match=%s/%s", rules, word, strings.TrimPrefix(args[0], "-"))
				if word == "meta" {
					b.Run(name+"/nft", func(b *testing.B) {
						for b.Loop() {
							ns.plain(b, "", args...)
						}
					})
				}
				b.Run(name+"/front", func(b *testing.B) {
					for b.Loop() {
						ns.must(b, args...)
					}
				})
			}
		}
	}
}
