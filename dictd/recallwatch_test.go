// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
)

// hasty is a store whose hosts cannot be read while told so.
type hasty struct {
	*dicttest.Mem
	broken atomic.Bool
}

func (s *hasty) Rows(table string) iter.Seq2[dict.Row, error] {
	if s.broken.Load() && table == dict.Hosts {
		return func(yield func(dict.Row, error) bool) { yield(dict.Row{}, errors.New("not now")) }
	}
	return s.Mem.Rows(table)
}

// telling is one that tells of writes, until an error is sent.
type telling struct {
	*hasty
	fail chan error

	mu   sync.Mutex
	tell func(dict.Change) error // nil while nobody listens
}

// Listen implements dict.Listener.
func (s *telling) Listen(ctx context.Context, f func(dict.Change) error, _ ...string) error {
	listen := func(f func(dict.Change) error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tell = f
	}
	listen(f)
	defer listen(nil)
	if err := f(dict.Change{}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.fail:
		return err
	}
}

// Put implements dict.Store.
func (s *telling) Put(table string, rows ...dict.Row) error {
	if err := s.hasty.Put(table, rows...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tell == nil {
		return nil
	}
	for _, row := range rows {
		if err := s.tell(dict.Change{Kind: dict.Set, Table: table, Row: row}); err != nil {
			return err
		}
	}
	return nil
}

// watchAtWork is a watch under test.
type watchAtWork struct {
	*testing.T
	*watch
	store *hasty
	on    atomic.Bool // there may be a flowtable

	mu   sync.Mutex
	told []string
}

// newWatchAtWork begins to watch. Where there is to be a flowtable from the start it waits for
// that, and there is a host's row from before.
func newWatchAtWork(t *testing.T, tells bool, start bool) (w *watchAtWork, fail chan<- error) {
	t.Helper()
	w = &watchAtWork{T: t, store: &hasty{Mem: dicttest.NewStandard(t)}}
	tell := func(text string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, text)
	}
	again := func(table string) { tell("table " + table) }
	var store dict.Store = w.store
	if tells {
		f := make(chan error)
		store, fail = &telling{hasty: w.store, fail: f}, f
	}
	w.watch = &watch{
		store: store, rows: newRowWatch(store, func(func(*conntrack.Flow)) error { return nil }), others: newOtherTables(store),
		carrying: w.on.Load, again: again, watched: newWatched(), rewritten: &rewritten{wake: make(chan struct{}, 1)}, log: slog.New(slog.DiscardHandler),
		recall: func(whom ...offload.Whom) {
			for _, one := range whom {
				tell(one.String())
			}
		},
		blind: !start,
	}
	if w.on.Store(start); start {
		w.put(1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w, fail
}

// put writes a row of a host.
func (w *watchAtWork) put(host byte) {
	w.Helper()
	key := dict.AddrKey(netip.AddrFrom4([4]byte{10, 0, 0, host}))
	if err := w.watch.store.Put(dict.Hosts, dict.Row{Key: key, Cells: []dict.Cell{{Field: "no_offload", Value: dict.BoolValue(true)}}}); err != nil {
		w.Fatal(err)
	}
}

// finds checks what has been taken back, some seconds later.
func (w *watchAtWork) finds(what string, want ...string) {
	w.Helper()
	time.Sleep(5 * time.Second)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.told)
	if w.told = slices.Compact(w.told); !slices.Equal(w.told, want) {
		w.Errorf("%s: %q, want %q", what, w.told, want)
	}
	w.told = nil
}

// Rows are watched before there is a flowtable, and where they were not, all are taken back:
// with stores that tell of writes, and others.
func TestWatch(t *testing.T) {
	for name, tells := range map[string]bool{"looks": false, "hears": true} {
		run := func(what string, start bool, f func(w *watchAtWork, fail chan<- error)) {
			t.Run(name+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, fail := newWatchAtWork(t, tells, start)
					f(w, fail)
				})
			})
		}
		run("from the start", true, func(w *watchAtWork, _ chan<- error) {
			<-w.watched.ask()
			w.put(2) // a flowtable is there
			w.finds("at once", "host 10.0.0.2")
			w.put(3)
			w.finds("later", "host 10.0.0.3")
		})
		run("when a flowtable was there before", false, func(w *watchAtWork, _ chan<- error) {
			w.finds("nothing")
			w.on.Store(true)
			w.put(1)
			w.finds("it was found", "all")
			w.put(2)
			w.finds("later", "host 10.0.0.2")
			w.on.Store(false)
			w.put(3)
			w.finds("it is gone")
			w.put(4)
			w.on.Store(true)
			w.finds("it is back", "all")
		})
		run("what cannot be read", false, func(w *watchAtWork, _ chan<- error) {
			w.store.broken.Store(true)
			w.on.Store(true)
			<-w.watched.ask()
			w.put(2)
			w.finds("nothing is known")
			w.store.broken.Store(false)
			w.finds("it is", "all")
		})
		run("to the end", true, func(w *watchAtWork, _ chan<- error) {
			w.watched.end()
			<-w.watched.ask()
		})
		if tells {
			run("that fails", true, func(w *watchAtWork, fail chan<- error) {
				<-w.watched.ask()
				w.put(2)
				w.finds("it tells", "host 10.0.0.2")
				fail <- errors.New("no more")
				synctest.Wait()
				w.put(3) // nobody hears of it
				w.finds("it tells again", "all", "host 10.0.0.3")
			})
		}
	}
}
