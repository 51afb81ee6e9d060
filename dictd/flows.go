// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/api"
	"nftdict/dictd/conntrack"
)

// Flows implements api.Source.
func (d *Daemon) Flows(f func(*api.Flow) bool) error {
	now, on := uint64(time.Now().UnixNano()), true
	return (*kernel)(d).Dump(func(flow *conntrack.Flow) {
		if on {
			a := d.describe(flow, now)
			on = f(&a)
		}
	})
}

// flowState tells which way a connection's packets take.
func flowState(f *conntrack.Flow) string {
	switch {
	case f.InHardware():
		return api.FlowHardware
	case f.Offloaded():
		return api.FlowSoftware
	}
	return api.FlowSlow
}

// describe puts together what is known of a connection.
func (d *Daemon) describe(f *conntrack.Flow, now uint64) api.Flow {
	a := api.Flow{
		Connection: api.NewConnection(f.ID, f.Zone, f.Orig), State: flowState(f),
		Out: api.Traffic{Bytes: f.Counters[0].Bytes, Packets: f.Counters[0].Packets},
		In:  api.Traffic{Bytes: f.Counters[1].Bytes, Packets: f.Counters[1].Packets},
	}
	if f.Start > 0 && f.Start < now {
		a.Age = float64(now-f.Start) / float64(time.Second)
	}
	known := false
	for _, s := range d.table.Find(f.ID) {
		if s.Orig() != f.Orig || !s.Lock() {
			continue
		}
		t := api.Describe(s)
		s.Unlock()
		a.Application, a.Category, a.Final, a.Hostname, a.Username = t.Application, t.Category, t.Final, t.Hostname, t.Username
		if known = t.Application != ""; t.Inferred { // no packet has named it
			a.Application, a.Category = strings.ToUpper(t.Protocol), ""
		}
	}
	if !known {
		d.remembered(&a)
	}
	return a
}

// remembered fills in what an earlier daemon has written of a connection.
func (d *Daemon) remembered(a *api.Flow) {
	row, err := d.o.Store.Get(dict.Sessions, dict.CtID(a.CtID))
	if errors.Is(err, dict.ErrNotExist) || err != nil {
		return
	}
	text := func(field, otherwise string) string {
		if v, ok := row.Get(field); ok {
			return v.String()
		}
		return otherwise
	}
	a.Application, a.Category = text("application", a.Application), text("application_category", a.Category)
	a.Hostname, a.Username = text("client_hostname", a.Hostname), text("username", a.Username)
	a.Final = text("final", "false") == "true"
}
