// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/internal/need"
)

// childEnv names the directory that this test binary, started again, is to
// open. It adds table t and a row, unless the table is there.
const childEnv = "BPFMAP_TEST_DIR"

// TestChild is what other tests start in another process; by itself it does
// nothing.
func TestChild(t *testing.T) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	s, err := bpfmap.Open(bpfmap.Options{Dir: dir})
	if errors.Is(err, dict.ErrPermission) {
		fmt.Println("permission:", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddTable(testTable()); err != nil && !errors.Is(err, dict.ErrExist) {
		t.Fatal(err)
	}
	r, err := s.Get("t", dict.Mark(1))
	fmt.Println("found:", err == nil && len(r.Cells) == 3)
	if err := s.Put("t", testRow(1)); err != nil {
		t.Fatal(err)
	}
}

func child(tb testing.TB, dir string, attr *syscall.SysProcAttr, before ...string) string {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	argv := append(before, self, "-test.run", "^TestChild$", "-test.v")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// TestNetnsExec: programs started by `ip netns exec`, which has a mount
// namespace and a /sys of its own, find the same tables as each other and as
// one that entered the network namespace alone, whoever came first.
func TestNetnsExec(t *testing.T) {
	needBPF(t)
	ip := need.Program(t, "ip")
	name := fmt.Sprint("bpfmap-test-", os.Getpid())
	if out, err := exec.Command(ip, "netns", "add", name).CombinedOutput(); err != nil {
		t.Fatalf("ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(ip, "netns", "delete", name).CombinedOutput(); err != nil {
			t.Errorf("ip netns delete: %v: %s", err, out)
		}
	})
	dir := filepath.Join(t.TempDir(), "bpf") // not mounted, not even there
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })

	exec := []string{ip, "netns", "exec", name}
	if out := child(t, dir, nil, exec...); !strings.Contains(out, "found: false") {
		t.Fatalf("first: %s", out)
	}
	if out := child(t, dir, nil, exec...); !strings.Contains(out, "found: true") {
		t.Errorf("second: %s", out)
	}
	ns, err := os.Open("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	onThread(t, func() error {
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		s, err := bpfmap.Open(bpfmap.Options{Dir: dir})
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := s.Get("t", dict.Mark(1)); err != nil {
			t.Errorf("from outside: %v", err)
		}
		return s.Remove()
	})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() { // the kernel puts files of its own there
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// TestNoPermission: who may not is told what he needs.
func TestNoPermission(t *testing.T) {
	dir := testDir(t)
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	// The test binary lies where only root looks.
	copyable := filepath.Join(os.TempDir(), fmt.Sprint("bpfmap-test-", os.Getpid()))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copyable, data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(copyable) })
	cmd := exec.Command(copyable, "-test.run", "^TestChild$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = []string{childEnv + "=" + dir}
	cmd.SysProcAttr = nobody
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "permission: ") || !strings.Contains(string(out), "needs root, or CAP_BPF") {
		t.Errorf("got %v: %s", err, out)
	}
}

// TestRemove: stores that are open learn that the tables went.
func TestRemove(t *testing.T) {
	dir := testDir(t)
	s, other := openDir(t, dir), openDir(t, dir)
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	if err := other.Put("t", testRow(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get("t", dict.Mark(1)); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("get after remove: %v, want %v", err, dict.ErrNotExist)
	}
	if err := other.AddTable(testTable()); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("add after remove: %v, want %v", err, dict.ErrNotExist)
	}
	if tables, err := openDir(t, dir).Tables(); err != nil || len(tables) != 0 {
		t.Errorf("opened anew: %d tables, %v, want none", len(tables), err)
	}
}

// TestNamespacesAreApart: two network namespaces share no table.
func TestNamespacesAreApart(t *testing.T) {
	dir := testDir(t)
	s := openDir(t, dir)
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	inside(t, newNamespace(t), func() error {
		there, err := bpfmap.Open(bpfmap.Options{Dir: dir})
		if err != nil {
			return err
		}
		defer there.Close()
		if tables, err := there.Tables(); err != nil || len(tables) != 0 {
			t.Errorf("%d tables, %v, want none", len(tables), err)
		}
		return nil
	})
}

// TestClosed: a closed store says so.
func TestClosed(t *testing.T) {
	dir := testDir(t)
	s, err := bpfmap.Open(bpfmap.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddTable(testTable()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"put": s.Put("t", testRow(1)), "add": s.AddTable(testTable()), "delete": s.Delete("t", dict.Mark(1)), "sweep": s.Sweep(),
	} {
		if err == nil || !strings.Contains(err.Error(), "store is closed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
