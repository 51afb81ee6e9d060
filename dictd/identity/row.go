// SPDX-License-Identifier: MIT

package identity

import (
	"fmt"
	"net/netip"

	"nftdict/dict"
	"nftdict/dictd/session"
)

// Fields that are written. The first ones of hosts and devices tell a row of an
// earlier run from one that somebody else has made.
var (
	hostFields   = []string{"mac_address", "interface", "mac_address_vendor", "hostname", "host_profile", "http_user_agent", "username"}
	deviceFields = []string{"interface", "mac_address_vendor", "hostname", "device_profile", "username"}
	userFields   = []string{"usergroups"}
)

// cells are a row in the making.
type cells []dict.Cell

// text adds a string unless it is empty or no value.
func (c *cells) text(field, s string) {
	if s == "" {
		return
	}
	if v, err := dict.StringValue(s); err == nil {
		*c = append(*c, dict.Cell{Field: field, Value: v})
	}
}

// hostCells returns the row of a host.
func (d *Directory) hostCells(h *host) cells {
	c := cells{{Field: "mac_address", Value: dict.EtherValue(h.device.mac)}}
	c.text("interface", h.link)
	c.text("mac_address_vendor", d.vendor(h.device.mac))
	c.text("hostname", d.hostName(h))
	c.text("host_profile", d.profile(h.device, h))
	c.text("http_user_agent", h.agent)
	c.text("username", d.userOf(h.device))
	d.in(&c, h.device.mac)
	return c
}

// deviceCells returns the row of a device.
func (d *Directory) deviceCells(v *device) cells {
	var c cells
	c.text("interface", v.link())
	c.text("mac_address_vendor", d.vendor(v.mac))
	c.text("hostname", d.deviceName(v))
	c.text("device_profile", d.profile(v, v.hosts...))
	c.text("username", d.userOf(v))
	d.in(&c, v.mac)
	return c
}

// client returns who opens connections from a host, nil if nothing is known.
func (d *Directory) client(h *host) *session.Client {
	return d.clientOf(session.Client{Hostname: d.hostName(h), Username: d.userOf(h.device)})
}

// clientOf adds the groups of a client's user.
func (d *Directory) clientOf(c session.Client) *session.Client {
	if c.Username != "" {
		c.Groups, _ = d.cfg.State.groupsOf(c.Username)
	}
	if c == (session.Client{}) {
		return nil
	}
	return &c
}

// Flush writes what has changed so far, and some of what is to be written again.
func (d *Directory) Flush() {
	d.writing.Lock()
	defer d.writing.Unlock()
	clients := make(map[netip.Addr]*session.Client)
	d.mu.Lock()
	if d.takeTurn() {
		for _, b := range d.books {
			b.doubt.Store(true)
		}
	}
	changed := d.changed
	d.changed = newChanges()
	hosts, devices, users := d.books[0], d.books[1], d.books[2]
	for addr := range changed.hosts {
		d.news.host(d, addr)
		if h := d.hosts[addr]; h != nil {
			hosts.want(dict.AddrKey(addr), d.hostCells(h))
			clients[addr] = d.client(h)
		} else if name := d.cfg.State.userAt(addr); name != "" {
			var c cells
			c.text("username", name)
			hosts.want(dict.AddrKey(addr), c)
			clients[addr] = d.clientOf(session.Client{Username: name})
		} else {
			hosts.drop(dict.AddrKey(addr))
			clients[addr] = nil
		}
	}
	for mac := range changed.devices {
		d.news.device(d, mac)
		if v := d.devices[mac]; v != nil {
			devices.want(dict.EtherKey(mac), d.deviceCells(v))
		} else {
			devices.drop(dict.EtherKey(mac))
		}
	}
	for name := range changed.users {
		d.news.user(d, name)
		key, err := dict.StringKey(name)
		if err != nil {
			continue // State lets none in
		}
		if groups, ok := d.cfg.State.groupsOf(name); ok {
			var c cells
			c.text("usergroups", groups)
			users.want(key, c)
		} else {
			users.drop(key)
		}
	}
	d.mu.Unlock()
	for _, b := range d.books {
		b.write()
	}
	changes := make(map[netip.Addr]*session.Client)
	for addr, c := range clients {
		was := d.told[addr]
		if was == nil && c == nil || was != nil && c != nil && *was == *c {
			continue
		}
		if d.told[addr] = c; c == nil {
			delete(d.told, addr)
		}
		changes[addr] = c
	}
	if len(changes) > 0 && d.cfg.Identify != nil {
		d.cfg.Identify(changes)
	}
	d.news.publish()
	d.settle(changed)
}

// settle notes that rows say no more what is gone, unless they could not be
// written.
func (d *Directory) settle(c changes) {
	var users []string
	var devices [][6]byte
	var addrs []netip.Addr
	for name := range c.users {
		if key, err := dict.StringKey(name); err == nil && !d.books[2].waits(key) {
			users = append(users, name)
		}
	}
	for mac := range c.devices {
		if !d.books[1].waits(dict.EtherKey(mac)) {
			devices = append(devices, mac)
		}
	}
	for a := range c.hosts {
		if !d.books[0].waits(dict.AddrKey(a)) {
			addrs = append(addrs, a)
		}
	}
	out := devices
	if len(d.books[0].wants) > 0 {
		out = nil
	}
	d.cfg.State.rowsSay(users, devices, out, addrs)
}

// adopt takes over the rows of an earlier run.
func (d *Directory) adopt() error {
	now := d.cfg.Clock()
	rows, err := d.books[0].adopt("mac_address", "interface")
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		mac, _ := r.Get("mac_address")
		link, _ := r.Get("interface")
		addr := r.Key.Addr()
		d.place(addr, mac.Ether(), link.Str(), now, now)
		h := d.hosts[addr]
		if h == nil { // no place
			d.changed.hosts[addr] = struct{}{}
			continue
		}
		name, _ := r.Get("hostname")
		agent, _ := r.Get("http_user_agent")
		h.before, h.earlier, h.agent = true, Hostname(name.Str()), agent.Str()
	}
	if rows, err = d.books[1].adopt("interface"); err != nil {
		return err
	}
	for _, r := range rows { // those without an address are dropped
		d.changed.devices[r.Key.Ether()] = struct{}{}
	}
	// Rows of users without state are other people's, and never wanted.
	if _, err = d.books[2].adopt("usergroups"); err != nil || d.cfg.State.Broken() == nil {
		return err
	}
	return d.recall()
}

// recall has the state know what rows of an earlier run say, which its file does
// not tell.
func (d *Directory) recall() error {
	for r, err := range d.cfg.Store.Rows(dict.Devices) {
		if err != nil {
			return fmt.Errorf("rows of an earlier run: %w", err)
		}
		if name, ok := r.Get("username"); ok {
			d.cfg.State.recall(r.Key.Ether(), name.Str())
		}
	}
	for r, err := range d.cfg.Store.Rows(dict.Users) {
		if err != nil {
			return fmt.Errorf("rows of an earlier run: %w", err)
		}
		if groups, ok := r.Get("usergroups"); ok {
			d.cfg.State.recallGroups(r.Key.Str(), groups.Str())
		}
	}
	return nil
}
