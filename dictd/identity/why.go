// SPDX-License-Identifier: MIT

package identity

import (
	"fmt"
	"net/netip"
	"time"

	"nftdict/dict"
)

// Why is a host with what led to its name, its kind and its user.
type Why struct {
	Host   Host    `json:"host"`
	Names  []Name  `json:"names"`  // the one in use first
	Clues  []Clue  `json:"clues"`  // to its kind, the weightiest first
	Logins []Usage `json:"logins"` // the one in force first
	Bound  string  `json:"bound"`  // to whom the device is bound, "" if to nobody
}

// Usage is a login as it is told.
type Usage struct {
	User    string    `json:"username"`
	Groups  []string  `json:"usergroups"`
	By      string    `json:"by"`
	Session string    `json:"session"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
}

// Why returns what led to what is known of an address. dict.ErrNotExist.
func (d *Directory) Why(addr netip.Addr) (Why, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[addr]
	if h == nil {
		return Why{}, fmt.Errorf("host %s: %w", addr, dict.ErrNotExist)
	}
	v := h.device
	w := Why{
		Host: d.tellHost(h), Names: []Name{}, Clues: append([]Clue{}, d.clues(v, h)...),
		Logins: d.cfg.State.usages(v), Bound: d.cfg.State.boundTo(v.mac),
	}
	own := Name{d.leasedTo(addr, v.mac), byLeaseAddr}
	if own.Name != "" { // it wins over the device's
		w.Names = append(w.Names, own)
	}
	d.eachName(v, func(n Name) bool {
		if n != own {
			w.Names = append(w.Names, n)
		}
		return true
	})
	return w, nil
}

// usages returns the logins at a device, the one in force first.
func (s *State) usages(v *device) []Usage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []Usage{}
	add := func(logins []*Login) {
		for _, l := range logins {
			all = append(all, Usage{l.User, append([]string{}, l.Groups...), l.By, l.Session, l.Since.UTC(), l.Until.UTC()})
		}
	}
	add(s.logins.byMAC[v.mac])
	for _, h := range v.hosts {
		add(s.logins.byAddr[h.addr])
	}
	return all
}
