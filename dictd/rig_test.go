// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The lab's gateway runs the daemon, in this process, on a store in memory:
//
//	client ---- gateway (dictd) ---- internet: servers under many names

// patience is how long tests wait for what should come at once: machines may be
// busy.
const patience = 30 * time.Second

// running is a daemon on the lab's gateway.
type running struct {
	*Daemon
	stop func()
}

// start runs a daemon in a namespace until the test ends or stop is called.
func start(tb testing.TB, ns *lab.Namespace, store dict.Store, change func(*config.Config)) *running {
	tb.Helper()
	return startOn(tb, ns, &backend.Backend{Kind: "mem", Store: store}, change)
}

// startOn is start on a backend that may compile rules.
func startOn(tb testing.TB, ns *lab.Namespace, on *backend.Backend, change func(*config.Config)) *running {
	tb.Helper()
	return startWith(tb, Options{Store: on.Store, Compiler: on.Compiler, Backend: on.Kind, NetNS: ns.FD()}, change)
}

// startWith is start with options, which it completes.
func startWith(tb testing.TB, o Options, change func(*config.Config)) *running {
	tb.Helper()
	c := config.Default()
	dir := tb.TempDir()
	c.Socket, c.State = filepath.Join(dir, "dictd.sock"), filepath.Join(dir, "state")
	c.Reverse.Names = config.ReverseOff
	c.Identity.Leases = []string{filepath.Join(dir, "leases")}
	if change != nil {
		change(&c)
	}
	log := io.Discard
	if _, bench := tb.(*testing.B); !bench {
		log = tb.Output()
	}
	ready := make(chan struct{})
	o.Config, o.Ready = c, func() { close(ready) }
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	d, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stopped := false
	r := &running{Daemon: d, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("dictd: %v", err)
		}
	}}
	tb.Cleanup(r.stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		tb.Fatalf("dictd: %v", err)
	case <-time.After(patience):
		tb.Fatal("dictd is not ready")
	}
	return r
}

// openEBPF opens the dictionaries of a namespace, which are gone with the test.
func openEBPF(tb testing.TB, ns *lab.Namespace) *backend.Backend {
	tb.Helper()
	return openEBPFWith(tb, ns, backend.Options{})
}

// openEBPFWith is openEBPF with options.
func openEBPFWith(tb testing.TB, ns *lab.Namespace, o backend.Options) *backend.Backend {
	tb.Helper()
	var b *backend.Backend
	err := ns.Do(func() (err error) {
		b, err = backend.Open(backend.EBPF, o)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		err := b.Store.(interface{ Remove() error }).Remove()
		if err = errors.Join(err, b.Store.Close()); err != nil {
			tb.Errorf("remove the dictionaries: %v", err)
		}
	})
	return b
}

// openKmod opens the dictionaries of a namespace in the module, where it is
// loaded. They go with the namespace.
func openKmod(tb testing.TB, ns *lab.Namespace) *backend.Backend {
	tb.Helper()
	var b *backend.Backend
	need.Feature(tb, "kmod", func() error {
		return ns.Do(func() (err error) {
			b, err = backend.Open(backend.Kmod, backend.Options{})
			return err
		})
	})
	tb.Cleanup(func() {
		if err := b.Store.Close(); err != nil {
			tb.Errorf("close the dictionaries: %v", err)
		}
	})
	return b
}

// backends are the stores that a test runs on: the maps of the namespace, the module
// where it is loaded, and one in memory that compiles no rules. Where the module is,
// an emulated machine takes its time, and the one in memory shows nothing new.
func backends(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	if !need.Promised("kmod") || need.Promised("long") {
		t.Run("mem", func(t *testing.T) {
			f(t, labtest.New(t, lab.Config{}), &backend.Backend{Kind: "mem", Store: dicttest.NewStandard(t)})
		})
	}
	t.Run("ebpf", func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		f(t, l, openEBPF(t, l.Gateway))
	})
	t.Run("kmod", func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		f(t, l, openKmod(t, l.Gateway))
	})
}

// eventually waits until f returns true.
func eventually(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("in vain: %s", what)
		}
	}
}

// long asks for a run that takes its time.
func long(tb testing.TB) {
	tb.Helper()
	need.Feature(tb, "long", func() error {
		if !need.Promised("long") {
			return errors.New("LONG=1 runs it")
		}
		return nil
	})
}

// rows returns the rows of sessions that hold the values, as text by field.
func rows(tb testing.TB, s dict.Store, want map[string]string) []dict.Row {
	tb.Helper()
	var found []dict.Row
	for row, err := range s.Rows(dict.Sessions) {
		if err != nil {
			tb.Fatal(err)
		}
		fits := true
		for field, text := range want {
			v, ok := row.Get(field)
			fits = fits && ok && v.String() == text
		}
		if fits {
			found = append(found, row)
		}
	}
	return found
}

// one returns the only row that holds the values.
func one(tb testing.TB, s dict.Store, want map[string]string) dict.Row {
	tb.Helper()
	found := rows(tb, s, want)
	if len(found) != 1 {
		tb.Fatalf("%d rows with %v, want one", len(found), want)
	}
	return found[0]
}

// run runs a program on the gateway.
func run(tb testing.TB, ns *lab.Namespace, name string, args ...string) string {
	tb.Helper()
	path := need.Program(tb, name)
	out, err := ns.Command(context.Background(), path, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// fetch gets a page from the client.
func fetch(tb testing.TB, l *lab.Lab, family int, http3 bool, url string) {
	tb.Helper()
	b := l.Browser()
	b.Family, b.HTTP3, b.Timeout = family, http3, patience
	if _, err := b.Get(context.Background(), url); err != nil {
		tb.Fatalf("IPv%d %s: %v", family, url, err)
	}
}
