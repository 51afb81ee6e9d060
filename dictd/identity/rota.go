// SPDX-License-Identifier: MIT

package identity

import (
	"maps"
	"net/netip"
	"slices"
)

// rota is whose rows are written again, a few at a time: what has changed meanwhile
// does not wait until all are.
type rota struct {
	hosts   []netip.Addr
	devices [][6]byte
	users   []string
}

// turn is how many rows of a table are written again at a time.
const turn = 512

func (r *rota) over() bool { return len(r.hosts)+len(r.devices)+len(r.users) == 0 }

// beginRota has all rows written again, once those of the last time are.
func (d *Directory) beginRota() {
	if !d.again.over() {
		return
	}
	var users []string
	d.cfg.State.each(func([6]byte, string) {}, func(name string) { users = append(users, name) })
	hosts := slices.Collect(maps.Keys(d.hosts))
	d.cfg.State.eachAddress(func(a netip.Addr) { hosts = append(hosts, a) })
	d.again = rota{hosts, slices.Collect(maps.Keys(d.devices)), users}
}

// takeTurn puts the next ones among those that have changed, and reports whether
// there were any.
func (d *Directory) takeTurn() bool {
	a := &d.again
	some := !a.over()
	a.hosts = next(a.hosts, d.changed.hosts)
	a.devices = next(a.devices, d.changed.devices)
	a.users = next(a.users, d.changed.users)
	if !a.over() {
		d.touch()
	}
	return some
}

// next moves some keys of a list into a set, and returns the rest of it.
func next[K comparable](all []K, to map[K]struct{}) []K {
	n := min(turn, len(all))
	for _, k := range all[:n] {
		to[k] = struct{}{}
	}
	return all[n:]
}
