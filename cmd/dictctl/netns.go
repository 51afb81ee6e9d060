// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// entered names the environment variable by which a program that went over to
// a namespace knows that it is there.
const entered = "DICTCTL_NETNS"

// enterNetns runs this program again, with the same arguments, in a network
// namespace given by its name (as `ip netns` knows it) or path. It returns nil
// where that was done, and otherwise only on failure. A namespace belongs to a
// thread, and a Go program has many: after exec all of them are in it.
func enterNetns(netns string, args []string) error {
	if os.Getenv(entered) == netns {
		return os.Unsetenv(entered) // no child's business
	}
	path := netns
	if !strings.Contains(path, "/") {
		path = "/run/netns/" + netns
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	defer f.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("network namespace %s: %w", path, dict.ErrPermission)
	}
	if err != nil {
		return fmt.Errorf("network namespace %s: %w", path, err)
	}
	err = unix.Exec(self, append([]string{os.Args[0]}, args...), append(os.Environ(), entered+"="+netns))
	return fmt.Errorf("run %s again: %w", self, err)
}
