// SPDX-License-Identifier: MIT

package identity

import "net/netip"

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
