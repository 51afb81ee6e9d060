// SPDX-License-Identifier: MIT

package conntrack

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Account has a network namespace (0 means the caller's) count the packets of
// connections and note when they begin. It returns the names of the switches that
// were off before: connections of that time never count. It needs to be root there.
func Account(netns int) (switched []string, err error) {
	err = inside(netns, func() error {
		var errs []error
		for _, name := range []string{"nf_conntrack_acct", "nf_conntrack_timestamp"} {
			path := "/proc/sys/net/netfilter/" + name
			text, err := os.ReadFile(path)
			if err == nil && strings.TrimSpace(string(text)) != "0" {
				continue
			}
			if err == nil {
				err = os.WriteFile(path, []byte("1"), 0)
			}
			if err != nil {
				errs = append(errs, err)
				continue
			}
			switched = append(switched, "net.netfilter."+name)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return switched, fmt.Errorf("conntrack accounting: %w", err)
	}
	return switched, nil
}

// inside runs f on a thread in a network namespace.
func inside(netns int, f func() error) error {
	if netns == 0 {
		return f()
	}
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		if err := unix.Setns(netns, unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}
