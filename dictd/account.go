// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/boltfile"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/ledger"
	"nftdict/dictd/session"
)

// account is the ledger with what it is told by.
type account struct {
	*ledger.Ledger // nil if none is kept
	state          *ledger.State
	locals         *ledger.Locals
	kernel         *conntrack.Client
	records        *ledger.Records
	flows          *ledger.Flows
	exempt         exempt
	rush           rush
	inside         []netip.Prefix
	pace           ledger.Pace
}

// ledgerShare is the most of one processor that the ledger's rounds may take.
const ledgerShare = 0.04

// openAccount has connections counted, and opens the ledger.
func (d *Daemon) openAccount(c *config.Config) (err error) {
	if c.Ledger.Accounting {
		switched, err := conntrack.Account(d.o.NetNS)
		if len(switched) > 0 {
			d.o.Log.Info("switched on; connections of before stay as they are", "sysctl", strings.Join(switched, " "))
		}
		if err != nil {
			d.o.Log.Warn("connections are not counted", "err", err)
		}
	}
	if c.Ledger.Period == 0 {
		return nil
	}
	a := &d.account
	a.inside = c.Ledger.Networks()
	a.pace = ledger.Pace{
		Period: time.Duration(c.Ledger.Period * float64(time.Second)), Share: ledgerShare, Failed: d.ledgerFailed, Hurry: d.hurry,
	}
	if a.locals, err = ledger.OpenLocals(d.o.NetNS); err != nil {
		return err
	}
	// A socket of its own: packets that wait for a lookup must not wait for a dump.
	if a.kernel, err = conntrack.Dial(d.o.NetNS); err != nil {
		return err
	}
	if a.state, err = ledger.OpenState(c.State); err != nil {
		if errors.Is(err, boltfile.ErrInUse) {
			return err
		}
		if a.state, err = d.setAside(c, err); err != nil {
			d.o.Log.Warn("what is counted is kept in memory alone, until dictd starts again", "err", err)
		}
	}
	if c.Ledger.Records != "" {
		if a.records, err = ledger.OpenRecords(c.Ledger.Records, int64(c.Ledger.RecordsSize)); err != nil {
			d.o.Log.Warn("connections that end are not recorded", "err", err)
		}
	}
	a.flows, err = ledger.OpenFlows(flowsConfig(c.Rules.Table, c.Quota.Priority, d.o.NetNS))
	if err != nil {
		return err
	}
	conf := ledger.Config{
		Kernel: ledgerKernel{a.kernel, d}, Label: d.label, Who: d.party, Local: a.locals.Has, Refresh: a.locals.Refresh,
		Clock: time.Now, State: a.state, Rates: d.rates,
		Beside: a.flows, Book: d.bookBeside, Booked: d.lookBooked,
	}
	if a.records != nil {
		conf.Ended = a.records.Add
	}
	a.Ledger, err = ledger.New(conf)
	if err == nil || a.state == nil {
		return err
	}
	if err = errors.Join(err, a.state.Close()); !ledger.IsBroken(err) {
		a.state = nil
		return err
	}
	if a.state, err = d.setAside(c, err); err != nil {
		return err
	}
	conf.State = a.state
	a.Ledger, err = ledger.New(conf)
	return err
}

// setAside begins a ledger anew of which an error says that it is broken: quotas and
// all else go on. It returns other errors.
func (d *Daemon) setAside(c *config.Config, broken error) (*ledger.State, error) {
	if !ledger.IsBroken(broken) {
		return nil, broken
	}
	d.o.Log.Error("what was counted cannot be read: it is kept as ledger.db.broken, and counting begins anew", "err", broken)
	return ledger.SetAside(c.State)
}

// ledgerKernel is the Daemon as ledger.Kernel.
type ledgerKernel struct {
	*conntrack.Client
	d *Daemon
}

func (k ledgerKernel) Drain() error { return k.d.events.Drain() }

// flowsConfig says how the table is in which connections in flowtables are noted:
// one of its chains stands right before the one that charges quotas.
func flowsConfig(table string, priority, netns int) ledger.FlowsConfig {
	return ledger.FlowsConfig{
		Table: ledger.FlowsTable(table), Priority: int32(priority - 1), NetNS: netns, Size: maxFlows, Status: ledger.StatusOffload,
	}
}

