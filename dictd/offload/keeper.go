// SPDX-License-Identifier: MIT

package offload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/rules"
	"nftdict/nftext"
)

// Options of a Keeper.
type Options struct {
	Table    string   // the daemon's own, beside which this one stands
	Others   []string // tables of the daemon whose changes decide nothing about packets
	NetNS    int      // descriptor of the network namespace; 0 means the process's
	Schema   nftext.Schema
	Compiler nftext.Compiler // nil: there is no flowtable
	Log      *slog.Logger
}

// Keeper keeps the flowtable and the rules that fill it. Its methods may be called
// by several goroutines.
type Keeper struct {
	o       Options
	table   kernelTable
	changed *reasons

	mu      sync.Mutex
	c       Config
	there   bool              // the table is in the kernel, or an earlier daemon's may be
	stale   bool              // not as c says, or it carries what was asked about before rules changed
	links   map[string]uint32 // the flowtable's devices, with their indices
	devices []Device
	refused error // why devices carry nothing although they say that they can; until Set
	status  Status
}

// kernelTable is the daemon's table of the flowtable.
type kernelTable interface {
	InstallFlowtable(rules.Flowtable, *rules.Policy) error
	AddDevices(rules.Flowtable) error
	Remove() error
	Watch(ctx context.Context, changed func()) error
	WatchOthers(ctx context.Context, but []string, changed func(what []string)) error
	Close() error
}

var _ kernelTable = (*rules.Table)(nil)

// Open prepares a Keeper, and changes nothing. Close must follow.
func Open(o Options) (*Keeper, error) {
	table, err := rules.Open(rules.Options{Name: TableName(o.Table), NetNS: o.NetNS, Schema: o.Schema, Compiler: o.Compiler})
	if err != nil {
		return nil, err
	}
	return newKeeper(o, table), nil
}

func newKeeper(o Options, table kernelTable) *Keeper {
	return &Keeper{o: o, table: table, changed: newReasons(), there: true}
}

// Close releases the socket. The table stays, and carries what it carries.
func (k *Keeper) Close() error { return k.table.Close() }

// Remove deletes the table.
func (k *Keeper) Remove() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.remove()
}

func (k *Keeper) remove() error {
	if err := k.table.Remove(); err != nil {
		return err
	}
	k.there, k.links, k.devices = false, nil, nil
	return nil
}

// Set takes over a configuration: the flowtable is made anew, and all that an earlier
// one has carried is asked about again, or it is removed. Where it cannot be made there is
// none, Status says why and Run tries again; the error is the same.
func (k *Keeper) Set(c Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c, k.refused = c, nil
	if !c.Enable {
		k.status = Status{}
		return k.remove()
	}
	return k.refresh(true)
}

// ErrNoFlowtable says that the kernel has none.
var ErrNoFlowtable = fmt.Errorf("the kernel has no flowtables: %w: needs CONFIG_NF_FLOW_TABLE_INET and CONFIG_NFT_FLOW_OFFLOAD", dict.ErrNotSupported)

// refresh brings the flowtable up to date with the devices there are, or makes it anew. Where
// that cannot be done nothing is carried of which rules may say something else now, and
// the next refresh makes it anew.
func (k *Keeper) refresh(anew bool) error {
	k.stale = k.stale || anew
	err := k.bring()
	if err != nil && k.stale && k.there {
		if failed := k.remove(); failed != nil {
			err = fmt.Errorf("%w; what there is goes on: %w", err, failed)
		}
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != k.status.Error && text != "" {
		k.o.Log.Error("connections cannot be offloaded", "err", err)
	}
	k.status.Error = text
	return err
}

func (k *Keeper) bring() error {
	if k.refused != nil && k.c.Hardware == On {
		return k.refused // each attempt would leave something behind in the kernel
	}
	if k.o.Compiler == nil {
		return fmt.Errorf("flowtable: %w: this backend compiles no rules", dict.ErrNotSupported)
	}
	all, err := readLinks(k.o.NetNS)
	if err != nil {
		return err
	}
	names := choose(all, k.c.Devices)
	devices, err := ask(k.o.NetNS, names)
	if err != nil {
		return err
	}
	links := make(map[string]uint32, len(names))
	for _, l := range all {
		if slices.Contains(names, l.name) {
			links[l.name] = l.index
		}
	}
	f := rules.Flowtable{Name: Flowtable, Priority: k.c.Ingress, Devices: names, Hardware: k.hardware(devices)}
	if !k.stale && k.there && f.Hardware == k.status.Hardware {
		if fresh, ok := k.further(all, links); ok {
			if len(fresh) > 0 {
				more := f
				more.Devices = fresh
				err = k.table.AddDevices(more)
			}
			if err == nil {
				k.links, k.devices = links, devices
				return nil
			}
		}
	}
	err = k.install(f)
	if k.refused != nil && k.c.Hardware == Auto && f.Hardware {
		k.o.Log.Warn("devices refuse to carry connections, they are carried in software", "err", k.refused)
		f.Hardware = false
		err = k.install(f)
	}
	if err != nil {
		return err
	}
	k.there, k.stale = true, false
	k.links, k.devices, k.status.Hardware, k.status.Installed = links, devices, f.Hardware, time.Now().UTC()
	return nil
}

// install makes the flowtable with its rules.
func (k *Keeper) install(f rules.Flowtable) error {
	p := layout(&k.c, f.Hardware, k.has)
	err := k.table.InstallFlowtable(f, p)
	if errors.Is(err, unix.EBUSY) && f.Hardware {
		// A driver that carries for one flowtable at a time.
		if err = k.remove(); err == nil {
			err = k.table.InstallFlowtable(f, p)
		}
	}
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) && !f.Hardware:
		if !k.supported() {
			return ErrNoFlowtable
		}
	case errors.Is(err, unix.EOPNOTSUPP):
		k.refused = fmt.Errorf("%w: a device does not take flows: set offload.hardware to \"off\"", err)
		return k.refused
	}
	return err
}

