// SPDX-License-Identifier: MIT

package quota

import (
	"net/netip"

	"nftdict/dict"
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

// settle has the budgets owe what is booked: the next step of each takes it, by its
// row. What a spent budget leaves free is not charged here, either.
func (m *Manager) settle() {
	m.booking.Lock()
	booked := m.booked
	m.booked = make(map[booking]octets)
	m.booking.Unlock()
	if len(booked) == 0 {
		return
	}
	for k, o := range booked {
		mac, user, _ := m.cfg.Directory.Party(k.addr)
		for _, s := range []plan.Subject{
			{Kind: plan.User, Name: user}, {Kind: plan.Device, Name: dict.EtherValue(mac).String()},
			{Kind: plan.Host, Name: k.addr.String()}, {Kind: plan.Group, Name: m.groups[user]},
		} {
			for _, p := range m.plans {
				b := m.budgets[idOf(s, p)]
				if b == nil || b.plan != p || !p.Counts(k.application, k.category) {
					continue
				}
				if b.Plan != "" && b.Remaining <= 0 && p.Except.Has(k.application, k.category) {
					continue
				}
				b.owe(o)
			}
		}
	}
}

// owe notes bytes that rules did not see.
func (b *budget) owe(o octets) {
	var n uint64
	if b.plan.Direction != plan.Out {
		n += o.in
	}
	if b.plan.Direction != plan.In {
		n += o.out
	}
	b.owed = int64(min(uint64(b.owed)+min(n, most), most))
}

// pay takes what a budget owes, as rules would, and returns how many bytes it was.
// there says that its row has the field that they change.
func (m *Manager) pay(b *budget, there bool) (n int64) {
	if n, b.owed = b.owed, 0; n == 0 {
		return 0
	}
	if there {
		b.taken += n
	}
	switch {
	case b.plan.Unit == plan.Bytes:
		b.Remaining -= n
		b.changed = true
		if there {
			m.out.add(b, -n)
		}
	case there:
		m.out.count(b, n)
	}
	return n
}
