// SPDX-License-Identifier: MIT

package dictd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/offload"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota/plan"
)

// recall takes connections back out of flowtables.
type recall struct {
	mu      sync.Mutex        // held while flowtables are looked at
	kernel  *conntrack.Client // of that
	crowd   crowd
	carrier *offload.Carrier
	ways    offload.Recallers
	sweeper *offload.Sweeper

	asking sync.Mutex
	asked  map[offload.Whom]struct{}
	named  map[string]struct{} // users whose hosts are to be looked for in rows
	late   []*look             // that are to be done once more
	wake   chan struct{}
	moved  chan struct{} // what some have moved in a flowtable is to be charged

	rewritten rewritten
}

// openRecall prepares the ways back.
func (d *Daemon) openRecall() (err error) {
	r := &d.recall
	r.asked, r.named = make(map[offload.Whom]struct{}), make(map[string]struct{})
	r.wake, r.moved = make(chan struct{}, 1), make(chan struct{}, 1)
	r.rewritten.wake = make(chan struct{}, 1)
	lives, err := conntrack.Lives(d.o.NetNS)
	if err != nil {
		d.o.Log.Warn("how long connections live is not known, those that are taken out of flowtables have ten minutes for their next packet", "err", err)
		lives = func(*conntrack.Flow) time.Duration { return 10 * time.Minute }
	}
	if r.kernel, err = conntrack.Dial(d.o.NetNS); err != nil {
		return err
	}
	if r.carrier, err = offload.NewCarrier(offload.CarrierConfig{NetNS: d.o.NetNS, Store: d.o.Store, Sessions: carried{d}, Lives: lives}); err != nil {
		return err
	}
	if way, ok := d.o.Store.(offload.Recaller); ok {
		r.ways = append(r.ways, way)
	}
	r.ways = append(r.ways, r.carrier)
	r.sweeper = offload.NewSweeper(offload.SweeperOptions{NetNS: d.o.NetNS, Log: d.o.Log})
	return nil
}

// carried tells who knows connections by their entries that these are replaced.
type carried struct{ d *Daemon }

func (c carried) Depart(f *conntrack.Flow) {
	c.d.table.Depart(f)
	if c.d.account.Ledger != nil {
		c.d.account.Depart(f)
	}
}

func (c carried) Arrive(was, now *conntrack.Flow) { c.d.table.Arrive(was, now) }

func (c carried) Entry(id uint32) (conntrack.Tuple, uint16, bool) { return c.d.table.Entry(id) }

// Recall takes the connections that are named, and no others, out of flowtables, and
// returns how many there were: their next packets pass by the rules. What these are to
// see of them is in rows by then. It is looked once more soon after, and tried again where
// it failed. No card carries them any more when it returns, where that does not take long.
func (d *Daemon) Recall(whom ...offload.Whom) (int, error) {
	n, err := d.recallSoon(whom)
	if err != nil {
		d.AskRecall(whom...)
	}
	select {
	case <-d.recall.sweeper.Asked(): // for these, or by somebody who was faster
	case <-time.After(sweepPatience):
	}
	return n, err
}

// sweepPatience is how long Recall waits for cards.
const sweepPatience = 5 * time.Second

// recallSoon is Recall that does not wait for cards, nor tries again.
func (d *Daemon) recallSoon(whom []offload.Whom) (int, error) {
	r := &d.recall
	strangers := d.strangers(whom)
	hosts, failed := d.hostsIn(strangers)
	r.name(d.members, whom, strangers)
	r.mu.Lock()
	defer r.mu.Unlock()
	l := newLook(offload.NewAffected(d.members, slices.Concat(whom, hosts)...))
	n, err := d.recallThose(l)
	if err = errors.Join(err, failed); err == nil {
		r.again(l)
		r.rouse()
	}
	return n, err
}

