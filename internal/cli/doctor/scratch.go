// SPDX-License-Identifier: MIT

package doctor

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// errNoScratch is why a check that needs the scratch namespace is Unknown.
var errNoScratch = errors.New("no network namespace to try it in")

// inScratch runs f on a thread that is alone in a new network namespace with
// its loopback up. The thread and the namespace end with f. f gets the error
// that kept the namespace from being made, if one did, and then runs where it
// is.
func inScratch(f func(error)) {
	onThread(func() { f(enterScratch()) })
}

// onThread runs f on a thread that ends with it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the runtime ends the thread with the goroutine.
		runtime.LockOSThread()
		f()
	}()
	<-done
}

func enterScratch() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("%w: unshare: %w", errNoScratch, err)
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("%w: loopback: %w", errNoScratch, err)
	}
	return nil
}
