// SPDX-License-Identifier: MIT

package identity

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
)

// Host is an address and what is known of it.
type Host struct {
	Address   netip.Addr `json:"address"`
	MAC       string     `json:"mac_address"`
	Vendor    string     `json:"mac_address_vendor"`
	Interface string     `json:"interface"`
	Hostname  string     `json:"hostname"`
	Profile   string     `json:"host_profile"`
	UserAgent string     `json:"http_user_agent"`
	Username  string     `json:"username"`
	Seen      time.Time  `json:"seen"`
}

// Device is a MAC and what is known of it.
type Device struct {
	MAC       string       `json:"mac_address"`
	Vendor    string       `json:"mac_address_vendor"`
	Interface string       `json:"interface"`
	Hostname  string       `json:"hostname"`
	Profile   string       `json:"device_profile"`
	Username  string       `json:"username"`
	Addresses []netip.Addr `json:"addresses"`
	Seen      *time.Time   `json:"seen,omitempty"` // nil if it is not there
}

// User is somebody with devices.
type User struct {
	Name    string   `json:"username"`
	Groups  []string `json:"usergroups"`
	Devices []string `json:"devices"`
}

// Hosts returns all hosts by address.
func (d *Directory) Hosts() []Host {
	return slices.Collect(d.EachHost(func(netip.Addr) bool { return true }))
}

// EachHost returns the hosts of the addresses that are wanted, in their order. Each
// is told as it is then: who takes long over a list holds nothing up.
func (d *Directory) EachHost(wants func(netip.Addr) bool) iter.Seq[Host] {
	return inTurn(d, func() []netip.Addr { return slices.Collect(maps.Keys(d.hosts)) }, wants, netip.Addr.Compare, func(a netip.Addr) (one Host, there bool) {
		h := d.hosts[a]
		if h == nil {
			return Host{}, false
		}
		return d.tellHost(h), true
	})
}

// inTurn tells of what has keys, a few at a time; d.mu is held while keys and tell run.
func inTurn[K, T any](d *Directory, keys func() []K, wants func(K) bool, compare func(a, b K) int, tell func(K) (T, bool)) iter.Seq[T] {
	return func(yield func(T) bool) {
		d.mu.Lock()
		all := keys()
		d.mu.Unlock()
		all = slices.DeleteFunc(all, func(k K) bool { return !wants(k) })
		slices.SortFunc(all, compare)
		told := make([]T, 0, turn)
		for some := range slices.Chunk(all, turn) {
			told = told[:0]
			d.mu.Lock()
			for _, k := range some {
				if one, there := tell(k); there {
					told = append(told, one)
				}
			}
			d.mu.Unlock()
			for _, one := range told {
				if !yield(one) {
					return
				}
			}
		}
	}
}

// Host returns the host of an address. dict.ErrNotExist.
func (d *Directory) Host(addr netip.Addr) (Host, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.hosts[addr]; h != nil {
		return d.tellHost(h), nil
	}
	return Host{}, fmt.Errorf("host %s: %w", addr, dict.ErrNotExist)
}

// tellHost returns what is known of a host; d.mu is held.
func (d *Directory) tellHost(h *host) Host {
	mac := h.device.mac
	return Host{
		h.addr, dict.EtherValue(mac).String(), d.vendor(mac), h.link, d.hostName(h), d.profile(h.device, h), h.agent, d.userOf(h.device), h.seen.UTC(),
	}
}

// Devices returns all devices by MAC.
func (d *Directory) Devices() []Device {
	return slices.Collect(d.EachDevice(func([6]byte) bool { return true }))
}

// EachDevice is EachHost for devices.
func (d *Directory) EachDevice(wants func(mac [6]byte) bool) iter.Seq[Device] {
	byMAC := func(a, b [6]byte) int { return bytes.Compare(a[:], b[:]) }
	return inTurn(d, func() [][6]byte { return slices.Collect(maps.Keys(d.devices)) }, wants, byMAC, func(mac [6]byte) (one Device, there bool) {
		v := d.devices[mac]
		if v == nil {
			return Device{}, false
		}
		return d.tellDevice(v), true
	})
}

// Device returns the device of a MAC. dict.ErrNotExist.
func (d *Directory) Device(mac [6]byte) (Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.devices[mac]; v != nil {
		return d.tellDevice(v), nil
	}
	return Device{}, fmt.Errorf("device %s: %w", dict.EtherValue(mac), dict.ErrNotExist)
}

// tellDevice returns what is known of a device; d.mu is held.
func (d *Directory) tellDevice(v *device) Device {
	one := Device{
		MAC: dict.EtherValue(v.mac).String(), Vendor: d.vendor(v.mac), Interface: v.link(),
		Hostname: d.deviceName(v), Profile: d.profile(v, v.hosts...), Username: d.userOf(v), Addresses: v.addresses(),
	}
	if h := v.latest(); h != nil {
		seen := h.seen.UTC()
		one.Seen = &seen
	}
	return one
}

// User returns a user. dict.ErrNotExist.
func (d *Directory) User(name string) (User, error) {
	groups, ok := d.cfg.State.groupsOf(name)
	if !ok {
		return User{}, fmt.Errorf("user %s: %w", dict.Quote(name), dict.ErrNotExist)
	}
	u := User{Name: name, Groups: []string{}, Devices: []string{}}
	if groups != "" {
		u.Groups = strings.Split(groups, ",")
	}
	for _, mac := range d.cfg.State.devicesOf(name) {
		u.Devices = append(u.Devices, dict.EtherValue(mac).String())
	}
	return u, nil
}

// Users returns all users by name.
func (d *Directory) Users() []User {
	all := []User{}
	devices := make(map[string][]string)
	d.cfg.State.each(func(mac [6]byte, name string) {
		devices[name] = append(devices[name], dict.EtherValue(mac).String())
	}, func(name string) {
		u := User{Name: name, Groups: []string{}, Devices: []string{}}
		if groups, _ := d.cfg.State.groupsOf(name); groups != "" {
			u.Groups = strings.Split(groups, ",")
		}
		u.Devices = append(u.Devices, devices[name]...)
		slices.Sort(u.Devices)
		all = append(all, u)
	})
	slices.SortFunc(all, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return all
}
