// SPDX-License-Identifier: MIT

package identity

import "net/netip"

// Party returns the device that has an address, and its user, "" if it has none;
// false if the address is not known.
func (d *Directory) Party(addr netip.Addr) (mac [6]byte, user string, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[addr]
	if h == nil {
		return mac, "", false
	}
	return h.device.mac, d.cfg.State.userOf(h.device.mac), true
}