// supported reports whether the kernel makes a flowtable that has no devices.
func (k *Keeper) supported() bool { return rules.ProbeFlowtable(k.o.NetNS) == nil }

// hardware decides whether devices are to carry flows.
func (k *Keeper) hardware(devices []Device) bool {
	switch {
	case k.c.Hardware == Off, k.refused != nil:
		return false
	case k.c.Hardware == On:
		return len(devices) > 0
	}
	return len(devices) > 0 && !slices.ContainsFunc(devices, func(d Device) bool { return !d.Hardware })
}

// further returns the devices that the flowtable has not yet, and false if it has one
// that it is not to have: of those that are gone the kernel takes care.
func (k *Keeper) further(all []link, links map[string]uint32) (names []string, ok bool) {
	has := make(map[uint32]bool)
	for _, index := range k.links {
		has[index] = true
	}
	for name, index := range links {
		if !has[index] {
			names = append(names, name)
		}
		delete(has, index)
	}
	slices.Sort(names)
	return names, !slices.ContainsFunc(all, func(l link) bool { return has[l.index] })
}

// has reports whether a table of the schema has a field.
func (k *Keeper) has(table, field string) bool {
	t, err := k.o.Schema.Table(table)
	if err != nil {
		return false
	}
	_, err = t.Field(field)
	return err == nil
}

// retry is the time after which what failed is tried once more.
const retry = 5 * time.Second

// Run follows devices and rules until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	devices, lost := make(chan struct{}, 1), make(chan struct{}, 1)
	tell := func(to chan struct{}) func() {
		return func() {
			select {
			case to <- struct{}{}:
			default: // told already
			}
		}
	}
	tasks.Go(func() error { return watchLinks(ctx, k.o.NetNS, tell(devices)) })
	tasks.Go(func() error { return watchRoutes(ctx, k.o.NetNS, func() { k.changed.tell([]string{ofRoutes}) }) })
	tasks.Go(func() error { return k.table.Watch(ctx, tell(lost)) })
	tasks.Go(func() error { return k.table.WatchOthers(ctx, k.o.Others, k.changed.tell) })
	tasks.Go(func() error { return k.follow(ctx, devices, lost) })
	return tasks.Wait()
}

func (k *Keeper) follow(ctx context.Context, devices, lost <-chan struct{}) error {
	f := newFollower(k)
	k.mu.Lock()
	f.follows = k.c.Enable && k.c.Follow
	k.mu.Unlock()
	f.read()
	for {
		var what func() error
		select {
		case <-ctx.Done():
			return nil
		case <-devices:
			what = func() error { return k.refresh(false) }
		case <-lost:
			what = func() error {
				k.status.Reinstalled++
				return k.refresh(true)
			}
		case <-k.changed.wake:
			f.changed(k.changed.take(), time.Now())
			continue
		case <-time.After(f.pause(time.Now())):
			what = func() error {
				switch {
				case f.due(time.Now()):
					k.status.Renewed++
					return k.refresh(true)
				case k.status.Error != "":
					return k.refresh(false)
				}
				return nil
			}
		}
		k.mu.Lock()
		if f.follows = k.c.Enable && k.c.Follow; k.c.Enable {
			_ = what() // it is in the log, and in Status
		}
		k.mu.Unlock()
		f.read()
	}
}

// Moved has all connections asked about again soon: bridges reach devices by other ports.
func (k *Keeper) Moved() { k.changed.tell([]string{ofBridges}) }

// Written has all connections asked about again soon: a table that rules may read says
// something else. Each has a pace of its own.
func (k *Keeper) Written(table string) { k.changed.tell([]string{"table " + table}) }

// CheckPattern refuses what names no device.
func CheckPattern(text string) error {
	if _, err := path.Match(text, ""); err != nil || text == "" || len(text) > 64 {
		return fmt.Errorf("device %s: %w: want a name or a pattern such as \"lan*\"", dict.Quote(text), dict.ErrInvalid)
	}
	return nil
}
