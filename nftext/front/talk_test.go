// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// needTalk gives nft a home of its own for its history, and asks for an nft that
// converses.
func needTalk(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	ns := newNetwork(t)
	need.Feature(t, "nft-interactive", func() error {
		if s := ns.plain(t, "add table ip t\n", "-i"); s.Exit != 0 || s.Err != "" {
			return fmt.Errorf("nft -i: %+v", s)
		}
		return nil
	})
	_ = os.Remove(filepath.Join(home, historyName))
	return home
}

// What nft says in a conversation without terms is what it says alone.
func TestTalkOrdinary(t *testing.T) {
	needTalk(t)
	for name, lines := range map[string]string{
		"commands":   "add table ip t\nlist tables\nadd chain ip t c\nlist ruleset\n",
		"errors":     "bogus\nadd table ip t\nlist table ip nosuch\nadd rule ip t nosuch accept\nlist tables\n",
		"long":       "add table \\\nip t\nlist \\\ntables \\\n\nlist tables\n",
		"quit":       "add table ip t\nlist tables\nquit\nlist tables\n",
		"no newline": "add table ip t\nlist tables",
		"nothing":    "",
		"empty":      "\n\n \nlist tables\n#comment\n",
		"variables":  "define x = 80\nadd table ip t\nadd chain ip t c\nadd rule ip t c tcp dport $x\nlist ruleset\n",
	} {
		t.Run(name, func(t *testing.T) {
			want := newNetwork(t).plain(t, lines, "-i")
			if d := cmp.Diff(want, newNetwork(t).run(t, lines, "-i")); d != "" {
				t.Errorf("(-nft +front end):\n%s", d)
			}
		})
	}
}

