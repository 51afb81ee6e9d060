// SPDX-License-Identifier: MIT

package front

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What differs from run to run, or from term to term.
var (
	process = regexp.MustCompile(`by process \d+ \([^)]*\)`)
	carets  = regexp.MustCompile(`\^+`)
	expires = regexp.MustCompile(`(expires(": )?)\s*[0-9smh]+`)
)

func steady(s said) said {
	s.Out = expires.ReplaceAllString(process.ReplaceAllString(s.Out, "by process"), "$1")
	return s
}

// compare runs nft and the front end with the same arguments, each in its own
// namespace with the same rules.
func compare(t *testing.T, a, b network, stdin string, args ...string) {
	t.Helper()
	want := steady(a.plain(t, stdin, args...))
	got := steady(b.run(t, stdin, args...))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("nft %q (-nft +front end):\n%s", args, d)
	}
}

func TestOrdinaryCommands(t *testing.T) {
	a, b := newNetwork(t), newNetwork(t)
	text, err := os.ReadFile("testdata/ordinary.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		compare(t, a, b, "", splitOptions(line)...)
	}
}

// Every ordinary rule is listed beside a dict term as beside a plain match in its
// place, and refused with the same words.
func TestOrdinaryRulesWithTerm(t *testing.T) {
	a, b := newNetwork(t), newNetwork(t)
	text, err := os.ReadFile("testdata/ordinary.txt")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`^((?:add|insert) rule \w+ \w+ \w+) (.*)$`)
	rules := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		m := rule.FindStringSubmatch(line)
		if m == nil && (strings.HasPrefix(line, "add ") || strings.HasPrefix(line, "create ")) {
			compare(t, a, b, "", line)
		}
		if m == nil {
			continue
		}
		for _, with := range []string{dictTerm + " " + m[2], m[2] + " " + dictTerm, dictTerm + " " + m[2] + " " + dictTerm} {
			rules++
			command := m[1] + " " + with
			want := a.plain(t, "", replaceTerm(command))
			want.Err = carets.ReplaceAllString(strings.Replace(unreplaceTerm(want.Err), "unexpected meta", "unexpected dict", 1), "^")
			got := b.run(t, "", command)
			got.Err = carets.ReplaceAllString(got.Err, "^") // more of them: the term is longer
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-nft +front end):\n%s", command, d)
			}
		}
	}
	if rules < 100 {
		t.Errorf("only %d rules", rules)
	}
	for _, args := range [][]string{{"list", "ruleset"}, {"-a", "list", "ruleset"}, {"-n", "list", "table", "ip", "t"}, {"-s", "list", "ruleset"}} {
		want, got := steady(a.plain(t, "", args...)), steady(b.run(t, "", args...))
		want.Out = strings.ReplaceAll(want.Out, "meta mark 0x00000001", dictTerm)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("nft %q (-nft +front end):\n%s", args, d)
		}
	}
}

// splitOptions makes arguments of a line: each option, then the rest as one.
func splitOptions(line string) (args []string) {
	for strings.HasPrefix(line, "-") {
		word, rest, _ := strings.Cut(line, " ")
		args, line = append(args, word), rest
		if strings.IndexByte("fDI", word[1]) >= 0 && len(word) == 2 {
			word, line, _ = strings.Cut(line, " ")
			args = append(args, word)
		}
	}
	if line != "" {
		args = append(args, line)
	}
	return args
}

func TestOrdinaryFiles(t *testing.T) {
	a, b := newNetwork(t), newNetwork(t)
	dir := t.TempDir()
	t.Chdir(dir)
	big := &strings.Builder{}
	big.WriteString("table ip big {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { ")
	for i := range 3000 {
		fmt.Fprintf(big, "10.0.%d.%d, ", i/256, i%256)
	}
	big.WriteString("}\n\t}\n\tchain c {\n")
	for i := range 1000 {
		fmt.Fprintf(big, "\t\ttcp dport %d ip saddr @s counter accept comment \"rule %d\"\n", i+1, i)
	}
	big.WriteString("\t}\n}\n")
	for name, text := range map[string]string{
		"big.nft":     big.String(),
		"again.nft":   "flush ruleset\n" + big.String(),
		"define.nft":  "define ports = { 22, 80 }\ntable ip d {\n\tchain c {\n\t\ttcp dport $ports accept\n\t}\n}\n",
		"include.nft": "include \"./inc/*.nft\"\ninclude \"./define.nft\"\n",
		"inc/a.nft":   "table ip a {\n}\n",
		"inc/b.nft":   "table ip b {\n\tchain x {\n\t\tbogus dict\n\t}\n}\n",
		"missing.nft": "include \"nosuch.nft\"\n",
		"wrong.nft":   "table ip a {\n\tchain c {\n\t\ttcp dport 80 accept\n\t\tcounter name \"nosuch\" drop\n\t}\n}\n",
		"empty.nft":   "",
		"comment.nft": "# dict sessions ct id application 5\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "inc/b.nft" {
			text = strings.Replace(text, "dict", "dict2", 1)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"-f", "big.nft"}, {"list", "ruleset"}, {"-f", "big.nft", "-c"}, {"-c", "-f", "again.nft"}, {"-f", "again.nft"},
		{"-e", "-f", "define.nft"}, {"-ef", "define.nft"}, {"--file=define.nft"}, {"--file", "include.nft"}, {"-f", "missing.nft"},
		{"-I", "inc", "-f", "include.nft"}, {"-f", "wrong.nft"}, {"-f", "empty.nft"}, {"-f", "comment.nft"}, {"-a", "list", "ruleset"},
		{"-j", "list", "ruleset"}, {"-f", "inc"}, {"flush", "ruleset"}, {"-f", "nosuch"},
	} {
		compare(t, a, b, "", args...)
	}
	for _, text := range []string{big.String(), "bogus\n", "list ruleset\n", "table ip z {\n chain c { counter name \"no\" }\n}\n", "flush ruleset"} {
		compare(t, a, b, text, "-f", "-")
		compare(t, a, b, text, "-f", "/dev/stdin")
		compare(t, a, b, text, "-f", "/proc/self/fd/0")
	}
	compare(t, a, b, `{"nftables": [{"add": {"table": {"family": "ip", "name": "j"}}}]}`, "-j", "-f", "-")
	compare(t, a, b, "list ruleset\nadd table ip i\nlist tables\nbogus\n", "-i")
	compare(t, a, b, "", "-j", "list", "ruleset")
}
