// SPDX-License-Identifier: MIT

package identity

import (
	"maps"
	"net/netip"
	"slices"
)

// Party returns the device that has an address, and its user, "" if it has none;
// false if nothing is known of the address.
func (d *Directory) Party(addr netip.Addr) (mac [6]byte, user string, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[addr]
	if h == nil {
		user = d.cfg.State.userAt(addr)
		return mac, user, user != ""
	}
	return h.device.mac, d.userOf(h.device), true
}

// Addresses returns the addresses of which Party names one of some devices or users, and
// maybe others.
func (d *Directory) Addresses(devices map[[6]byte]struct{}, users map[string]struct{}) []netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	addrs, all := make(map[netip.Addr]struct{}), maps.Clone(devices)
	if all == nil {
		all = make(map[[6]byte]struct{})
	}
	for name := range users {
		for _, mac := range d.cfg.State.devicesOf(name) {
			all[mac] = struct{}{}
		}
		for _, a := range d.cfg.State.addressesOf(name) {
			addrs[a] = struct{}{}
			if h := d.hosts[a]; h != nil { // who is at one address of a device is at all of them
				all[h.device.mac] = struct{}{}
			}
		}
	}
	for mac := range all {
		if v := d.devices[mac]; v != nil {
			for _, h := range v.hosts {
				addrs[h.addr] = struct{}{}
			}
		}
	}
	return slices.Collect(maps.Keys(addrs))
}
