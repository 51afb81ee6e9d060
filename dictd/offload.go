// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"slices"

	"nftdict/dictd/config"
	"nftdict/dictd/ledger"
	"nftdict/dictd/offload"
)

// openOffload prepares the flowtable, which openRules fills.
func (d *Daemon) openOffload(c *config.Config) (err error) {
	d.offload, err = offload.Open(offload.Options{
		Table: c.Rules.Table, Others: []string{ledger.FlowsTable(c.Rules.Table)}, NetNS: d.o.NetNS,
		Schema: d.o.Store, Compiler: d.o.Compiler, Log: d.o.Log,
	})
	return err
}

// setOffload brings the flowtable in line with a configuration. What cannot be had is
// not in the way of anything: the keeper says so, and tries again.
func (d *Daemon) setOffload(c *config.Config) {
	if c.Offload.Enable {
		<-d.watched.ask() // what is written from then on is not missed
	}
	o, err := c.Offloads()
	if err == nil {
		err = d.offload.Set(o)
	}
	if err != nil && !c.Offload.Enable {
		d.o.Log.Error("the table of offloaded connections cannot be removed", "err", err)
	}
}

// recallOthers takes back what flowtables of others carry since before rows were watched.
func (d *Daemon) recallOthers() {
	own := offload.TableName(d.config.Load().Rules.Table)
	found, err := offload.List(d.o.NetNS)
	if err != nil || slices.ContainsFunc(found, func(f offload.Found) bool { return f.Table != own }) {
		d.AskRecall(offload.Whom{Kind: offload.All})
	}
}

// newStations takes connections back whose ends have come to another port of a bridge.
func (d *Daemon) newStations() *offload.Stations {
	return offload.NewStations(offload.StationsConfig{
		Known: func(mac [6]byte) bool {
			device, err := d.who.Device(mac)
			return err == nil && len(device.Addresses) > 0
		},
		Recall: func(whom ...offload.Whom) {
			if d.carrying() {
				d.AskRecall(whom...)
			}
		},
		Renew: func() { d.offload.Moved() },
	})
}

// offloadWarnings are what a status says of the flowtable.
func (d *Daemon) offloadWarnings() []string {
	switch s := d.offload.Status(); {
	case s.Error != "":
		return []string{fmt.Sprintf("connections are not offloaded: %s", s.Error)}
	case s.Hardware:
		if err := d.recall.sweeper.Ready(); err != nil {
			return []string{err.Error()}
		}
	case s.Refused != "":
		return []string{fmt.Sprintf("devices do not carry connections, which go in software: %s", s.Refused)}
	}
	return nil
}
