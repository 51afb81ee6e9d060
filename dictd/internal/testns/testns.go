// SPDX-License-Identifier: MIT

// Package testns gives tests a network namespace of their own with its loopback
// up. It is gone when the test is.
//
// It refuses to draw topologies: internal/lab does.
package testns

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// NS is a network namespace.
type NS struct {
	file *os.File
}

// New makes a namespace; it needs root.
func New(tb testing.TB) *NS {
	tb.Helper()
	need.Root(tb)
	ns := new(NS)
	made := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine.
		runtime.LockOSThread()
		made <- func() (err error) {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			if ns.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
				return err
			}
			lo, err := netlink.LinkByName("lo")
			if err != nil {
				return err
			}
			return netlink.LinkSetUp(lo)
		}()
	}()
	if err := <-made; err != nil {
		tb.Fatalf("network namespace: %v", err)
	}
	tb.Cleanup(func() { ns.file.Close() })
	return ns
}

// FD returns a descriptor that lives as long as the test.
func (n *NS) FD() int { return int(n.file.Fd()) }

// Do runs f on a thread inside the namespace. Sockets and processes that f
// makes belong to it; f must not call tb.FailNow.
func (n *NS) Do(tb testing.TB, f func() error) {
	tb.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(n.FD(), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	if err := <-done; err != nil {
		tb.Fatalf("in namespace: %v", err)
	}
}

// Run runs a program in the namespace and returns what it printed. Its failure
// is the test's.
func (n *NS) Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	path := need.Program(tb, name)
	var out []byte
	var err error
	n.Do(tb, func() error {
		out, err = exec.Command(path, args...).CombinedOutput()
		return nil
	})
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Sysctl writes a sysctl of the namespace, by path below /proc/sys.
func (n *NS) Sysctl(tb testing.TB, path, value string) {
	tb.Helper()
	n.Do(tb, func() error { return os.WriteFile("/proc/sys/"+path, []byte(value), 0) })
}
