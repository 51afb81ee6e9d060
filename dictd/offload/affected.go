// SPDX-License-Identifier: MIT

package offload

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"nftdict/dict"
)

// Party is who is at an end of a connection, as far as is known.
type Party struct {
	Address netip.Addr // as it is inside, untranslated
	MAC     [6]byte
	User    string
}

func (p *Party) known() bool { return p.MAC != [6]byte{} || p.User != "" }

// Connection is what is known of one in a flowtable.
type Connection struct {
	ID             uint32
	Client, Server Party // who opened it, who answers
	Application    string
	Category       string
}

// Affected tells which connections some names mean: these, and no others.
type Affected struct {
	all, strangers           bool
	ids                      map[uint32]struct{}
	hosts                    map[netip.Addr]struct{}
	devices                  map[[6]byte]struct{}
	users                    map[string]struct{}
	applications, categories map[string]struct{} // in lower case
}

// NewAffected prepares names. members returns the users of a group.
func NewAffected(members func(group string) []string, whom ...Whom) *Affected {
	a := &Affected{
		ids: make(map[uint32]struct{}), hosts: make(map[netip.Addr]struct{}), devices: make(map[[6]byte]struct{}),
		users: make(map[string]struct{}), applications: make(map[string]struct{}), categories: make(map[string]struct{}),
	}
	for _, w := range whom {
		switch w.Kind {
		case All:
			a.all = true
		case Strangers:
			a.strangers = true
		case OfCt:
			a.ids[w.ID()] = struct{}{}
		case OfHost:
			if addr, err := netip.ParseAddr(w.Name); err == nil {
				a.hosts[addr.Unmap()] = struct{}{}
			}
		case OfDevice:
			if k, err := dict.ParseKey(dict.KeyEther, w.Name); err == nil {
				a.devices[k.Ether()] = struct{}{}
			}
		case OfUser:
			a.users[w.Name] = struct{}{}
		case OfGroup:
			for _, name := range members(w.Name) {
				a.users[name] = struct{}{}
			}
		case OfApplication:
			a.applications[strings.ToLower(w.Name)] = struct{}{}
		case OfCategory:
			a.categories[strings.ToLower(w.Name)] = struct{}{}
		}
	}
	return a
}

// Narrow returns conntrack ids and addresses: no connection is meant but those with these ids,
// and some of those that these addresses have opened, or answer. at returns the addresses that
// devices and users have. False if there are other names.
func (a *Affected) Narrow(at func(devices map[[6]byte]struct{}, users map[string]struct{}) []netip.Addr) (ids []uint32, addrs []netip.Addr, ok bool) {
	if a.all || a.strangers || a.Labels() {
		return nil, nil, false
	}
	addrs = slices.Collect(maps.Keys(a.hosts))
	if len(a.devices)+len(a.users) > 0 {
		addrs = append(addrs, at(a.devices, a.users)...)
	}
	return slices.Collect(maps.Keys(a.ids)), addrs, true
}

// Labels reports whether the names ask what connections are about.
func (a *Affected) Labels() bool { return len(a.applications)+len(a.categories) > 0 }

// Has reports whether a connection is meant.
func (a *Affected) Has(c *Connection) bool {
	if _, ok := a.ids[c.ID]; ok || a.all || a.strangers && !c.Client.known() && !c.Server.known() {
		return true
	}
	for _, p := range [...]*Party{&c.Client, &c.Server} {
		if has(a.hosts, p.Address) || p.MAC != [6]byte{} && has(a.devices, p.MAC) || p.User != "" && has(a.users, p.User) {
			return true
		}
	}
	return c.Application != "" && has(a.applications, strings.ToLower(c.Application)) ||
		c.Category != "" && has(a.categories, strings.ToLower(c.Category))
}

func has[K comparable](m map[K]struct{}, k K) bool {
	_, ok := m[k]
	return ok
}
