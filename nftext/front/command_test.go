// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"

	"nftdict/internal/need"
)

// said is what one run printed and how it ended.
type said struct {
	Out, Err string
	Exit     int
}

// network is a network namespace of a test's own. It ends with the test's thread.
type network struct{ file *os.File }

// newNetwork moves the test to a new network namespace.
func newNetwork(t testing.TB) network {
	t.Helper()
	need.Root(t)
	need.Program(t, "nft")
	runtime.LockOSThread()
	need.Feature(t, "netns", func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return network{f}
}

// test runs a subtest in the namespace: it has a thread of its own.
func (n network) test(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		runtime.LockOSThread()
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Fatal(err)
		}
		f(t)
	})
}

// run runs the front end with the fake codec.
func run(t testing.TB, stdin string, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	c := Command{Args: args, Codec: fakeCodec{}, Stdout: &out, Stderr: &errs}
	if stdin != "" {
		c.Stdin = strings.NewReader(stdin)
	}
	exit, err := c.Run(context.Background())
	if err != nil {
		t.Fatalf("nft %q: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return said{out.String(), errs.String(), exit}
}

// plain runs nft itself.
func plain(t testing.TB, stdin string, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command("nft", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	exit, err := exitOf(cmd.Run())
	if err != nil {
		t.Fatal(err)
	}
	return said{out.String(), errs.String(), exit}
}

// must runs the front end and fails unless it succeeds in silence.
func must(t testing.TB, args ...string) {
	t.Helper()
	if got := run(t, "", args...); got.Exit != 0 || got.Err != "" {
		t.Fatalf("nft %q: %+v", args, got)
	}
}

func TestRunRuleCommands(t *testing.T) {
	newNetwork(t)
	must(t, "add", "table", "ip", "t")
	must(t, "add", "chain", "ip", "t", "c")
	must(t, "add", "rule", "ip", "t", "c", "tcp", "dport", "80", "dict", "sessions", "ct", "id", "application", "7", "counter", "drop")
	must(t, "insert rule ip t c dict sessions ct id application 8 accept comment \"dict sessions\"")
	must(t, "add rule ip t c dict sessions ct id application set 9 dict sessions ct id application 10")
	got := run(t, "", "-a", "list", "table", "ip", "t")
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
	must(t, "replace rule ip t c handle 2 dict sessions ct id application 11 continue")
	must(t, "delete rule ip t c handle 3")
	echo := run(t, "", "-e", "-a", "add rule ip t c dict sessions ct id application 12 drop")
	if want := "add rule ip t c dict sessions ct id application 12 drop # handle "; !strings.HasPrefix(echo.Out, want) {
		t.Errorf("echo %+v, want %q", echo, want)
	}
	must(t, "-c", "add rule ip t c dict sessions ct id application 13 drop")
	got = run(t, "", "-s", "list", "chain", "ip", "t", "c")
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
	newNetwork(t)
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
		"file":    func() said { return run(t, "", "-f", inner) },
		"include": func() said { return run(t, "", "-f", write("outer.nft", "include \""+inner+"\"\n")) },
		"stdin":   func() said { return run(t, text, "-f", "-") },
		"device":  func() said { return run(t, text, "-f", "/dev/stdin") },
		"again":   func() said { return run(t, list.Out, "-f", "-") },
	} {
		must(t, "flush", "ruleset")
		if got := load(); got != (said{}) {
			t.Fatalf("%s: %+v", name, got)
		}
		if d := cmp.Diff(list, run(t, "", "list", "ruleset")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
