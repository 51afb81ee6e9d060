// SPDX-License-Identifier: MIT

package front

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunErrors(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c; add chain ip t d; add table arp t; add chain arp t c")
	for name, c := range map[string]struct{ command, want string }{
		"text": {
			"add rule ip t c dict sessions ct id application lots drop", `
Error: value is no number
add rule ip t c dict sessions ct id application lots drop
                                                ^^^^
`},
		"compile": {
			"add rule ip t c dict sessions ct id application 9999 drop", `
Error: value "9999": refused by the test
add rule ip t c dict sessions ct id application 9999 drop
                                                ^^^^
`},
		"statement": {
			"add rule ip t c tcp dport 80 dict sessions ct id application set 9999", `
Error: value "9999": refused by the test
add rule ip t c tcp dport 80 dict sessions ct id application set 9999
                                                                 ^^^^
`},
		"one of two": {
			"add rule ip t c dict sessions ct id application 1 dict s ct id a 9999 drop", `
Error: value "9999": refused by the test
add rule ip t c dict sessions ct id application 1 dict s ct id a 9999 drop
                                                                 ^^^^
`},
		"syntax after": {
			"add rule ip t c dict sessions ct id application 1 bogus", `
Error: syntax error, unexpected newline
add rule ip t c dict sessions ct id application 1 bogus
                                                       ^
`},
		"syntax before": {
			"add rule ip t c bogus dict sessions ct id application 1", `
Error: syntax error, unexpected dict
add rule ip t c bogus dict sessions ct id application 1
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
`},
		"syntax before a statement": {
			"add rule ip t c bogus dict sessions ct id application set 1", `
Error: syntax error, unexpected dict
add rule ip t c bogus dict sessions ct id application set 1
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
`},
		"short term": {
			"add rule ip t c dict s ct id a 1 dict s ct id a 2 log level bogus", `
Error: invalid log level
add rule ip t c dict s ct id a 1 dict s ct id a 2 log level bogus
                                                            ^^^^^
`},
		"kernel, after a term": {
			"add rule ip t c dict sessions ct id application 1 ip saddr 1.1.1.1 notrack counter name \"none\" drop", ``},
		"kernel, before a term": {
			"add rule ip t c counter name \"none\" dict sessions ct id application 1", ``},
		"kernel, chain": {
			"add rule ip t nosuch dict sessions ct id application 1", ``},
		"no such table": {
			"add rule ip nosuch c dict sessions ct id application 1", ``},
	} {
		t.Run(name, func(t *testing.T) {
			want := said{Exit: 1, Err: c.want}
			if c.want == "" { // as nft says it of a plain match of the same length
				want = ns.plain(t, "", replaceTerm(c.command))
				want.Err = unreplaceTerm(want.Err)
			} else {
				want.Err = want.Err[1:]
			}
			if d := cmp.Diff(want, ns.run(t, "", c.command)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if got, want := ns.run(t, "", "list", "chain", "ip", "t", "c").Out, "table ip t {\n\tchain c {\n\t}\n}\n"; got != want {
		t.Errorf("something was loaded:\n%s", got)
	}
}

func TestRunErrorsInFiles(t *testing.T) {
	ns := newNetwork(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile(filepath.Join(dir, "inner.nft"), []byte("# one\nadd rule ip t c dict sessions \\\n\tct id application 5 bogus\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"text": {
			"table ip t {\n\tchain c {\n\t\tdict sessions ct id application lots drop\n\t}\n}\n", `
rules.nft:3:35-38: Error: value is no number
		dict sessions ct id application lots drop
		                                ^^^^
`},
		"compile": {
			"table ip t {\n\tchain c {\n\t\tdict sessions ct id application 1\n\t\tdict s ct id f 1 dict s ct id f 9999 drop\n\t}\n}\n", `
rules.nft:4:35-38: Error: value "9999": refused by the test
		dict s ct id f 1 dict s ct id f 9999 drop
		                                ^^^^
`},
		"first line of a term": {
			"table ip t {\n\tchain c {\n\t\tcounter name \"nosuch\" dict sessions \\\n\t\tct id application 1\n\t}\n}\n", `
rules.nft:3:16-23: Error: Could not process rule: No such file or directory
		counter name "nosuch" dict sessions \
		             ^^^^^^^^
`},
		"included": {
			"table ip t {\n\tchain c {\n\t}\n}\ninclude \"./inner.nft\"\n", `
In file included from rules.nft:5:1-22:
./inner.nft:3:27-27: Error: syntax error, unexpected newline
	ct id application 5 bogus
	                         ^
`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "rules.nft"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			want := said{Exit: 1, Err: c.want[1:]}
			if d := cmp.Diff(want, ns.run(t, "", "-f", "rules.nft")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			want.Err = strings.ReplaceAll(want.Err, "rules.nft:", "/dev/stdin:")
			if d := cmp.Diff(want, ns.run(t, c.text, "-f", "-")); d != "" {
				t.Errorf("from standard input (-want +got):\n%s", d)
			}
			if got := ns.run(t, "", "list", "ruleset"); got != (said{}) {
				t.Errorf("something was loaded: %+v", got)
			}
		})
	}
}

// replaceTerm puts a plain match of the same length in the place of the term.
func replaceTerm(s string) string { return swap(s, plainTerm, dictTerm) }

func unreplaceTerm(s string) string { return swap(s, dictTerm, plainTerm) }

const (
	dictTerm  = "dict sessions ct id application 1"
	plainTerm = "meta mark 1                      "
)

func swap(s, to, from string) string { return strings.ReplaceAll(s, from, to) }
