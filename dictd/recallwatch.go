// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
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
	rows, told := newRowWatch(d.o.Store, kernel.Offloaded), ""
	others := newOtherTables(d.o.Store)
	report := func(err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != told && text != "" {
			d.o.Log.Error("rows that change take nothing out of flowtables, it is tried again", "err", err)
		}
		told = text
	}
	listener, hears := d.o.Store.(dict.Listener)
	for pause := rowsEvery; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = rowsTick
		rewritten := d.recall.rewritten.take()
		if !d.carrying() {
			rows.forget()
			pause = rowsEvery
			continue
		}
		if hears {
			rows.forget()
			err := d.hearRows(ctx, listener, rows, others, kernel, report)
			if hears = !errors.Is(err, dict.ErrNotSupported); hears {
				report(err)
			}
			pause = rowsEvery
			continue
		}
		whom, err := rows.look()
		these, wrong := others.look()
		d.askOf(these)
		some, failed := rewritten.offloaded(kernel)
		if whom = append(whom, some...); len(whom) > 0 {
			d.AskRecall(whom...)
		}
		report(errors.Join(err, wrong, failed))
	}
}

// askOf has all connections asked about again that tables of users may concern.
func (d *Daemon) askOf(tables []string) {
	for _, name := range tables {
		d.offload.Written(name)
	}
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
