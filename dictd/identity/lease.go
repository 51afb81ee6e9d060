// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"

	"nftdict/dictd/identity/lease"
)

// leases are the names that DHCP servers gave out.
type leases struct {
	byMAC  map[[6]byte]string
	byAddr map[netip.Addr]leased
}

// leased is the name of an address, and whose that is. A lease that does not
// tell is the device's that is seen first at the address.
type leased struct {
	name string
	mac  [6]byte
}

// SetLeases replaces the leases that are known. Names that are none are left
// out.
func (d *Directory) SetLeases(all []lease.Lease) {
	now := leases{make(map[[6]byte]string), make(map[netip.Addr]leased)}
	for _, l := range all {
		name := Hostname(l.Hostname)
		if name == "" {
			continue
		}
		now.byAddr[l.Addr] = leased{name, l.MAC}
		if l.MAC != ([6]byte{}) {
			now.byMAC[l.MAC] = name
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.names
	d.names = now
	for addr, l := range now.byAddr {
		if before := was.byAddr[addr]; l.mac == ([6]byte{}) && before.name == l.name {
			now.byAddr[addr] = before
		}
	}
	for mac, v := range d.devices {
		same := was.byMAC[mac] == now.byMAC[mac]
		for _, h := range v.hosts {
			d.takeLease(h)
			same = same && was.byAddr[h.addr] == now.byAddr[h.addr]
		}
		if !same {
			d.markDevice(v)
		}
	}
	d.touch()
}

// takeLease gives the lease of an address to the device that has it, if it is
// nobody's.
func (d *Directory) takeLease(h *host) {
	if l, there := d.names.byAddr[h.addr]; there && l.mac == ([6]byte{}) {
		d.names.byAddr[h.addr] = leased{l.name, h.device.mac}
	}
}

// leasedTo returns the name that was leased with an address to a device.
func (d *Directory) leasedTo(addr netip.Addr, mac [6]byte) string {
	if l := d.names.byAddr[addr]; l.mac == mac {
		return l.name
	}
	return ""
}