func TestTalkTerms(t *testing.T) {
	home := needTalk(t)
	dir := writeFiles(t, t.TempDir(), map[string]string{"x": "add rule ip t c dict sessions ct id application $app\n"})
	lines := []string{
		"add table ip t",
		"add chain ip t c",
		"define app = 5",
		"add rule ip t c dict sessions ct id application $app drop",
		`add rule ip t c dict sessions \`, `ct id application 6 \`, `drop`,
		"add rule ip t c dict sessions ct id application lots",
		"add rule ip t c dict sessions ct id application 9999 drop",
		"add rule ip t c tcp dport 80 dict sessions ct id application 1 bogus",
		"add rule ip t nosuch dict sessions ct id application 1",
		"redefine app = 7",
		`include "` + dir + `/x"`,
		"add rule ip t c meta mark set dict sessions ct id v_int",
		"list chain ip t c",
	}
	got := newNetwork(t).run(t, strings.Join(lines, "\n")+"\n", "-i")
	want := said{
		Out: `table ip t {
	chain c {
		dict sessions ct id application 5 drop
		dict sessions ct id application 6 drop
		dict sessions ct id application 7
		meta mark set dict sessions ct id v_int
	}
}
`,
		Err: `Error: value is no number
add rule ip t c dict sessions ct id application lots
                                                ^^^^
Error: value "9999": refused by the test
add rule ip t c dict sessions ct id application 9999 drop
                                                ^^^^
Error: syntax error, unexpected newline
add rule ip t c tcp dport 80 dict sessions ct id application 1 bogus
                                                                    ^
Error: Could not process rule: No such file or directory
add rule ip t nosuch dict sessions ct id application 1
              ^^^^^^
`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if path := filepath.Join(home, historyName); len(history(path)) > 0 {
		past := strings.Join(history(path), "\n")
		if !strings.Contains(past, lines[3]+"\n") || strings.Contains(past, "ibrname") || !strings.HasSuffix(past, lines[len(lines)-1]) {
			t.Errorf("history:\n%s", past)
		}
	}
}

// Behind an include that it cannot read nft leaves out a part of the command, and
// with it what that assigns to variables: terms have none from then on, and the rest
// is nft's.
func TestTalkTorn(t *testing.T) {
	needTalk(t)
	const rule = "add rule ip t c dict sessions ct id application $a drop"
	begin := []string{"add table ip t; add chain ip t c", "define a = 1"}
	for name, c := range map[string]struct {
		lines   []string
		refused bool
	}{
		"assigned":  {[]string{`include "/nosuch"; redefine a = 2`, rule}, true},
		"later":     {[]string{`include "/nosuch"; redefine a = 2`, "list tables", "redefine a = 3", rule}, true},
		"undefined": {[]string{`include "/nosuch"; undefine a`, rule}, true},
		"at once":   {[]string{`include "/nosuch"; redefine a = 2; ` + rule}, true},
		"nothing":   {[]string{`include "/nosuch"`, "redefine a = 2", rule}, false},
		"no file":   {[]string{`include "/nosuch/*"; redefine a = 2`, rule}, false},
	} {
		t.Run(name, func(t *testing.T) {
			ns := newNetwork(t)
			got := ns.run(t, strings.Join(append(begin, c.lines...), "\n")+"\nlist chain ip t c\n", "-i")
			if refused := strings.Contains(got.Err, "begin a new conversation"); refused != c.refused || strings.Contains(got.Out, "dict") == refused {
				t.Errorf("%+v", got)
			}
			// What nft makes of the variables itself is as without the front end.
			plain := strings.ReplaceAll(strings.Join(append(begin, c.lines...), "\n"), "dict sessions ct id application $a", "tcp dport $a") + "\nlist chain ip t c\n"
			if d := cmp.Diff(newNetwork(t).plain(t, plain, "-i"), newNetwork(t).run(t, plain, "-i")); d != "" {
				t.Errorf("without terms (-nft +front end):\n%s", d)
			}
		})
	}
}

// On a terminal the user gets nft's prompt, and finds what was entered before.
func TestTalkTerminal(t *testing.T) {
	home := needTalk(t)
	writeFiles(t, home, map[string]string{historyName: "_HiStOrY_V2_\nlist\\040tables\n"})
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c")
	master, slave := terminal(t)
	errs, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	c := Command{Args: []string{"-i"}, Codec: fakeCodec{}, Stdin: slave, Stdout: slave, Stderr: slave}
	ended := make(chan error, 1)
	go func() {
		ns.do(t, func() {
			_, err := c.Run(context.Background())
			ended <- err
		})
	}()
	seen := ""
	expect := func(text string) {
		t.Helper()
		buf := make([]byte, 4096)
		for end := time.Now().Add(20 * time.Second); !strings.Contains(seen, text); {
			_ = master.SetReadDeadline(end)
			n, err := master.Read(buf)
			if seen += string(buf[:n]); err != nil {
				t.Fatalf("%v: %q, want %q", err, seen, text)
			}
		}
		_, seen, _ = strings.Cut(seen, text)
	}
	enter := func(keys string) {
		t.Helper()
		if _, err := master.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	expect("nft> ")
	enter("add rule ip t c dict sessions ct id application 5x\x7f drop\r")
	expect("nft> ")
	enter("bogus dict sessions ct id application lots\r")
	expect("Error: value is no number\r\n")
	expect("nft> ")
	enter("list \\\r")
	expect(".... ")
	enter("chain ip t c\r")
	expect("\tdict sessions ct id application 5 drop\r\n")
	expect("nft> ")
	enter("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\r") // up, to what an earlier conversation left
	expect("table ip t\r\n")
	expect("nft> ")
	enter("\x04")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if past := strings.Join(history(filepath.Join(home, historyName)), "\n"); past != "" && !strings.Contains(past, "application 5 drop") {
		t.Errorf("history:\n%s", past)
	}
}

// terminal makes a terminal: its user's end, and the program's.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	need.Feature(t, "pty", func() error {
		fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err != nil {
			return err
		}
		master = os.NewFile(uintptr(fd), "ptmx")
		t.Cleanup(func() { master.Close() })
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
		if err != nil {
			return err
		}
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
		if err == nil {
			t.Cleanup(func() { slave.Close() })
		}
		return err
	})
	return master, slave
}

// A conversation ends with its context, whatever the user does.
func TestTalkCancelled(t *testing.T) {
	needTalk(t)
	ns := newNetwork(t)
	in, user, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer user.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	c := Command{Args: []string{"-i"}, Codec: fakeCodec{}, Stdin: in}
	ns.do(t, func() {
		if _, err := c.Run(ctx); err == nil {
			t.Error("a cancelled conversation ended well")
		}
	})
}