// maxFlows bounds the connections in flowtables that are noted at a time.
const maxFlows = 1 << 17

// exempt is what is free, of the configuration that it was asked of last.
type exempt struct {
	of       *config.Config
	prefixes []netip.Prefix
}

func (e *exempt) has(c *config.Config, a netip.Addr) bool {
	if e.of != c {
		e.of = c
		e.prefixes, _ = c.Quota.Prefixes() // they were checked
	}
	return slices.ContainsFunc(e.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// bookBeside charges quotas with what moved beside the rules. The ledger is locked.
func (d *Daemon) bookBeside(client, server netip.Addr, original, reply uint64, label ledger.Label) {
	c := d.config.Load()
	if d.quota.Manager == nil || d.account.exempt.has(c, client) || d.account.exempt.has(c, server) {
		return
	}
	d.account.rush.note(client, original+reply)
	d.account.rush.note(server, original+reply)
	d.quota.Book(client, reply, original, label.Application, label.Category)
	d.quota.Book(server, original, reply, label.Application, label.Category)
}

// lookBooked has the budgets take what was booked, and keep it.
func (d *Daemon) lookBooked() {
	if d.quota.Manager != nil {
		d.quota.Look()
	}
}

// rates writes how fast sessions move.
func (d *Daemon) rates(all []session.Rate) error {
	return d.table.Rate(all, func(rows []dict.Row) error {
		d.record.count(rows)
		err := d.o.Store.Put(dict.Sessions, rows...)
		if err != nil {
			d.record.failure(err)
		}
		return err
	})
}

// label tells the ledger what a connection is about that has moved something, and the
// table of sessions how much it has moved by now.
func (d *Daemon) label(f *conntrack.Flow) (l ledger.Label) {
	d.table.Past(f)
	l.Application, l.Category, l.Final, _ = d.table.Label(f)
	return l
}

// party tells who has an address: somebody the directory knows, or one of the
// networks inside.
func (d *Daemon) party(addr netip.Addr) (p ledger.Party) {
	if p.MAC, p.User, p.Inside = d.who.Party(addr); p.Inside {
		return p
	}
	for _, n := range d.account.inside {
		if n.Contains(addr) {
			p.Inside = true
			break
		}
	}
	return p
}

func (d *Daemon) ledgerFailed(err error) {
	if err != nil {
		d.o.Log.Error("cannot count what connections have moved, it is tried again", "err", err)
		return
	}
	d.o.Log.Info("what connections have moved is counted again")
}

// handle takes an event of conntrack into account: what a connection was is asked
// before it is forgotten.
func (d *Daemon) handle(e *conntrack.Event) {
	if d.account.Ledger != nil {
		d.account.Handle(e)
	}
	d.table.Handle(e)
}

// Usage implements api.Source.
func (d *Daemon) Usage(q ledger.Query) iter.Seq2[ledger.Uses, error] {
	if d.account.Ledger == nil {
		return func(yield func(ledger.Uses, error) bool) { yield(ledger.Uses{}, api.ErrNoLedger) }
	}
	return d.account.Ledger.Usage(q)
}

// status returns the figures, nil if there is no ledger.
func (a *account) status() *api.Ledger {
	if a.Ledger == nil {
		return nil
	}
	return &api.Ledger{Stats: a.Stats(), Records: a.records.Stats()}
}

// run does rounds until ctx ends.
func (a *account) run(ctx context.Context) error {
	if a.Ledger == nil {
		return nil
	}
	return a.Run(ctx, a.pace)
}

// removeFlows removes the table of connections in flowtables.
func (a *account) removeFlows() error {
	if a.flows == nil {
		return nil
	}
	return a.flows.Remove()
}

// close releases what openAccount opened.
func (a *account) close() error {
	var errs []error
	if a.Ledger != nil { // ends that came after the last round
		errs = append(errs, a.Save())
	}
	if a.records != nil {
		errs = append(errs, a.records.Close())
	}
	if a.flows != nil {
		errs = append(errs, a.flows.Close())
	}
	if a.state != nil {
		errs = append(errs, a.state.Close())
	}
	if a.kernel != nil {
		errs = append(errs, a.kernel.Close())
	}
	if a.locals != nil {
		errs = append(errs, a.locals.Close())
	}
	return errors.Join(errs...)
}
