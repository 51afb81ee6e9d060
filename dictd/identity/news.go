// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"
	"reflect"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
)

// Bound is the Data of event.UserBound and event.UserUnbound: the device.
type Bound struct {
	MAC string `json:"mac_address"`
}

// news notes what has become of hosts, devices and users since it was told last,
// to be published once rows say so. Directory.mu is held but for publish, which
// whoever writes the rows calls.
type news struct {
	log     *event.Log // nil: nobody wants to know
	hosts   map[netip.Addr]Host
	devices map[[6]byte]Device
	users   map[string]string // groups
	waiting []event.Event
}

// newNews takes what is known now for what was told.
func (d *Directory) newNews(log *event.Log) *news {
	n := &news{log: log, hosts: make(map[netip.Addr]Host), devices: make(map[[6]byte]Device), users: make(map[string]string)}
	if log == nil {
		return n
	}
	for _, h := range d.hosts {
		n.host(d, h.addr)
	}
	for mac := range d.devices {
		n.device(d, mac)
	}
	d.cfg.State.each(func([6]byte, string) {}, func(name string) { n.user(d, name) })
	n.waiting = nil
	return n
}

func (n *news) add(k event.Kind, subject string, data any) {
	n.waiting = append(n.waiting, event.Event{Kind: k, Subject: subject, Data: data})
}

// publish publishes what was noted.
func (n *news) publish() {
	for _, e := range n.waiting {
		n.log.Publish(e)
	}
	n.waiting = nil
}

// host looks whether a host is another now. That it was heard of again is no news.
func (n *news) host(d *Directory, addr netip.Addr) {
	if n.log == nil {
		return
	}
	was, told := n.hosts[addr]
	h := d.hosts[addr]
	if h == nil {
		if told {
			delete(n.hosts, addr)
			n.add(event.HostGone, addr.String(), was)
		}
		return
	}
	now := d.tellHost(h)
	kept := now
	kept.Seen = time.Time{}
	if told && was == kept {
		return
	}
	n.hosts[addr] = kept
	if told {
		n.add(event.HostChanged, addr.String(), now)
	} else {
		n.add(event.HostNew, addr.String(), now)
	}
}

// device looks whether a device is another now, or another's.
func (n *news) device(d *Directory, mac [6]byte) {
	if n.log == nil {
		return
	}
	was, told := n.devices[mac]
	var now Device
	if v := d.devices[mac]; v != nil {
		now = d.tellDevice(v)
	}
	switch {
	case now.MAC == "" && !told, told && was.alike(&now):
		return
	case now.MAC == "":
		delete(n.devices, mac)
		n.add(event.DeviceGone, was.MAC, was)
	case told:
		n.devices[mac] = now
		n.add(event.DeviceChanged, now.MAC, now)
	default:
		n.devices[mac] = now
		n.add(event.DeviceNew, now.MAC, now)
	}
	if was.Username == now.Username {
		return
	}
	which := Bound{dict.EtherValue(mac).String()}
	if was.Username != "" {
		n.add(event.UserUnbound, was.Username, which)
	}
	if now.Username != "" {
		n.add(event.UserBound, now.Username, which)
	}
}

// alike reports whether two are the same, but for when they were seen.
func (d *Device) alike(o *Device) bool {
	a, b := *d, *o
	a.Seen, b.Seen = nil, nil
	return reflect.DeepEqual(a, b)
}

// user looks whether a user is another now.
func (n *news) user(d *Directory, name string) {
	if n.log == nil {
		return
	}
	was, told := n.users[name]
	groups, there := d.cfg.State.groupsOf(name)
	if there == told && groups == was {
		return
	}
	switch now, err := d.User(name); {
	case err != nil && told:
		delete(n.users, name)
		n.add(event.UserGone, name, nil)
	case err != nil:
	case told:
		n.users[name] = groups
		n.add(event.UserChanged, name, now)
	default:
		n.users[name] = groups
		n.add(event.UserNew, name, now)
	}
}
