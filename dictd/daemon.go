// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/offload"
	"nftdict/dictd/operator"
	"nftdict/dictd/queue"
	"nftdict/dictd/rules"
	"nftdict/dictd/session"
	"nftdict/nftext"
)

// Options of a Daemon.
type Options struct {
	Config   config.Config
	Store    dict.Store      // stays the caller's
	Compiler nftext.Compiler // nil leaves out the rules that need one, with a warning
	Backend  string          // name of the store's kind, for status
	Version  string          // for status
	NetNS    int             // descriptor of the network namespace; 0 means the process's
	Log      *slog.Logger
	Level    *slog.LevelVar // set by the configuration; may be nil
	// EventBuffer is the size of the socket that reads conntrack events, in bytes;
	// 0 means conntrack.DefaultBuffer.
	EventBuffer int
	// Ready is called once packets are being inspected; may be nil.
	Ready func()
}

// Daemon is a configured daemon.
type Daemon struct {
	o       Options
	config  atomic.Pointer[config.Config]
	started time.Time

	memories memories
	record   *recorder
	pipeline *pipeline
	table    *session.Table
	events   *conntrack.Listener
	kernel   *conntrack.Client
	source   queue.Source
	readers  atomic.Pointer[[]*queue.Reader] // nil until they are open
	keeper   *keeper
	who      who
	account  account
	quota    quotas
	recall   recall
	watched  *watched
	offload  *offload.Keeper
	stations *offload.Stations // nil if none are looked at
	portal   gate
	api      *api.Server
	page     *operator.Server // nil if there is none
	happened *event.Log

	overrun    chan struct{}
	reconciled atomic.Uint64
	warnings   []string
}

