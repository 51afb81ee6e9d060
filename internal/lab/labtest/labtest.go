// SPDX-License-Identifier: MIT

package labtest

import (
	"context"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// New returns a lab that is closed when the test ends; a failure to close it
// fails the test.
func New(tb testing.TB, conf lab.Config) *lab.Lab {
	tb.Helper()
	need.Root(tb)
	need.Feature(tb, "netns", lab.Probe)
	l, err := lab.New(context.Background(), conf)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Errorf("close lab: %v", err)
		}
	})
	return l
}

// Capture starts a capture that ends with the test.
func Capture(tb testing.TB, n *lab.Namespace, device string) *lab.Capture {
	tb.Helper()
	c, err := n.Capture(device)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("close capture: %v", err)
		}
	})
	return c
}

// Run runs a program until the test ends, which shows what it says.
func Run(tb testing.TB, n *lab.Namespace, args ...string) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := n.Command(ctx, args[0], args[1:]...)
	c.Stdout, c.Stderr = tb.Output(), tb.Output()
	if err := c.Start(); err != nil {
		cancel()
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cancel()
		_ = c.Wait()
	})
}
