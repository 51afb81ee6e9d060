// SPDX-License-Identifier: MIT

package quota

import (
	"net/netip"
	"time"

	"nftdict/dictd/quota/plan"
)

// booking is what bytes are booked for.
type booking struct {
	addr                  netip.Addr
	application, category string
}

// octets are bytes to an address, and from it.
type octets struct{ in, out uint64 }

// maxBooked bounds what waits to be booked; what is beyond it is booked without its
// application.
const maxBooked = 65536

// Book charges bytes that passed outside of the chains: to an inside address and
// from it, of sessions of an application and its category, "" where these are not
// known. The budgets have them at the next look.
func (m *Manager) Book(addr netip.Addr, in, out uint64, application, category string) {
	m.booking.Lock()
	defer m.booking.Unlock()
	b := booking{addr.Unmap(), application, category}
	if _, ok := m.booked[b]; !ok && len(m.booked) >= maxBooked {
		b.application, b.category = "", ""
	}
	o := m.booked[b]
	o.in += in
	o.out += out
	m.booked[b] = o
}

// behind is who is behind an address.
type behind struct {
	mac, user string
	groups    []string
}

// directory is a picture of who is behind addresses.
type directory struct {
	taken time.Time
	at    map[netip.Addr]behind
}

// pictureAge is how long a picture of the directory is good for.
const pictureAge = 2 * time.Second

func (m *Manager) picture(now time.Time) *directory {
	d := &m.directory
	if age := now.Sub(d.taken); d.at != nil && age >= 0 && age < pictureAge {
		return d
	}
	groups := make(map[string][]string)
	for _, u := range m.cfg.Directory.Users() {
		groups[u.Name] = u.Groups
	}
	d.taken, d.at = now, make(map[netip.Addr]behind)
	for _, h := range m.cfg.Directory.Hosts() {
		d.at[h.Address.Unmap()] = behind{h.MAC, h.Username, groups[h.Username]}
	}
	return d
}

// settle takes what is booked off the budgets.
func (m *Manager) settle(now time.Time) error {
	m.booking.Lock()
	booked := m.booked
	m.booked = make(map[booking]octets)
	m.booking.Unlock()
	if len(booked) == 0 {
		return nil
	}
	d := m.picture(now)
	for k, o := range booked {
		who := d.at[k.addr]
		for _, s := range []plan.Subject{
			{Kind: plan.User, Name: who.user}, {Kind: plan.Device, Name: who.mac},
			{Kind: plan.Host, Name: k.addr.String()}, {Kind: plan.Group, Name: m.groups[who.user]},
		} {
			for _, p := range m.plans {
				if b := m.budgets[idOf(s, p)]; b != nil && b.plan == p && b.Plan != "" && p.Counts(k.application, k.category) {
					m.take(b, o)
				}
			}
		}
	}
	return m.out.flush(m.cfg.Store)
}

// take has bytes taken off a budget, as rules would.
func (m *Manager) take(b *budget, o octets) {
	var n uint64
	if b.plan.Direction != plan.Out {
		n += o.in
	}
	if b.plan.Direction != plan.In {
		n += o.out
	}
	if n == 0 || n > 1<<62 {
		return
	}
	if b.plan.Unit == plan.Seconds {
		m.out.count(b, int64(n))
		return
	}
	m.out.add(b, -int64(n))
}
