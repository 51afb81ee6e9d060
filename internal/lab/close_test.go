// SPDX-License-Identifier: MIT

package lab_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// holders returns what in /proc still refers to the namespaces, by the names
// that their links carry, such as "net:[4026532008]".
func holders(t *testing.T, namespaces map[string]bool) (found []string) {
	t.Helper()
	for _, pattern := range []string{"/proc/[0-9]*/task/[0-9]*/ns/net", "/proc/[0-9]*/fd/[0-9]*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if to, err := os.Readlink(p); err == nil && namespaces[to] {
				found = append(found, p+" "+to)
			}
		}
	}
	return found
}

func links(t *testing.T) (names []string) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		names = append(names, fmt.Sprint(i.Name, i.Flags))
	}
	return names
}

func temporary(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(os.TempDir(), fmt.Sprintf("dl-%d-*", os.Getpid())))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestCloseLeavesNothing(t *testing.T) {
	before, dirs := links(t), temporary(t)
	l := labtest.New(t, lab.Config{Guest: true})
	if during := links(t); fmt.Sprint(during) != fmt.Sprint(before) {
		t.Errorf("links of the host: %v, were %v", during, before)
	}
	namespaces := map[string]bool{}
	for _, n := range l.Namespaces() {
		name, err := os.Readlink(n.Path())
		if err != nil {
			t.Fatal(err)
		}
		namespaces[name] = true
	}
	if len(namespaces) != 4 || len(holders(t, namespaces)) == 0 {
		t.Fatalf("namespaces %v, held by %v", namespaces, holders(t, namespaces))
	}
	if out, err := l.Client.Command(timeout(t), "curl", "-sS", "https://example.org/").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// A capture, a server and a child with a child of its own are running.
	labtest.Capture(t, l.Gateway, "lan0")
	child := l.Client.Command(t.Context(), "sh", "-c", "sleep 300 & echo $!; wait")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var grandchild int
	if _, err := fmt.Fscan(out, &grandchild); err != nil {
		t.Fatal(err)
	}

	start := time.Now()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(start))
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	var left []string
	for range 100 {
		if left = holders(t, namespaces); len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, l := range left {
		t.Errorf("still held: %s", l)
	}
	for _, pid := range []int{child.Process.Pid, grandchild} {
		if running(pid) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if after := links(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("links of the host: %v, were %v", after, before)
	}
	if after := temporary(t); len(after) != len(dirs) {
		t.Errorf("temporary directories: %v, were %v", after, dirs)
	}
	if _, err := l.Client.Capture("eth0"); err == nil {
		t.Error("a closed namespace can be captured")
	}
}

// running tells a live process from one that is gone or only not yet reaped.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// killedLab is what the child process of TestKilled runs.
const killedLab = "NFTDICT_LAB_KILLED"

// TestKilled ends a process that has a lab with SIGKILL, and sweeps.
func TestKilled(t *testing.T) {
	need.Root(t)
	need.Feature(t, "netns", lab.Probe)
	if os.Getenv(killedLab) != "" {
		beKilled(t)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killedLab+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var name, namespace string
	var child int
	if _, err := fmt.Fscanln(out, &name, &namespace, &child); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says "killed"
	path := filepath.Join("/run/netns", name)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("expected a leftover: %v", err)
	}
	if err := lab.Sweep(); err != nil {
		t.Errorf("sweep: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
	if dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), fmt.Sprintf("dl-%d-*", cmd.Process.Pid))); len(dirs) != 0 {
		t.Errorf("still there: %v", dirs)
	}
	for range 100 {
		if !running(child) && len(holders(t, map[string]bool{namespace: true})) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("child %d running: %v; namespace held by %v", child, running(child), holders(t, map[string]bool{namespace: true}))
}

func beKilled(t *testing.T) {
	l, err := lab.New(t.Context(), lab.Config{Named: true})
	if err != nil {
		t.Fatal(err)
	}
	child := l.Gateway.Command(t.Context(), "sleep", "300")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	namespace, err := os.Readlink(l.Gateway.Path())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.NetnsName(l.Gateway), namespace, child.Process.Pid)
	time.Sleep(time.Minute)
}

func TestCommandEndsWithContext(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	start := time.Now()
	err := l.Client.Command(short(t), "sh", "-c", "sleep 60 & wait").Run()
	if err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	var exit *exec.ExitError
	_, err = l.Client.Command(timeout(t), "sh", "-c", "echo no >&2; exit 3").Output()
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(exit.Stderr) != "no\n" {
		t.Errorf("%v", err)
	}
	if err := l.Client.Command(timeout(t), "no-such-program").Run(); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("%v", err)
	}
	polite := l.Client.Command(timeout(t), "sh", "-c", "trap 'exit 0' TERM; sleep 60 & echo $!; wait")
	out, err := polite.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := polite.Start(); err != nil {
		t.Fatal(err)
	}
	var grandchild int
	if _, err := fmt.Fscan(out, &grandchild); err != nil {
		t.Fatal(err)
	}
	if err := polite.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := polite.Wait(); err != nil {
		t.Errorf("a signalled command: %v", err)
	}
	for range 100 {
		if !running(grandchild) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is left", grandchild)
}
