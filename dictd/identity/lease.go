// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"

	"nftdict/dictd/identity/lease"
)

// leases are the names that DHCP servers gave out.
type leases struct {
	byMAC  map[[6]byte]string
	byAddr map[netip.Addr]string
}

// SetLeases replaces the leases that are known. Names that are none are left
// out.
func (d *Directory) SetLeases(all []lease.Lease) {
	now := leases{make(map[[6]byte]string), make(map[netip.Addr]string)}
	for _, l := range all {
		name := Hostname(l.Hostname)
		if name == "" {
			continue
		}
		now.byAddr[l.Addr] = name
		if l.MAC != ([6]byte{}) {
			now.byMAC[l.MAC] = name
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.names
	d.names = now
	for mac, v := range d.devices {
		same := was.byMAC[mac] == now.byMAC[mac]
		for _, h := range v.hosts {
			same = same && was.byAddr[h.addr] == now.byAddr[h.addr]
		}
		if !same {
			d.markDevice(v)
		}
	}
	d.touch()
}
