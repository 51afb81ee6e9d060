// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"
	"slices"
	"time"

	"nftdict/dictd/identity/overheard"
)

// said is what a device said of itself on its link.
type said struct {
	names    [overheard.Sources]string
	class    string   // vendor class, of DHCP
	options  string   // that it asks DHCP for
	models   []string // by which it calls itself
	services []string // that it offers
	clue     Clue     // the weightiest of all but the names
	at       time.Time
}

// eachText calls a function for what may tell the kind of a device.
func (s *said) eachText(f func(from, text string)) {
	f(clueClass, s.class)
	f(clueOptions, s.options)
	for _, text := range s.models {
		f(clueModel, text)
	}
	for _, text := range s.services {
		f(clueService, text)
	}
}

// Bounds of what is kept of a device.
const (
	maxServices = 32
	maxModels   = 4
	// maxStrangers is how many are kept that are not known as devices yet.
	maxStrangers = 4096
)

// Heard takes into account what a device said. A device need not be known yet:
// it asks for an address first. Of names and services that come with addresses,
// those count of which it has one: what answers for others names only itself.
func (d *Directory) Heard(m *overheard.Message) {
	now := d.cfg.Clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.said[m.MAC]
	if s == nil {
		if len(d.said) >= min(d.cfg.Hosts, len(d.devices)+maxStrangers) && !d.forgetSaid(now) {
			d.missed.Add(1)
			return
		}
		s = new(said)
		d.said[m.MAC] = s
	}
	s.at = now
	if d.note(s, m) {
		s.clue = Clue{}
		s.eachText(func(from, text string) { s.clue = s.clue.or(clue(from, text)) })
		if v := d.devices[m.MAC]; v != nil {
			d.markDevice(v)
			d.touch()
		}
	}
}

// note notes what a message says, and reports whether that is new.
func (d *Directory) note(s *said, m *overheard.Message) (news bool) {
	set := func(to *string, text string) {
		if text != "" && *to != text {
			*to, news = text, true
		}
	}
	var own []string // names of addresses that the device has
	for _, n := range m.Names {
		if n.Addr.IsValid() && n.Addr != m.From && !d.has(n.Addr, m.MAC) {
			continue
		}
		own = append(own, n.Name)
		if name := Hostname(n.Name); name != "" && len(own) == 1 {
			set(&s.names[m.Source], name)
		}
	}
	foreign := len(own) < len(m.Names)
	set(&s.class, m.Class)
	set(&s.options, m.Options)
	for _, x := range m.Services {
		if x.Target != "" && !slices.Contains(own, x.Target) || x.Target == "" && foreign {
			continue
		}
		if x.Type != "" && !slices.Contains(s.services, x.Type) && len(s.services) < maxServices {
			s.services, news = append(s.services, x.Type), true
		}
		if x.Model != "" && !slices.Contains(s.models, x.Model) && len(s.models) < maxModels {
			s.models, news = append(s.models, x.Model), true
		}
	}
	return news
}

// has reports whether a device has an address.
func (d *Directory) has(addr netip.Addr, mac [6]byte) bool {
	h := d.hosts[addr]
	return h != nil && h.device.mac == mac
}

// forgetSaid makes room, of what those said who are not known as devices. It
// looks for them once a second.
func (d *Directory) forgetSaid(now time.Time) bool {
	if now.Sub(d.saidRoom) < time.Second {
		return false
	}
	d.saidRoom = now
	var strangers [][6]byte
	for mac := range d.said {
		if d.devices[mac] == nil {
			strangers = append(strangers, mac)
		}
	}
	slices.SortFunc(strangers, func(a, b [6]byte) int { return d.said[a].at.Compare(d.said[b].at) })
	for _, mac := range strangers[:min(len(strangers), 1+d.cfg.Hosts/16)] {
		delete(d.said, mac)
	}
	return len(strangers) > 0
}

// tendSaid forgets what was said long ago by devices that are not there.
func (d *Directory) tendSaid(now time.Time) {
	for mac, s := range d.said {
		if d.devices[mac] == nil && now.Sub(s.at) >= d.cfg.Age {
			delete(d.said, mac)
		}
	}
}
