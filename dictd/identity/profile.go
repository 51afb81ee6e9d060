// SPDX-License-Identifier: MIT

package identity

import (
	"slices"
	"strings"
)

// Clue is something that tells what kind of device one is.
type Clue struct {
	From    string `json:"from"` // what it is: "http_user_agent", "mDNS service"
	Text    string `json:"text"`
	Profile string `json:"profile,omitempty"` // that it speaks for; empty if for none
	Weight  int    `json:"weight,omitempty"`  // of 100
}

// Kinds of clues.
const (
	clueClass    = "DHCP vendor class"
	clueOptions  = "DHCP options"
	clueModel    = "mDNS model"
	clueService  = "mDNS service"
	clueAgent    = "http_user_agent"
	clueVendor   = "mac_address_vendor"
	clueHostname = "hostname"
)

// clue asks the rules about a text. The first rule of a kind that fits speaks.
func clue(from, text string) Clue {
	c := Clue{From: from, Text: text}
	low := strings.ToLower(text)
	for i := range profileRules {
		if r := &profileRules[i]; r.from == from && r.fits(low) {
			c.Profile, c.Weight = r.profile, r.weight
			break
		}
	}
	return c
}

// fits reports whether a rule is about a text in lower case.
func (r *profileRule) fits(text string) bool {
	for _, part := range r.parts {
		switch whole, exact := strings.CutPrefix(part, "="); {
		case exact && text != whole:
			return false
		case exact:
		case strings.HasPrefix(part, "^") && !strings.HasPrefix(text, part[1:]):
			return false
		case strings.HasPrefix(part, "^"):
		case !strings.Contains(text, part):
			return false
		}
	}
	return true
}

// clues returns what is known of a device that may tell its kind, with the user
// agents of some of its hosts.
func (d *Directory) clues(v *device, hosts ...*host) (all []Clue) {
	add := func(from, text string) {
		if text != "" {
			all = append(all, clue(from, text))
		}
	}
	if s := d.said[v.mac]; s != nil {
		s.eachText(add)
	}
	d.eachTrait(v, hosts, add)
	slices.SortStableFunc(all, func(a, b Clue) int { return b.Weight - a.Weight })
	return slices.CompactFunc(all, func(a, b Clue) bool { return a == b })
}

// eachTrait calls a function for what is known of a device and some of its hosts
// beside what they have said to their link, and for what kind of clue it is.
func (d *Directory) eachTrait(v *device, hosts []*host, f func(from, text string)) {
	for _, h := range hosts {
		f(clueAgent, h.agent)
	}
	f(clueVendor, d.vendor(v.mac))
	d.eachName(v, func(n Name) bool {
		if n.Source != byReverse && n.Source != byBefore {
			f(clueHostname, n.Name)
		}
		return true
	})
}

// profile returns the kind of a device, "" if nothing tells it: what the weightiest
// clue speaks for, of several the first of clues. What devices say is much, and they
// are asked for often: the best of that is remembered.
func (d *Directory) profile(v *device, hosts ...*host) string {
	var best Clue
	add := func(from, text string) {
		if text != "" {
			best = best.or(clue(from, text))
		}
	}
	if s := d.said[v.mac]; s != nil {
		best = s.clue
	}
	d.eachTrait(v, hosts, add)
	return best.Profile
}

// or returns the weightier of two clues, of equal ones the first.
func (c Clue) or(o Clue) Clue {
	if o.Weight > c.Weight {
		return o
	}
	return c
}
