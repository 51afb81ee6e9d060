// SPDX-License-Identifier: MIT

package lab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errClosed is the answer of a keeper that has ended.
var errClosed = errors.New("namespace is closed")

// keeper is one OS thread that lives in a network namespace of its own and
// keeps it alive. What must happen on exactly that thread (starting children
// that die with it, private mounts) is handed to it one call at a time.
type keeper struct {
	netns *os.File // the namespace; pins it until closed
	tid   int
	calls chan keeperCall
	stop  chan struct{}
	done  chan struct{}
}

type keeperCall struct {
	fn     func() error
	result chan error
}

// newKeeper starts a thread in a new network namespace. The caller owns the
// keeper and must close it.
func newKeeper() (*keeper, error) {
	k := &keeper{
		calls: make(chan keeperCall),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	ready := make(chan error, 1)
	go k.run(ready)
	if err := <-ready; err != nil {
		<-k.done
		return nil, fmt.Errorf("new network namespace: %w", err)
	}
	return k, nil
}

// run owns the thread. It never unlocks it: a goroutine that ends locked takes
// its thread along, and the namespace goes with the thread.
func (k *keeper) run(ready chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The main thread cannot end before the process. Hold it until the
		// successor has a thread, which is then another one.
		held := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(held)
			k.serve(ready)
		}()
		<-held
		runtime.UnlockOSThread()
		return
	}
	k.serve(ready)
}

func (k *keeper) serve(ready chan<- error) {
	defer close(k.done)
	err := k.enter()
	ready <- err
	if err != nil {
		return
	}
	for {
		select {
		case c := <-k.calls:
			c.result <- c.fn()
		case <-k.stop:
			return
		}
	}
}

func (k *keeper) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w (root is needed)", err)
	}
	k.tid = unix.Gettid()
	k.netns, err = os.Open("/proc/thread-self/ns/net")
	return err
}

// do runs fn on the keeper's thread and returns its error.
func (k *keeper) do(fn func() error) error {
	c := keeperCall{fn: fn, result: make(chan error, 1)}
	select {
	case k.calls <- c:
		return <-c.result
	case <-k.done:
		return errClosed
	}
}

// close ends the thread. Children started by it get SIGKILL from the kernel.
func (k *keeper) close() error {
	close(k.stop)
	<-k.done
	return k.netns.Close()
}

// Probe tries whether this process can have a lab: whether it may make network
// namespaces.
func Probe() error {
	k, err := newKeeper()
	if err != nil {
		return err
	}
	return k.close()
}
