// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The lab's gateway runs the daemon, in this process, on a store in memory:
//
//	client ---- gateway (dictd) ---- internet: servers under many names

// running is a daemon on the lab's gateway.
type running struct {
	*Daemon
	store dict.Store
	stop  func()
}

// start runs a daemon in a namespace until the test ends or stop is called.
func start(t testing.TB, ns *lab.Namespace, store dict.Store, change func(*config.Config)) *running {
	t.Helper()
	c := config.Default()
	c.Socket = filepath.Join(t.TempDir(), "dictd.sock")
	if change != nil {
		change(&c)
	}
	ready := make(chan struct{})
	d, err := New(Options{
		Config: c, Store: store, Backend: "mem", NetNS: ns.FD(),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Ready: func() { close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stopped := false
	r := &running{Daemon: d, store: store, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("dictd: %v", err)
		}
	}}
	t.Cleanup(r.stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("dictd: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("dictd is not ready")
	}
	return r
}

// eventually waits until f returns true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// applications returns the application of each row, by server port and name.
func applications(t testing.TB, s dict.Store) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for row, err := range s.Rows(dict.Sessions) {
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := row.Get("application"); ok {
			found[v.Str()]++
		}
	}
	return found
}

func TestTrafficIsLearned(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	r := start(t, l.Gateway, dicttest.NewStandard(t), nil)
	for _, url := range []string{"https://www.netflix.com/", "http://example.org/", "https://www.youtube.com/"} {
		for _, family := range []int{4, 6} {
			b := l.Browser()
			b.Family = family
			if _, err := b.Get(t.Context(), url); err != nil {
				t.Fatalf("IPv%d %s: %v", family, url, err)
			}
		}
	}
	for row, err := range r.store.Rows(dict.Sessions) {
		if err != nil {
			t.Fatal(err)
		}
		t.Log(string(dict.AppendRow(nil, ptr(mustTable(t, r.store)), row)))
	}
	t.Logf("%+v", *r.Status())
	got := applications(t, r.store)
	for app, n := range map[string]int{"NETFLIX": 2, "YOUTUBE": 2} {
		if got[app] != n {
			t.Errorf("%d rows say %s, want %d: %v", got[app], app, n, got)
		}
	}
	_ = strings.ToUpper
}
func ptr[T any](v T) *T { return &v }
func mustTable(t *testing.T, s dict.Store) dict.Table {
	tb, err := s.Table(dict.Sessions)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}
