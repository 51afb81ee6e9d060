// SPDX-License-Identifier: MIT

package genl_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/genl"
	"nftdict/internal/need"
)

// needModule asks for root and the module.
func needModule(tb testing.TB) {
	tb.Helper()
	need.Root(tb)
	need.Feature(tb, "kmod", func() error {
		s, err := genl.Open()
		if err != nil {
			return err
		}
		return s.Close()
	})
}

// openIn opens the store of a namespace; it is closed with the test.
func openIn(tb testing.TB, h netns.NsHandle) (s *genl.Store) {
	tb.Helper()
	inside(tb, h, func() (err error) {
		s, err = genl.Open()
		return err
	})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// within tries f until it succeeds, or fails the test after some seconds.
func within(tb testing.TB, what string, f func() error) {
	tb.Helper()
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	tb.Errorf("%s: %v", what, err)
}

// placed is a store that knows its namespace.
type placed struct {
	*genl.Store
	ns netns.NsHandle
}

func TestConformance(t *testing.T) {
	needModule(t)
	dicttest.Run(t,
		func(tb testing.TB) dict.Store {
			ns := newNamespace(tb)
			return placed{openIn(tb, ns), ns}
		},
		dicttest.Tied(),
		// The other process has no descriptor of the namespace: it reaches ours
		// through /proc.
		dicttest.Shared(
			func(s dict.Store) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.(placed).ns) },
			reopen,
		),
		dicttest.Hold(hold),
	)
}

// reopen opens the store of the namespace that a path leads to.
func reopen(path string) (dict.Store, error) {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	var s *genl.Store
	err = onThread(func() (err error) {
		if err = netns.Set(ns); err == nil {
			s, err = genl.Open()
		}
		return err
	})
	return s, err
}

// hold loads a rule that uses a table with keys of strings.
func hold(tb testing.TB, s dict.Store, table string) (release func()) {
	tb.Helper()
	p := s.(placed)
	w := &wire{gateway: p.ns}
	if err := s.AddTable(dict.Table{Name: "names", Key: dict.KeyMark, Limit: 1, Fields: []dict.Field{{Name: "of", Type: dict.String}}}); err != nil {
		tb.Fatal(err)
	}
	w.chain(tb, 0, 0)
	r := ruleBench{wire: w, store: p.Store, compiler: p.Compiler()}
	r.add(tb, "dict "+table+" dict names meta mark of age exists")
	return func() { w.chain(tb, 0, 0) }
}