// New prepares a daemon: it opens what it needs of the kernel, but installs no
// rules yet. The store has the standard tables. Run must follow, or Close.
func New(o Options) (*Daemon, error) {
	d := &Daemon{o: o, started: time.Now(), overrun: make(chan struct{}, 1), watched: newWatched(), memories: newMemories(), happened: event.New(0, time.Now)}
	d.config.Store(&o.Config)
	if err := d.open(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Daemon) open() error {
	c := d.config.Load()
	limit := c.Sessions.Limit
	if limit == 0 {
		limit = conntrackMax()
	}
	if _, err := d.o.Store.Table(dict.Sessions); err != nil {
		return err
	}
	if err := d.openGate(c); err != nil {
		return err
	}
	garden, err := d.openGarden(c)
	if err != nil {
		return err
	}
	classify, err := newClassifier(c, &d.memories, garden)
	if err != nil {
		return err
	}
	registers, err := openRegisters(c, d.o.Log)
	if err != nil {
		return err
	}
	if d.kernel, err = conntrack.Dial(d.o.NetNS); err != nil {
		return err
	}
	d.record = newRecorder(d.o.Store)
	d.record.postponed = newPostponed()
	if d.record.links, err = openLinkTypes(d.o.NetNS); err != nil {
		return err
	}
	d.table = session.New(session.Config{
		Kernel: (*kernel)(d), Rows: rowsOf{d.record, &d.recall.rewritten}, Limit: limit, Now: d.started, Tied: isTied(d.o.Store),
		Ended: d.sessionEnded, Final: d.sessionFinal, Most: d.mostPackets, Fence: d.fence,
	})
	if err := d.openAccount(c); err != nil {
		return err
	}
	d.events, err = conntrack.Listen(conntrack.Config{
		NetNS: d.o.NetNS, Buffer: d.o.EventBuffer, Handle: d.handle, Overrun: d.eventsLost,
	})
	if err != nil {
		return err
	}
	d.pipeline = &pipeline{table: d.table, record: d.record, clock: time.Now, happened: d.happened}
	d.pipeline.classifier.Store(classify)
	d.pipeline.garden.Store(garden)
	d.pipeline.registers.Store(registers)
	d.pipeline.names = d.openNames(c)
	if err := d.openWho(c); err != nil {
		return err
	}
	d.pipeline.observe = d.who.Observe
	if err := d.openRADIUS(c); err != nil {
		return err
	}
	table, err := rules.Open(rules.Options{Name: c.Rules.Table, NetNS: d.o.NetNS, Schema: d.o.Store, Compiler: d.o.Compiler})
	if err != nil {
		return err
	}
	d.keeper = newKeeper(table, d.o)
	if d.source, err = d.probeSource(c); err != nil {
		return err
	}
	rights, err := api.NewRights(c.API.Read, c.API.Write)
	if err != nil {
		return err
	}
	if err := d.openQuota(c); err != nil {
		return err
	}
	if err := d.openRecall(); err != nil {
		return err
	}
	if err := d.openOffload(c); err != nil {
		return err
	}
	if d.api, err = api.Listen(c.Socket, d, rights); err != nil {
		return err
	}
	if err := d.openPage(c); err != nil {
		return err
	}
	d.warnings = d.findWarnings()
	if err := d.who.state.Broken(); err != nil {
		d.warnings = append(d.warnings, err.Error()+": users are those that rows tell of, and cannot be changed")
	}
	d.setLevel(c)
	return nil
}

// Close releases what New opened. Run does it too.
func (d *Daemon) Close() error {
	var errs []error
	if d.keeper != nil {
		errs = append(errs, d.keeper.table.Close())
	}
	if d.events != nil {
		errs = append(errs, d.events.Close())
	}
	if d.kernel != nil {
		errs = append(errs, d.kernel.Close())
	}
	if d.api != nil {
		errs = append(errs, d.api.Close())
	}
	if d.page != nil {
		errs = append(errs, d.page.Close())
	}
	if d.record != nil {
		errs = append(errs, d.record.links.close())
	}
	if d.offload != nil {
		errs = append(errs, d.offload.Close())
	}
	errs = append(errs, d.portal.close(), d.quota.close(), d.who.close(), d.account.close(), d.recall.close())
	return errors.Join(errs...)
}

// kernel is the Daemon as session.Kernel.
type kernel Daemon

func (k *kernel) Drain() error { return k.events.Drain() }

func (k *kernel) Lookup(t conntrack.Tuple, zone uint16) (conntrack.Flow, error) {
	return k.kernel.Lookup(t, zone)
}

// Dump has a socket of its own: packets that wait for Lookup must not wait for it.
func (k *kernel) Dump(f func(*conntrack.Flow)) error {
	c, err := conntrack.Dial(k.o.NetNS)
	if err != nil {
		return err
	}
	return errors.Join(c.Dump(f), c.Close())
}

// Run inspects packets until ctx ends. Rules and dictionaries stay then, unless
// the configuration says otherwise of the rules.
func (d *Daemon) Run(ctx context.Context) error {
	// The queues need the events to the end.
	events, stopEvents := context.WithCancel(context.WithoutCancel(ctx))
	both, running := errgroup.WithContext(ctx)
	both.Go(func() error { return d.events.Run(events) })
	both.Go(func() error {
		defer stopEvents()
		return d.inspect(running)
	})
	err := both.Wait()
	if ctx.Err() != nil && d.config.Load().Rules.Remove {
		err = errors.Join(err, d.offload.Remove(), d.keeper.table.Remove(), d.account.removeFlows())
	}
	return errors.Join(err, d.offload.Close(), d.keeper.table.Close(), d.kernel.Close(), d.portal.close(), d.quota.close(), d.who.close(), d.account.close(), d.recall.close(), d.record.links.close())
}

// inspect runs all tasks but the reading of events.
func (d *Daemon) inspect(ctx context.Context) error {
	tasks, running := errgroup.WithContext(ctx)
	context.AfterFunc(running, d.watched.end)
	tasks.Go(func() error { return d.api.Run(running) })
	if d.page != nil {
		tasks.Go(func() error { return d.page.Run(running) })
	}
	tasks.Go(func() error {
		// Rows are touched by who has the table. Connections are known before
		// their packets come, and packets have a reader before rules send them.
		if err := d.keeper.table.Own(); err != nil {
			return err
		}
		if err := d.pickUp(); err != nil {
			return err
		}
		d.who.read()
		d.table.Settle(d.who.Doubted())
		tasks.Go(func() error { return d.who.Run(running) })
		tasks.Go(func() error { return d.runRecall(running) })
		tasks.Go(func() error { return d.recall.sweeper.Run(running) })
		tasks.Go(func() error { return d.watchLogins(running) })
		tasks.Go(func() error { return d.watchRows(running) })
		d.quota.Look() // rows are as they should be before rules charge them
		tasks.Go(func() error { return d.quota.Run(running) })
		if err := d.letIn(); err != nil {
			return err
		}
		if err := d.openQueues(); err != nil {
			return err
		}
		tasks.Go(func() error { return d.record.Run(running) })
		for _, r := range d.running() {
			tasks.Go(func() error { return r.Run(running) })
		}
		if err := d.keeper.install(d.rulesConfig()); err != nil {
			return err
		}
		tasks.Go(func() error { return d.keeper.Run(running) })
		tasks.Go(func() error { return d.portal.run(running) })
		c := d.config.Load()
		if d.setOffload(c); c.Offload.Enable { // behind all that decides
			d.recallOthers()
		}
		tasks.Go(func() error { return d.offload.Run(running) })
		if d.stations != nil {
			tasks.Go(func() error { return d.stations.Run(running) })
		}
		tasks.Go(func() error { return (&flowEvents{d: d}).run(running) })
		tasks.Go(func() error { return d.keepHouse(running) })
		d.happened.Publish(event.Event{Kind: event.DaemonStart, Data: Started{d.o.Version, os.Getpid()}})
		tasks.Go(func() error { return d.account.run(running) })
		if d.o.Ready != nil {
			d.o.Ready()
		}
		d.o.Log.Info("inspecting", "queues", len(d.running()), "ct_id_by", d.source.String(), "sessions", d.table.Len())
		return nil
	})
	return tasks.Wait()
}

// openQueues binds the queues: those of known connections first, then those of
// packets that open one.
func (d *Daemon) openQueues() error {
	c := d.config.Load()
	var readers []*queue.Reader
	for i := range 2 * c.Queues.Count {
		r, err := queue.Open(d.queueConfig(c, i))
		if err != nil {
			for _, r := range readers {
				err = errors.Join(err, r.Close())
			}
			return err
		}
		readers = append(readers, r)
	}
	d.readers.Store(&readers)
	return nil
}

// running returns the queue readers, none before they are open.
func (d *Daemon) running() []*queue.Reader {
	if r := d.readers.Load(); r != nil {
		return *r
	}
	return nil
}

// mostPackets is how many packets of a connection rules queue.
func (d *Daemon) mostPackets() uint64 { return uint64(d.config.Load().Sessions.Packets) }

// fence is a session.Config's.
func (d *Daemon) fence() (passed func() bool) { return fenceOf(d.running()) }

// fenceOf has queues tell when they are so far; all have to be.
func fenceOf[R interface {
	Fence() (uint32, error)
	Passed(uint32) bool
}](queues []R) (passed func() bool) {
	fences := make([]uint32, len(queues))
	for i, q := range queues {
		var err error
		if fences[i], err = q.Fence(); err != nil { // it is closing, or full
			return func() bool { return false }
		}
	}
	return func() bool {
		for i, q := range queues {
			if !q.Passed(fences[i]) {
				return false
			}
		}
		return true
	}
}

func (d *Daemon) queueConfig(c *config.Config, i int) queue.Config {
	q := queue.Config{
		Num: uint16(c.Queues.First + i), First: i >= c.Queues.Count, NetNS: d.o.NetNS, Source: d.source,
		Length: uint32(c.Queues.Length), CopyRange: uint32(c.Queues.Copy), Buffer: c.Queues.Buffer,
		FailOpen: !c.Closed(), Handle: (&worker{pipeline: d.pipeline}).Handle,
	}
	switch {
	case c.Rules.FinishBit == 0:
	case d.source == queue.ByMark:
		q.FinishMark = finishMark
	default:
		q.FinishMark = c.Rules.FinishBit
	}
	return q
}

// finishMark is the packet mark of Finish verdicts, between two chains of the
// daemon's own. A packet that has it by itself is bypassed.
const finishMark = 0x64696374

func (d *Daemon) rulesConfig() rules.Config {
	c := d.config.Load()
	return rules.Config{
		Table: c.Rules.Table, Priority: int32(c.Rules.Priority),
		Queues:    rules.Queues{First: uint16(c.Queues.First), Count: uint16(c.Queues.Count), Fanout: c.Queues.Fanout},
		Source:    d.source,
		FinishBit: c.Rules.FinishBit, FinishMark: finishMark,
		MaxPackets: uint64(c.Sessions.Packets), Closed: c.Closed(), Policies: [...]*rules.Policy{d.quota.policy, d.portal.policy},
	}
}
