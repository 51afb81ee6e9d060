// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/need"
)

// said is what one run printed and how it ended.
type said struct {
	Out, Err string
	Exit     int
}

// network is a network namespace of a test's own, which ends with the test.
type network struct{ file *os.File }

// needListener asks for a kernel, and a container, that allows the interception.
func needListener(t testing.TB) {
	t.Helper()
	need.Feature(t, "seccomp", func() (err error) {
		onOwnThread(func() {
			var l listener
			if l, err = install(filter(false)); err == nil {
				err = unix.Close(int(l))
			}
		})
		return err
	})
}

// newNetwork makes a network namespace.
func newNetwork(t testing.TB) network {
	t.Helper()
	need.Root(t)
	need.Program(t, "nft")
	needListener(t)
	var n network
	need.Feature(t, "netns", func() (err error) {
		onOwnThread(func() {
			if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
				n.file, err = os.Open("/proc/thread-self/ns/net")
			}
		})
		return err
	})
	t.Cleanup(func() { n.file.Close() })
	return n
}

// do runs f on a thread in the namespace.
func (n network) do(t testing.TB, f func()) {
	t.Helper()
	var err error
	onOwnThread(func() {
		if err = unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	if err != nil {
		t.Fatalf("setns: %v", err)
	}
}

// onOwnThread runs f on a thread that ends with it.
func onOwnThread(f func()) {
	done := make(chan struct{})
	onThread(func() {
		defer close(done)
		f()
	})
	<-done
}

// try runs the front end with the fake codec.
func (n network) try(t testing.TB, stdin string, args ...string) (s said, err error) {
	t.Helper()
	return n.tryWith(t, fakeCodec{}, stdin, args...)
}

// tryWith runs the front end.
func (n network) tryWith(t testing.TB, codec Codec, stdin string, args ...string) (s said, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	c := Command{Args: args, Codec: codec, Stdout: &out, Stderr: &errs}
	if stdin != "" {
		c.Stdin = strings.NewReader(stdin)
	}
	n.do(t, func() { s.Exit, err = c.Run(context.Background()) })
	s.Out, s.Err = out.String(), errs.String()
	return s, err
}

// run is try that must not fail by itself.
func (n network) run(t testing.TB, stdin string, args ...string) said {
	t.Helper()
	s, err := n.try(t, stdin, args...)
	if err != nil {
		t.Fatalf("nft %q: %v, %+v", args, err, s)
	}
	return s
}

// plain runs nft itself.
func (n network) plain(t testing.TB, stdin string, args ...string) (s said) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command("nft", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	var err error
	n.do(t, func() { s.Exit, err = exitOf(cmd.Run()) })
	if err != nil {
		t.Fatalf("plain nft %q: %v", args, err)
	}
	s.Out, s.Err = out.String(), errs.String()
	return s
}

// must runs the front end and fails unless it succeeds in silence.
func (n network) must(t testing.TB, args ...string) {
	t.Helper()
	if got := n.run(t, "", args...); got.Exit != 0 || got.Err != "" {
		t.Fatalf("nft %q: %+v", args, got)
	}
}
