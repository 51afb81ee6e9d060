// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/lease"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/identity/overheard"
	"nftdict/dictd/identity/radius"
)

// who is what tells who is behind addresses, with its sources.
type who struct {
	*identity.Directory
	state      *identity.State
	neighbours *neighbour.Listener // nil if none are looked at
	leases     *lease.Watcher      // nil as well
	overheard  *overheard.Listener // nil as well
	radius     *radius.Server      // nil as well
	names      *names              // nil as well
	log        *slog.Logger
}

// openWho opens the sources, and reads what an earlier daemon wrote.
func (d *Daemon) openWho(c *config.Config) (err error) {
	d.who.log, d.who.names = d.o.Log, d.pipeline.names
	d.who.state = identity.OpenState(c.State)
	if err := d.who.state.Broken(); err != nil {
		// Packets matter more than names.
		d.o.Log.Error("the state of users cannot be read: what rows say of them holds, and nothing can be changed", "err", err)
	}
	d.who.Directory, err = identity.New(identity.Config{
		Store: d.o.Store, Hosts: c.Identity.Hosts, Addresses: c.Identity.Addresses, Age: time.Duration(c.Identity.Age) * time.Second,
		Identify: d.table.Identify, State: d.who.state, Clock: time.Now, Vendor: d.Vendor, Names: d.who.names.asker(),
		Events: d.happened, LetIn: c.Portal.Enable,
	})
	if err != nil || c.Identity.Hosts == 0 {
		return err
	}
	if c.Identity.Overhear {
		d.who.overheard, err = overheard.Listen(overheard.Config{NetNS: d.o.NetNS, Handle: d.who.Heard})
		if err != nil {
			d.o.Log.Warn("devices are not listened to: names come from leases alone", "err", err)
		}
	}
	d.stations = d.newStations()
	d.who.neighbours, err = neighbour.Listen(neighbour.Config{
		NetNS: d.o.NetNS, Interfaces: c.Identity.Interfaces, Handle: d.who.hear, Moved: d.stations.Moved,
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
		d.o.Log.Warn("files of leases are not read: host names come from clients alone until dictd starts again", "err", err)
	}
	return nil
}

// hear takes what the kernel says of neighbours.
func (w *who) hear(u *neighbour.Update) {
	if u.Links != nil && w.overheard != nil {
		w.overheard.SetLinks(u.Links)
	}
	w.Neighbours(u)
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
	if w.names != nil {
		tasks.Go(func() error { return w.names.Run(ctx) })
	}
	if w.radius != nil {
		tasks.Go(func() error { return w.radius.Run(ctx) })
	}
	if w.overheard != nil {
		tasks.Go(func() error { return w.overheard.Run(ctx) })
	}
	return tasks.Wait()
}

// read has the rows written of all that is known by now.
func (w *who) read() {
	if w.neighbours != nil {
		if err := w.neighbours.Read(); err != nil {
			w.log.Warn("the kernel's neighbours cannot be read, it is tried again", "err", err)
		}
	}
	if w.leases != nil {
		w.leases.Read()
	}
	w.Flush()
}

// status returns the figures.
func (w *who) status() api.Identity {
	s := api.Identity{Stats: w.Stats()}
	if w.neighbours != nil {
		n := w.neighbours.Stats()
		s.Neighbours = api.NeighbourEvents{Events: n.Events, Astray: n.Astray, Overruns: n.Overruns, Resyncs: n.Resyncs}
	}
	if w.leases != nil {
		s.Leases = w.leases.Stats()
	}
	if w.overheard != nil {
		s.Overheard = w.overheard.Stats()
	}
	if w.names != nil {
		s.Reverse = w.names.Stats()
	}
	if w.radius != nil {
		s.RADIUS = w.radius.Stats()
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
	if w.radius != nil {
		errs = append(errs, w.radius.Close())
	}
	if w.overheard != nil {
		errs = append(errs, w.overheard.Close())
	}
	if w.state != nil {
		errs = append(errs, w.state.Close())
	}
	return errors.Join(errs...)
}
