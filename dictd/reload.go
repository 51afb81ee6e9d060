// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/event"
)

// takenOver returns a configuration with all of another that a reload takes over.
func takenOver(old, c *config.Config) config.Config {
	same := *old
	same.Fail, same.LogLevel, same.Domains, same.Countries, same.Vendors = c.Fail, c.LogLevel, c.Domains, c.Countries, c.Vendors
	same.API, same.Quota, same.Plans, same.Offload = c.API, c.Quota, c.Plans, c.Offload
	same.Portal = c.Portal.Reloaded(&old.Portal)
	same.Sessions.Packets, same.Sessions.Bytes, same.Sessions.Certificates = c.Sessions.Packets, c.Sessions.Bytes, c.Sessions.Certificates
	return same
}

// Reload takes over a new configuration while packets go on being inspected: what
// takenOver tells, and files that it names, which are read again. If another key
// has changed, or the new values do not work, nothing changes.
func (d *Daemon) Reload(c config.Config) error {
	old := d.config.Load()
	if !reflect.DeepEqual(takenOver(old, &c), c) {
		return fmt.Errorf("reload: backend, socket, state, queues, rules, sessions.limit, identity, reverse, radius, operator, ledger, and of the portal what its page says, cannot change while dictd runs: start it again")
	}
	garden, err := d.openGarden(&c)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	classify, err := newClassifier(&c, &d.memories, garden)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	registers, err := openRegisters(&c, d.o.Log)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	rights, err := api.NewRights(c.API.Read, c.API.Write)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	undo, err := d.reloadPortal(old, &c)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	policy, err := d.reloadQuota(old, &c)
	if err != nil {
		undo()
		return fmt.Errorf("reload: %w", err)
	}
	policy, d.quota.policy = d.quota.policy, policy
	d.config.Store(&c)
	if err := d.keeper.update(d.rulesConfig()); err != nil {
		d.config.Store(old)
		d.quota.policy = policy
		undo()
		if _, failed := d.reloadQuota(&c, old); failed != nil {
			err = errors.Join(err, failed)
		}
		return fmt.Errorf("reload: %w", err)
	}
	d.setOffload(&c)
	if err := d.api.SetRights(rights); err != nil {
		d.o.Log.Error("cannot change who may open the control socket", "err", err)
	}
	for _, r := range d.running() {
		if err := r.SetFailOpen(!c.Closed()); err != nil {
			d.o.Log.Error("cannot change what happens to packets that find the queue full", "queue", r.Num(), "err", err)
		}
	}
	d.pipeline.classifier.Store(classify)
	d.pipeline.garden.Store(garden)
	d.pipeline.registers.Store(registers)
	d.who.VendorsChanged()
	d.setLevel(&c)
	d.happened.Publish(event.Event{Kind: event.ConfigReloaded})
	return nil
}

// setLevel sets the log level; the configuration was checked.
func (d *Daemon) setLevel(c *config.Config) {
	if d.o.Level == nil {
		return
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err == nil {
		d.o.Level.Set(level)
	}
}
