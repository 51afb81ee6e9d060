// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"time"

	"nftdict/dict"
)

// Times of housekeeping.
const (
	expireEvery    = time.Second
	reconcileEvery = dict.Lease / 2
	// calm is how long events go on being read before what was lost of them is
	// looked up: in the middle of a burst more would be lost.
	calm = 500 * time.Millisecond
)

// keepHouse forgets rejected connections, and compares with the kernel from
// time to time and after a loss of events.
func (d *Daemon) keepHouse(ctx context.Context) error {
	expire := time.NewTicker(expireEvery)
	defer expire.Stop()
	reconcile := time.NewTimer(reconcileEvery)
	defer reconcile.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-expire.C:
			d.table.Expire(now)
		case <-d.overrun:
			if !lost { // else it is due already: a lasting loss must not put it off
				lost = true
				d.o.Log.Warn("conntrack events were lost, comparing with the kernel")
				reconcile.Reset(calm)
			}
		case now := <-reconcile.C:
			lost = false
			next := reconcileEvery
			if err := d.table.Reconcile(now, nil, nil); err != nil {
				d.o.Log.Error("cannot compare with the kernel's connections", "err", err)
				next = time.Second
			} else {
				d.reconciled.Add(1)
				d.sweep()
			}
			reconcile.Reset(next)
		}
	}
}

// isTied reports whether a store's rows of Bound tables go with their conntrack
// entries by themselves.
func isTied(store dict.Store) bool {
	_, ok := store.(interface{ Tied() })
	return ok
}

// sweeper is a store that keeps what expired until somebody sweeps.
type sweeper interface {
	Sweep(tables ...string) error
}

// sweep gives back what expired rows hold, so that rules, which cannot make
// room themselves, find some.
func (d *Daemon) sweep() {
	s, ok := d.o.Store.(sweeper)
	if !ok {
		return
	}
	if err := s.Sweep(); err != nil {
		d.o.Log.Error("cannot sweep the dictionaries", "err", err)
	}
}

// eventsLost is called by the event listener.
func (d *Daemon) eventsLost() {
	d.table.Lost()
	select {
	case d.overrun <- struct{}{}:
	default: // told already
	}
}
