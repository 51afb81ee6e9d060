// SPDX-License-Identifier: MIT

package dictd

import (
	"maps"
	"net/netip"
	"slices"

	"nftdict/dict"
	"nftdict/dictd/offload"
)

// Rows of hosts may say of whom they are because others have written it, and rules read
// them all the same.

// strangers returns the users among whom of whom the directory knows no device.
func (d *Daemon) strangers(whom []offload.Whom) (names []string) {
	for _, w := range whom {
		if w.Kind != offload.OfUser {
			continue
		}
		if u, err := d.who.User(w.Name); err != nil || len(u.Devices) == 0 {
			names = append(names, w.Name)
		}
	}
	return names
}

// name notes the users that are named, by themselves or with their groups, but for those
// whose hosts have been looked for: in rows, of which there may be many, that takes long.
func (r *recall) name(members func(group string) []string, whom []offload.Whom, but []string) {
	r.asking.Lock()
	defer r.asking.Unlock()
	for _, w := range whom {
		switch w.Kind {
		case offload.OfUser:
			if !slices.Contains(but, w.Name) {
				r.named[w.Name] = struct{}{}
			}
		case offload.OfGroup:
			for _, name := range members(w.Name) {
				r.named[name] = struct{}{}
			}
		}
	}
	if len(r.named) > maxAsked {
		r.askAll()
	}
}

// recallNamed takes back what belongs to hosts whose rows alone say that they are those of
// users who were named.
func (d *Daemon) recallNamed() error {
	r := &d.recall
	r.asking.Lock()
	named := r.named
	r.named = make(map[string]struct{})
	r.asking.Unlock()
	hosts, err := d.hostsIn(slices.Collect(maps.Keys(named)))
	if err == nil && len(hosts) > 0 {
		_, err = d.recallSoon(hosts)
	}
	if err != nil {
		r.asking.Lock()
		defer r.asking.Unlock()
		maps.Copy(r.named, named)
	}
	return err
}

// hostsIn returns the hosts whose rows say that they are those of users, and of whom the
// directory does not know it.
func (d *Daemon) hostsIn(users []string) (hosts []offload.Whom, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	for row, err := range d.o.Store.Rows(dict.Hosts) {
		if err != nil {
			return hosts, err
		}
		name, _ := row.Get("username")
		if !slices.Contains(users, name.Str()) {
			continue
		}
		addr, _ := netip.ParseAddr(row.Key.String())
		if _, user, _ := d.who.Party(addr); user != name.Str() {
			hosts = append(hosts, offload.Whom{Kind: offload.OfHost, Name: row.Key.String()})
		}
	}
	return hosts, nil
}
