// SPDX-License-Identifier: MIT

package identity

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"nftdict/dictd/identity/neighbour"
)

// host is an address and the device that has it.
type host struct {
	addr    netip.Addr
	device  *device
	link    string // interface
	seen    time.Time
	before  bool   // an earlier run says so, and the kernel did not yet
	earlier string // name that an earlier run wrote
	reverse string // name that DNS has for the address, where it is a private one
	asking  bool   // DNS is asked for it
	agent   string // user agent
	agentAt time.Time
}

// idle is how long a host has been quiet that makes room for others.
const idle = 10 * time.Minute

// Neighbours takes into account what the kernel says of its neighbours.
func (d *Directory) Neighbours(u *neighbour.Update) {
	now := d.cfg.Clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if u.Inside != nil {
		d.rename(u)
		d.setInside(u.Inside)
	}
	for i := range u.Neighbours {
		n := &u.Neighbours[i]
		d.place(n.Addr, n.MAC, n.Interface, now.Add(-n.Quiet), now)
	}
	d.touch()
}

// rename has the hosts of an interface stay whose name is another now.
func (d *Directory) rename(u *neighbour.Update) {
	names := make(map[string]string)
	for index, name := range u.Links {
		if was, known := d.links[index]; known && was != name && !slices.Contains(u.Inside, was) {
			names[was] = name
		}
	}
	d.links = maps.Clone(u.Links)
	if len(names) == 0 {
		return
	}
	for _, h := range d.hosts {
		if name, renamed := names[h.link]; renamed {
			h.link = name
			d.markDevice(h.device)
		}
	}
}

// setInside forgets the hosts of interfaces that are not inside.
func (d *Directory) setInside(names []string) {
	for _, h := range d.hosts {
		if !slices.Contains(names, h.link) {
			d.forget(h)
		}
	}
}

// place notes that a device had an address at a time.
func (d *Directory) place(addr netip.Addr, mac [6]byte, link string, seen, now time.Time) {
	h := d.hosts[addr]
	switch {
	case h == nil:
		if now.Sub(seen) >= d.cfg.Age { // the kernel remembers longer than we do
			return
		}
		if len(d.hosts) >= d.cfg.Hosts && !d.makeRoom(now, d.hasUser(mac)) {
			d.refused.Add(1)
			return
		}
		h = &host{addr: addr, link: link, seen: seen}
		d.hosts[addr] = h
		d.join(h, mac)
	case h.device.mac != mac:
		if seen.Before(h.seen) && !h.before { // another claim, of an earlier time
			return
		}
		// Every link has such addresses of its own: two devices may have the same.
		if addr.IsLinkLocalUnicast() && h.link != link && !h.before && now.Sub(h.seen) < idle {
			d.disputed.Add(1)
			return
		}
		d.moves.Add(1)
		d.leave(h)
		h.link, h.seen, h.before, h.earlier, h.reverse, h.agent = link, seen, false, "", "", ""
		d.join(h, mac)
	default:
		known := !h.before
		if h.before = false; seen.Before(h.seen) && known { // it was on this link earlier
			return
		}
		if seen.After(h.seen) {
			h.seen = seen
		}
		if h.link == link {
			return
		}
		h.link = link
		d.markDevice(h.device)
	}
}

// join gives a host to a device. One that has too many loses another.
func (d *Directory) join(h *host, mac [6]byte) {
	v := d.device(mac)
	if len(v.hosts) >= d.cfg.Addresses {
		oldest := slices.MinFunc(v.hosts, func(a, b *host) int { return a.seen.Compare(b.seen) })
		d.evicted.Add(1)
		d.forget(oldest)
		v = d.device(mac) // that may have been the last
	}
	h.device = v
	i, _ := slices.BinarySearchFunc(v.hosts, h.addr, func(o *host, a netip.Addr) int { return o.addr.Compare(a) })
	v.hosts = slices.Insert(v.hosts, i, h)
	d.takeLease(h)
	d.askName(h)
	d.markDevice(v)
}

// leave takes a host from its device.
func (d *Directory) leave(h *host) {
	v := h.device
	v.hosts = slices.DeleteFunc(v.hosts, func(o *host) bool { return o == h })
	h.device = nil
	d.markDevice(v)
	if len(v.hosts) == 0 && d.userOf(v) == "" {
		delete(d.devices, v.mac)
	}
}

// forget ends a host.
func (d *Directory) forget(h *host) {
	d.leave(h)
	delete(d.hosts, h.addr)
	d.changed.hosts[h.addr] = struct{}{}
}

// makeRoom forgets some of the hosts that were quiet longest and have no user.
// For a device that has a user they need not have been quiet: nobody gets rid of
// his name by filling the place with addresses. It looks for them once a second,
// for users as long as it finds some.
func (d *Directory) makeRoom(now time.Time, user bool) bool {
	last, least := &d.room, idle
	if user {
		last, least = &d.userRoom, 0
	}
	if now.Sub(*last) < time.Second {
		return false
	}
	var quiet []*host
	for _, h := range d.hosts {
		if now.Sub(h.seen) >= least && d.userOf(h.device) == "" {
			quiet = append(quiet, h)
		}
	}
	slices.SortFunc(quiet, func(a, b *host) int { return cmp.Or(a.seen.Compare(b.seen), a.addr.Compare(b.addr)) })
	if !user || len(quiet) == 0 {
		*last = now
	}
	for _, h := range quiet[:min(len(quiet), 1+d.cfg.Hosts/16)] {
		d.evicted.Add(1)
		d.forget(h)
	}
	return len(quiet) > 0
}

// Tend forgets what is old, and has all rows written again.
func (d *Directory) Tend() {
	now := d.cfg.Clock()
	d.endLogins()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.hosts {
		if now.Sub(h.seen) >= d.cfg.Age {
			d.aged.Add(1)
			d.forget(h)
		}
	}
	for _, h := range d.hosts {
		d.askName(h)
	}
	d.tendSaid(now)
	d.beginRota()
	d.touch()
}
