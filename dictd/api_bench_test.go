// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// office is a daemon of which only users are asked.
type office struct {
	api.Source // nil: nothing else is asked
	directory  *identity.Directory
	log        *event.Log
}

func (o office) Directory() *identity.Directory { return o.directory }
func (o office) Events() *event.Log             { return o.log }

// BenchmarkAPIWrites binds devices to users and takes them back through the
// control socket, as 32 clients at a time do. Every answer comes when the change
// is on the disk and in the maps; the bench is over when a reader of the stream
// has every event.
func BenchmarkAPIWrites(b *testing.B) {
	store := openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store
	dir := b.TempDir()
	state := identity.OpenState(dir)
	if err := state.Broken(); err != nil {
		b.Fatal(err)
	}
	defer state.Close()
	o := office{log: event.New(0, time.Now)}
	var err error
	if o.directory, err = identity.New(identity.Config{
		Store: store, Hosts: 16384, Addresses: 64, Age: time.Hour, State: state, Clock: time.Now, Events: o.log,
	}); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "dictd.sock")
	srv, err := api.Listen(path, o, nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			b.Error(err)
		}
	}()
	const writes, clients = 4096, 32 // an even number each: what is bound at the end would be no change at the next beginning
	used := cputime.Used(b)
	var took time.Duration
	for b.Loop() {
		// From here on, however late it comes: a reader of before may still be there.
		told := follow(ctx, path, o.log.Position(), writes)
		start := time.Now()
		bindAndUnbind(b, path, clients, writes)
		if err := <-told; err != nil {
			b.Fatal(err)
		}
		took += time.Since(start)
	}
	b.ReportMetric(float64(b.N)*writes/took.Seconds(), "writes/s")
	cputime.Report(b, used)
	if s := o.directory.Stats(); s.Failed > 0 {
		b.Errorf("%d writes of rows failed: %s", s.Failed, s.LastError)
	}
}

// follow counts events of users that get and lose devices, and tells when it has
// all, or that some were lost.
func follow(ctx context.Context, path string, from event.Position, want int) <-chan error {
	done := make(chan error, 1)
	go func() {
		have := 0
		for e, err := range api.NewClient(path).Events(ctx, api.EventFilter{Kinds: []string{"user-bound", "user-unbound"}, After: from.String()}) {
			if err == nil && e.Kind == "gap" {
				err = fmt.Errorf("events lost: %s", e.Data)
			}
			if have++; err != nil || have == want {
				done <- err
				return
			}
		}
		done <- fmt.Errorf("the stream ended after %d of %d events", have, want)
	}()
	return done
}

// bindAndUnbind makes changes, each client's one after the other.
func bindAndUnbind(b *testing.B, path string, clients, writes int) {
	b.Helper()
	var wait sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range clients {
		wait.Go(func() {
			c := api.NewClient(path)
			mac := fmt.Sprintf("02:00:00:00:00:%02x", i)
			for n := range writes / clients {
				var err error
				if n%2 == 0 {
					_, err = c.Bind(b.Context(), mac, fmt.Sprint("user", i))
				} else {
					_, err = c.Unbind(b.Context(), mac)
				}
				if err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
}
