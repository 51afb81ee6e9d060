// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/dictd/session"
)

// watchRows takes back what belongs to whoever's row says something else, whoever has
// written it, as rules may read it: connections in flowtables, and their hosts, devices,
// users and groups.
func (d *Daemon) watchRows(ctx context.Context) error {
	kernel, err := conntrack.Dial(d.o.NetNS) // recalls are not to wait for looks
	if err != nil {
		return err
	}
	defer kernel.Close()
	w := &watch{
		store: d.o.Store, rows: newRowWatch(d.o.Store, kernel.Offloaded), others: newOtherTables(d.o.Store),
		carrying: d.carrying, recall: d.AskRecall, again: d.offload.Written, watched: d.watched, rewritten: &d.recall.rewritten, kernel: kernel, log: d.o.Log,
		// Its own flowtable is made when rows are watched.
		blind: !d.config.Load().Offload.Enable,
	}
	return w.run(ctx)
}

// watch has connections taken back when rows are written.
type watch struct {
	store     dict.Store
	rows      *rowWatch
	others    *otherTables
	carrying  func() bool           // there may be a flowtable
	recall    func(...offload.Whom) // takes connections back soon
	again     func(table string)    // has all asked about again that a table of users may concern
	watched   *watched
	rewritten *rewritten
	kernel    *conntrack.Client
	log       *slog.Logger

	waiting []chan struct{} // of watched
	blind   bool            // connections may have come into a flowtable while nobody watched
	told    string          // the last error
}

// run watches until ctx ends.
func (w *watch) run(ctx context.Context) error {
	listener, hears := w.store.(dict.Listener)
	for pause := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-w.watched.wake:
		case <-time.After(pause):
		}
		pause = rowsTick
		w.waiting = append(w.waiting, w.watched.take()...)
		switch {
		case !w.carrying():
			w.rewritten.take()
			w.rows.forget()
			w.blind = true
			w.release()
			pause = rowsEvery
		case hears:
			switch err := w.hear(ctx, listener); {
			case errors.Is(err, dict.ErrNotSupported):
				hears, pause = false, 0
			case err != nil:
				// What is known of rows is kept: it is compared with the first look of the next time.
				w.looked(nil, nil, nil, err)
				pause = rowsEvery
			default:
				pause = rowsEvery
			}
		default:
			rewritten := w.rewritten.take()
			whom, err := w.rows.look()
			tables, wrong := w.others.look()
			w.looked(whom, tables, rewritten, err, wrong)
		}
	}
}

// looked does what a look has found to be done, and tells who waits for the first one. Where
// that has failed, or there was a flowtable before, all are taken back when one succeeds.
func (w *watch) looked(whom []offload.Whom, tables []string, rewritten rewrittenKeys, errs ...error) {
	for _, name := range tables {
		w.again(name)
	}
	some, err := rewritten.offloaded(w.kernel)
	whom = append(whom, some...)
	switch known := w.rows.known() && w.others.changes != nil; {
	case !known && len(w.waiting) > 0:
		w.blind = true
	case known && w.blind:
		whom = append(whom, offload.Whom{Kind: offload.All})
		w.blind = false
	}
	w.release()
	if len(whom) > 0 {
		w.recall(whom...)
	}
	w.report(errors.Join(append(errs, err)...))
}

// release tells who waits that rows are watched, or that it is of no use to wait.
func (w *watch) release() {
	for _, done := range w.waiting {
		close(done)
	}
	w.waiting = nil
}

// report logs an error, once.
func (w *watch) report(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != w.told && text != "" {
		w.log.Error("rows that change take nothing out of flowtables, it is tried again", "err", err)
	}
	w.told = text
}

// watched is where is waited for rows to be watched: whatever is written before a flowtable
// is made is part of what the first look finds, and whatever is written then is not.
type watched struct {
	mu      sync.Mutex
	waiting []chan struct{}
	over    bool
	wake    chan struct{}
}

func newWatched() *watched { return &watched{wake: make(chan struct{}, 1)} }

// ask returns what is closed when rows are watched, or will not be.
func (w *watched) ask() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := make(chan struct{})
	if w.over {
		close(done)
		return done
	}
	w.waiting = append(w.waiting, done)
	rouse(w.wake)
	return done
}

// take returns who waits, and leaves it to the caller to close them.
func (w *watched) take() []chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.waiting
	w.waiting = nil
	return waiting
}

// end has nobody wait any more.
func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, done := range w.waiting {
		close(done)
	}
	w.waiting, w.over = nil, true
}

// carrying reports whether there may be a flowtable.
func (d *Daemon) carrying() bool {
	return d.config.Load().Offload.Enable || d.account.Ledger == nil || d.account.Besides()
}

// rewritten are connections whose rows the daemon has written anew after rules may have
// sent them to a flowtable. Where there are many in flowtables it takes long to find that
// out by looking.
type rewritten struct {
	mu   sync.Mutex
	all  map[recallKey]struct{}
	wake chan struct{} // of who hears of rows
}

// maxRewritten is how many are noted; others are found by looking.
const maxRewritten = 1024

// add notes a locked session.
func (r *rewritten) add(s *session.Session) {
	if !s.Final {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = make(map[recallKey]struct{})
	}
	if len(r.all) < maxRewritten {
		r.all[recallKey{s.Zone(), s.Orig()}] = struct{}{}
	}
	rouse(r.wake)
}

// some reports whether any is noted.
func (r *rewritten) some() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) > 0
}

// rewrittenKeys are what is noted.
type rewrittenKeys map[recallKey]struct{}

// take returns what is noted, and forgets it.
func (r *rewritten) take() rewrittenKeys {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// offloaded returns those that are in a flowtable.
func (all rewrittenKeys) offloaded(kernel *conntrack.Client) (whom []offload.Whom, err error) {
	for key := range all {
		f, err := kernel.Lookup(key.orig, key.zone)
		switch {
		case err == nil && f.Offloaded():
			whom = append(whom, offload.Ct(f.ID))
		case err != nil && !errors.Is(err, conntrack.ErrNotFound):
			return whom, err
		}
	}
	return whom, nil
}

// rowsOf writes the rows of sessions, and notes those that are written anew.
type rowsOf struct {
	*recorder
	rewritten *rewritten
}

var _ session.Rows = rowsOf{}

// Tell implements session.Rows.
func (r rowsOf) Tell(sessions []*session.Session) {
	r.recorder.Tell(sessions)
	for _, s := range sessions {
		r.rewritten.add(s)
	}
}

// Name implements session.Rows.
func (r rowsOf) Name(s *session.Session) {
	r.recorder.Name(s)
	r.rewritten.add(s)
}
