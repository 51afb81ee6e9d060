// SPDX-License-Identifier: MIT

package identity

import (
	"fmt"
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
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Host, 0, len(d.hosts))
	for _, h := range d.hosts {
		all = append(all, d.tellHost(h))
	}
	slices.SortFunc(all, func(a, b Host) int { return a.Address.Compare(b.Address) })
	return all
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
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Device, 0, len(d.devices))
	for _, v := range d.devices {
		all = append(all, d.tellDevice(v))
	}
	slices.SortFunc(all, func(a, b Device) int { return strings.Compare(a.MAC, b.MAC) })
	return all
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
