// SPDX-License-Identifier: MIT

package front

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// helperEnv makes the test binary run the front end with its arguments.
const helperEnv = "NFTDICT_FRONT_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) == "" {
		os.Exit(m.Run())
	}
	c := Command{Args: os.Args[1:], Codec: fakeCodec{}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	exit, err := c.Run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(exit)
}

// helper is the front end in a process of its own.
func (n network) helper(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperEnv+"=1")
	return cmd
}

// children returns the processes whose parent is pid.
func children(t testing.TB, pid int) (out []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stats {
		b, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if fields[1] == strconv.Itoa(pid) && fields[0] != "Z" {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			out = append(out, child)
		}
	}
	return out
}

// gone waits for processes to end.
func gone(t testing.TB, pids []int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		alive := 0
		for _, p := range pids {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p))
			if err == nil && strings.TrimSpace(string(b)) == "nft" && !zombie(p) {
				alive = p
			}
		}
		if alive == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nft process %d is still there", alive)
		}
	}
}

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// compiling starts a helper, waits until it compiles a term that takes time, and
// returns it with the process id of its nft and what makes it go on.
func (n network) compiling(t testing.TB, args ...string) (cmd *exec.Cmd, nft int, proceed io.Closer) {
	t.Helper()
	cmd = n.helper(t, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	n.do(t, func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "compiling\n" {
		t.Fatalf("%q, %v", line, err)
	}
	all := children(t, cmd.Process.Pid)
	if len(all) != 1 {
		t.Fatalf("children %v, want one nft", all)
	}
	return cmd, all[0], in
}

func TestKilledWhileCompiling(t *testing.T) {
	ns := newNetwork(t)
	ns.must(t, "add table ip t; add chain ip t c")
	cmd, nft, _ := ns.compiling(t, "add rule ip t c tcp dport 1 drop; add rule ip t c dict s ct id a 8888 drop")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gone(t, []int{nft})
	if got, want := ns.plain(t, "", "list", "chain", "ip", "t", "c").Out, "table ip t {\n\tchain c {\n\t}\n}\n"; got != want {
		t.Errorf("half a transaction:\n%s", got)
	}
}

func TestKilledMonitor(t *testing.T) {
	ns := newNetwork(t)
	cmd := ns.helper(t, "monitor")
	var err error
	ns.do(t, func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	var nft []int
	for range 100 {
		time.Sleep(5 * time.Millisecond)
		nft = children(t, cmd.Process.Pid)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if len(nft) != 1 {
		t.Errorf("children %v, want one nft", nft)
	}
	gone(t, nft)
}

func TestKilledAtAnyTime(t *testing.T) {
	ns := newNetwork(t)
	var b strings.Builder
	b.WriteString("flush ruleset\ntable ip t {\n\tchain c {\n")
	const rules = 500
	for i := range rules {
		fmt.Fprintf(&b, "\t\ttcp dport %d dict sessions ct id application %d drop\n", i+1, i)
	}
	b.WriteString("\t}\n}\n")
	file := filepath.Join(t.TempDir(), "x.nft")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		ns.must(t, "flush ruleset")
		cmd := ns.helper(t, "-f", file)
		var err error
		ns.do(t, func() { err = cmd.Start() })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 6 * time.Millisecond)
		nft := children(t, cmd.Process.Pid)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		gone(t, nft)
		got := ns.run(t, "", "list", "ruleset").Out
		if n := strings.Count(got, "dict sessions"); n != 0 && n != rules {
			t.Fatalf("killed after %d ms: %d of %d rules", 6*i, n, rules)
		}
	}
}
