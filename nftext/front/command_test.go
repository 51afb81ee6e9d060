// SPDX-License-Identifier: MIT

package front

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestRunRuleCommands(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add", "table", "ip", "t")
	ns.must(t, "add", "chain", "ip", "t", "c")
	ns.must(t, "add", "rule", "ip", "t", "c", "tcp", "dport", "80", "dict", "sessions", "ct", "id", "application", "7", "counter", "drop")
	ns.must(t, "insert rule ip t c dict sessions ct id application 8 accept comment \"dict sessions\"")
	ns.must(t, "add rule ip t c dict sessions ct id application set 9 dict sessions ct id application 10")
	got := ns.run(t, "", "-a", "list", "table", "ip", "t")
	want := said{Out: `table ip t { # handle 1
	chain c { # handle 1
		dict sessions ct id application 8 accept comment "dict sessions" # handle 3
		tcp dport 80 dict sessions ct id application 7 counter packets 0 bytes 0 drop # handle 2
		dict sessions ct id application set 9 dict sessions ct id application 10 # handle 4
	}
}
`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}
	ns.must(t, "replace rule ip t c handle 2 dict sessions ct id application 11 continue")
	ns.must(t, "delete rule ip t c handle 3")
	echo := ns.run(t, "", "-e", "-a", "add rule ip t c dict sessions ct id application 12 drop")
	if want := "add rule ip t c dict sessions ct id application 12 drop # handle "; !strings.HasPrefix(echo.Out, want) {
		t.Errorf("echo %+v, want %q", echo, want)
	}
	ns.must(t, "-c", "add rule ip t c dict sessions ct id application 13 drop")
	got = ns.run(t, "", "-s", "list", "chain", "ip", "t", "c")
	want = said{Out: `table ip t {
	chain c {
		dict sessions ct id application 11 continue
		dict sessions ct id application set 9 dict sessions ct id application 10
		dict sessions ct id application 12 drop
	}
}
`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}
}

func TestRunFile(t *testing.T) {
	ns := newNetwork(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	text := `# dict in a comment
table inet t {
	chain c {
		type filter hook forward priority filter; policy accept;
		dict sessions ct id application 5 ip saddr 10.0.0.1 drop
		dict sessions \
			ct id application 6 accept
	}
}
`
	list := said{Out: `table inet t {
	chain c {
		type filter hook forward priority filter; policy accept;
		dict sessions ct id application 5 ip saddr 10.0.0.1 drop
		dict sessions ct id application 6 accept
	}
}
`}
	inner := write("inner.nft", text)
	for name, load := range map[string]func() said{
		"file":    func() said { return ns.run(t, "", "-f", inner) },
		"include": func() said { return ns.run(t, "", "-f", write("outer.nft", "include \""+inner+"\"\n")) },
		"stdin":   func() said { return ns.run(t, text, "-f", "-") },
		"device":  func() said { return ns.run(t, text, "-f", "/dev/stdin") },
		"pipe": func() said {
			path := filepath.Join(dir, "pipe")
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			wrote := make(chan error, 1)
			go func() { wrote <- os.WriteFile(path, []byte(text), 0) }()
			defer func() { <-wrote }()
			return ns.run(t, "", "-f", path)
		},
		"again": func() said { return ns.run(t, list.Out, "-f", "-") },
	} {
		ns.must(t, "flush", "ruleset")
		if got := load(); got != (said{}) {
			t.Fatalf("%s: %+v", name, got)
		}
		if d := cmp.Diff(list, ns.run(t, "", "list", "ruleset")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
