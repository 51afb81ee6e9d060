// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/lease"
	"nftdict/dictd/identity/neighbour"
)

// who is what tells who is behind addresses, with its sources.
type who struct {
	*identity.Directory
	state      *identity.State
	neighbours *neighbour.Listener // nil if none are looked at
	leases     *lease.Watcher      // nil as well
}

// openWho opens the sources, and reads what an earlier daemon wrote.
func (d *Daemon) openWho(c *config.Config) (err error) {
	if d.who.state, err = identity.OpenState(c.State); err != nil {
		return err
	}
	d.who.Directory, err = identity.New(identity.Config{
		Store: d.o.Store, Hosts: c.Identity.Hosts, Addresses: c.Identity.Addresses, Age: time.Duration(c.Identity.Age) * time.Second,
		Identify: d.table.Identify, State: d.who.state, Clock: time.Now, Vendor: d.Vendor,
		Events: d.happened,
	})
	if err != nil || c.Identity.Hosts == 0 {
		return err
	}
	d.who.neighbours, err = neighbour.Listen(neighbour.Config{
		NetNS: d.o.NetNS, Interfaces: c.Identity.Interfaces, Handle: d.who.Neighbours,
		Failed: func(err error) {
			d.o.Log.Warn("the kernel's neighbours cannot be read, it is tried again", "err", err)
		},
	})
	if err != nil || len(c.Identity.Leases) == 0 {
		return err
	}
	d.who.leases, err = lease.Watch(lease.Config{
		Paths: c.Identity.Leases, Handle: d.who.SetLeases,
		Failed: func(err error) {
			d.o.Log.Warn("a file of leases cannot be read, what it said before holds", "err", err)
		},
	})
	if err != nil {
		// Packets matter more than names.
		d.o.Log.Warn("files of leases are not read: host names come from clients alone until dictd starts again", "err", err)
	}
	return nil
}

// Run keeps it up to date until ctx ends.
func (w *who) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return w.Directory.Run(ctx) })
	if w.neighbours != nil {
		tasks.Go(func() error { return w.neighbours.Run(ctx) })
	}
	if w.leases != nil {
		tasks.Go(func() error { return w.leases.Run(ctx) })
	}
	return tasks.Wait()
}

// read has the rows written of all that is known by now.
func (w *who) read() error {
	if w.neighbours != nil {
		if err := w.neighbours.Read(); err != nil {
			return err
		}
	}
	if w.leases != nil {
		w.leases.Read()
	}
	w.Flush()
	return nil
}

// status returns the figures.
func (w *who) status() api.Identity {
	s := api.Identity{Stats: w.Stats()}
	if w.neighbours != nil {
		n := w.neighbours.Stats()
		s.Neighbours = api.NeighbourEvents{Events: n.Events, Overruns: n.Overruns, Resyncs: n.Resyncs}
	}
	if w.leases != nil {
		s.Leases = w.leases.Stats()
	}
	return s
}

// close releases what openWho opened.
func (w *who) close() error {
	var errs []error
	if w.neighbours != nil {
		errs = append(errs, w.neighbours.Close())
	}
	if w.leases != nil {
		errs = append(errs, w.leases.Close())
	}
	if w.state != nil {
		errs = append(errs, w.state.Close())
	}
	return errors.Join(errs...)
}
