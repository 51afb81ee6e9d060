// SPDX-License-Identifier: MIT

package identity

import "net/netip"

// device is what has one MAC.
type device struct {
	mac   [6]byte
	hosts []*host // by address
}

// device returns the device of a MAC, which it makes if need be.
func (d *Directory) device(mac [6]byte) *device {
	v := d.devices[mac]
	if v == nil {
		v = &device{mac: mac}
		d.devices[mac] = v
	}
	return v
}

// latest returns the host of a device that was seen last, nil if it has none.
func (v *device) latest() (last *host) {
	for _, h := range v.hosts {
		if last == nil || h.seen.After(last.seen) {
			last = h
		}
	}
	return last
}

// link returns the interface of a device, "" if it is not there.
func (v *device) link() string {
	if h := v.latest(); h != nil {
		return h.link
	}
	return ""
}

// addresses returns a device's addresses in their order.
func (v *device) addresses() []netip.Addr {
	all := make([]netip.Addr, len(v.hosts))
	for i, h := range v.hosts {
		all[i] = h.addr
	}
	return all
}

// markDevice has the rows of a device and of its addresses written.
func (d *Directory) markDevice(v *device) {
	d.changed.devices[v.mac] = struct{}{}
	for _, h := range v.hosts {
		d.changed.hosts[h.addr] = struct{}{}
	}
}

// markAll has all rows written.
func (d *Directory) markAll() {
	for _, v := range d.devices {
		d.markDevice(v)
	}
	d.cfg.State.each(func([6]byte, string) {}, func(name string) { d.changed.users[name] = struct{}{} })
	d.cfg.State.eachAddress(func(a netip.Addr) { d.changed.hosts[a] = struct{}{} })
}

// vendor returns who made a device.
func (d *Directory) vendor(mac [6]byte) string {
	if d.cfg.Vendor == nil {
		return ""
	}
	return d.cfg.Vendor(mac)
}

// VendorsChanged has what was looked up by Config.Vendor looked up again.
func (d *Directory) VendorsChanged() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.markAll()
	d.touch()
}
