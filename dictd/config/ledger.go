// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"nftdict/dict"
)

// Ledger says how what connections have moved is written down.
type Ledger struct {
	Accounting  bool     `toml:"accounting"`   // have conntrack count
	Period      float64  `toml:"period"`       // seconds between two looks; 0 keeps no ledger
	Inside      []string `toml:"inside"`       // prefixes of networks inside
	Records     string   `toml:"records"`      // file of connections that are over; empty: none
	RecordsSize int      `toml:"records_size"` // bytes of it
}

// usualInside are the networks of private addresses.
func usualInside() []string {
	return []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
}

// Networks returns the prefixes of Inside, which was checked.
func (l *Ledger) Networks() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range l.Inside {
		if p, err := netip.ParsePrefix(text); err == nil {
			all = append(all, p.Masked())
		}
	}
	return all
}

// check refuses what cannot work.
func (l *Ledger) check() (errs []error) {
	if l.Period != 0 && !(l.Period >= 0.1 && l.Period <= 3600) {
		errs = append(errs, fmt.Errorf("ledger.period %v: %w: want 0.1 to 3600, or 0 for no ledger", l.Period, dict.ErrRange))
	}
	for _, text := range l.Inside {
		if _, err := netip.ParsePrefix(text); err != nil {
			errs = append(errs, fmt.Errorf("ledger.inside %s: %w: want prefixes such as 10.0.0.0/8", dict.Quote(text), dict.ErrInvalid))
		}
	}
	if l.Records != "" && !filepath.IsAbs(l.Records) {
		errs = append(errs, fmt.Errorf("ledger.records %s: %w: want the whole path of a file", dict.Quote(l.Records), dict.ErrInvalid))
	}
	if l.RecordsSize < 64<<10 || l.RecordsSize > 1<<40 {
		errs = append(errs, fmt.Errorf("ledger.records_size %d: %w: want 65536 to %d", l.RecordsSize, dict.ErrRange, 1<<40))
	}
	return errs
}
