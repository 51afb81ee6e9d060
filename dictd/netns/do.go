// SPDX-License-Identifier: MIT

package netns

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Do calls f in the network namespace of a descriptor; 0 means the caller's. What
// f starts in other goroutines is not there.
func Do(fd int, f func() error) error {
	if fd == 0 {
		return f()
	}
	return elsewhere(func() error { return unix.Setns(fd, unix.CLONE_NEWNET) }, f)
}

// DoNew calls f in a network namespace of its own, which nobody else knows and which is
// there as long as what f has opened in it.
func DoNew(f func() error) error {
	return elsewhere(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, f)
}

// elsewhere does it in a thread of its own.
func elsewhere(enter, f func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- inside(enter, f) }()
	return <-failed
}

func inside(enter, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("network namespace: %w", err)
	}
	defer home.Close()
	if err := enter(); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("network namespace: %w", err)
	}
	err = f()
	if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil { // else the thread ends with the goroutine
		runtime.UnlockOSThread()
	}
	return err
}