// recallThose is Recall of those that are there now, but for those that the looks have
// taken back before: rules have let them in again. The recall is locked.
func (d *Daemon) recallThose(looks ...*look) (int, error) {
	r := &d.recall
	label := d.happened.Wants(event.FlowRecall) || slices.ContainsFunc(looks, func(l *look) bool { return l.affected.Labels() })
	var ids []uint32
	var those []found
	taken := make(map[recallKey]struct{})
	err := d.offloaded(looks, func(f *conntrack.Flow) {
		one := found{recallKey{f.Zone, f.Orig}, d.connection(f, label), nil}
		if _, ok := taken[one.key]; ok {
			return
		}
		for _, l := range looks {
			if l.wants(&one) {
				one.by = l
				taken[one.key] = struct{}{}
				ids, those = append(ids, f.ID), append(those, one)
				return
			}
		}
	})
	if len(ids) == 0 {
		return 0, err
	}
	missing, failed := r.ways.Recall(ids)
	r.sweeper.Ask()
	if failed == nil && len(missing) > 0 {
		failed = fmt.Errorf("%d of %d connections stay in a flowtable", len(missing), len(ids))
	}
	left := make(map[uint32]struct{}, len(missing))
	for _, id := range missing {
		left[id] = struct{}{}
	}
	for i := range those {
		if _, ok := left[those[i].about.ID]; !ok {
			those[i].by.has(&those[i])
			d.recalled(&those[i].about)
		}
	}
	rouse(r.moved)
	return len(ids) - len(left), errors.Join(err, failed)
}

// recalled notes that a connection is back.
func (d *Daemon) recalled(c *offload.Connection) {
	if !d.happened.Wants(event.FlowRecall) {
		return
	}
	d.happened.Publish(event.Event{Kind: event.FlowRecall, Subject: strconv.FormatUint(uint64(c.ID), 10), Data: api.FlowRecalled{
		Client: c.Client.Address, Server: c.Server.Address, Application: c.Application, Category: c.Category, Username: cmp.Or(c.Client.User, c.Server.User),
	}})
}

// connection returns what is known of one in a flowtable; what it is about if asked.
func (d *Daemon) connection(f *conntrack.Flow, label bool) offload.Connection {
	c := offload.Connection{ID: f.ID, Client: d.end(f.Orig.Src()), Server: d.end(f.Reply.Src())}
	if !label {
		return c
	}
	known := false
	if c.Application, c.Category, _, known = d.table.Label(f); known {
		return c
	}
	if row, err := d.o.Store.Get(dict.Sessions, dict.CtID(f.ID)); err == nil { // an earlier daemon's
		text := func(field string) string {
			v, _ := row.Get(field)
			return v.Str()
		}
		c.Application, c.Category = text("application"), text("application_category")
	}
	return c
}

func (d *Daemon) end(addr netip.Addr) offload.Party {
	mac, user, _ := d.who.Party(addr)
	return offload.Party{Address: addr, MAC: mac, User: user}
}

// members returns the users of a group.
func (d *Daemon) members(group string) (names []string) {
	for _, u := range d.who.Users() {
		if slices.Contains(u.Groups, group) {
			names = append(names, u.Name)
		}
	}
	return names
}

// nearEnd takes back what belongs to subjects whose budgets near their ends.
func (d *Daemon) nearEnd(subjects []plan.Subject) {
	if d.account.Ledger != nil && !d.account.Besides() {
		return
	}
	kinds := [...]offload.WhomKind{plan.User: offload.OfUser, plan.Device: offload.OfDevice, plan.Host: offload.OfHost, plan.Group: offload.OfGroup}
	var whom []offload.Whom
	for _, s := range subjects {
		whom = append(whom, offload.Whom{Kind: kinds[s.Kind], Name: s.Name})
	}
	d.AskRecall(whom...)
}

// watchLogins takes back what belongs to whoever is somebody else's now.
func (d *Daemon) watchLogins(ctx context.Context) error {
	news := d.happened.Subscribe(d.happened.Position(), event.Of(event.UserBound, event.UserUnbound, event.UserChanged, event.UserGone, event.PortalLogout))
	defer news.Close()
	some := make([]event.Event, 256)
	for {
		n, err := news.Read(ctx, some)
		if err != nil {
			return nil
		}
		var whom []offload.Whom
		for _, e := range some[:n] {
			switch data := e.Data.(type) {
			case identity.Bound:
				whom = append(whom, offload.Whom{Kind: offload.OfDevice, Name: data.MAC})
			case portal.News: // it may have another user all the same, or the same one still
				whom = append(whom, offload.Whom{Kind: offload.OfDevice, Name: data.MAC})
			case event.Lost, event.Restart:
				whom = append(whom, offload.Whom{Kind: offload.All})
			default:
				whom = append(whom, offload.Whom{Kind: offload.OfUser, Name: e.Subject})
			}
		}
		d.AskRecall(whom...)
	}
}

// close releases what openRecall has opened.
func (r *recall) close() error {
	var errs []error
	if r.kernel != nil {
		errs = append(errs, r.kernel.Close())
	}
	if r.carrier != nil {
		errs = append(errs, r.carrier.Close())
	}
	return errors.Join(errs...)
}
