// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"net/netip"

	"nftdict/dict"
)

// Reverse says which addresses DNS is asked about.
type Reverse struct {
	Names   string   `toml:"names"`   // inside, all or off
	Servers []string `toml:"servers"` // resolvers; none: those of this machine
	Rate    int      `toml:"rate"`    // questions a second
}

// Values of Reverse.Names.
const (
	ReverseOff    = "off"
	ReverseInside = "inside"
	ReverseAll    = "all"
)

// Addresses returns the resolvers. The configuration has been checked.
func (r *Reverse) Addresses() (all []netip.AddrPort) {
	for _, text := range r.Servers {
		if a, err := parseServer(text); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// parseServer reads an address, perhaps with a port.
func parseServer(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, 53), nil
	}
	return netip.ParseAddrPort(text)
}

// check refuses what cannot work.
func (r *Reverse) check() (errs []error) {
	for _, text := range r.Servers {
		if a, err := parseServer(text); err != nil || a.Port() == 0 {
			errs = append(errs, fmt.Errorf("reverse.servers %s: %w: want ADDRESS or ADDRESS:PORT", dict.Quote(text), dict.ErrInvalid))
		}
	}
	return errs
}
