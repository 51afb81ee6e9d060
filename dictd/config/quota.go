// SPDX-License-Identifier: MIT

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// Quota is what is common to all plans.
type Quota struct {
	Priority     int      `toml:"priority"`      // of the chain at the hook forward
	Exempt       []string `toml:"exempt"`        // prefixes whose traffic is free
	Zone         string   `toml:"zone"`          // of the calendar; empty: the machine's
	ThrottleMark uint32   `toml:"throttle_mark"` // of packets to be slowed down
}

func defaultQuota() Quota { return Quota{Priority: 250, Exempt: []string{}, ThrottleMark: 0x71} }

// QuotaPlans returns the plans.
func (c *Config) QuotaPlans() ([]*plan.Plan, error) {
	zone := time.Local
	if c.Quota.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(c.Quota.Zone); err != nil {
			return nil, fmt.Errorf("quota.zone %s: %w: want one such as \"Europe/Berlin\"", dict.Quote(c.Quota.Zone), dict.ErrInvalid)
		}
	}
	return plan.Parse(c.Plans, plan.Defaults{Zone: zone, Throttle: c.Quota.ThrottleMark})
}

// Prefixes returns what is exempt. An address alone is a prefix of itself.
func (q *Quota) Prefixes() (prefixes []netip.Prefix, err error) {
	for _, text := range q.Exempt {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil || a.Zone() != "" {
				return nil, fmt.Errorf("quota.exempt %s: %w: want prefixes such as 192.0.2.0/24", dict.Quote(text), dict.ErrInvalid)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		prefixes = append(prefixes, p.Masked())
	}
	return prefixes, nil
}

// checkQuota refuses what cannot be kept.
func (c *Config) checkQuota() error {
	var errs []error
	// Behind the filters of others (0), before source addresses are translated, which
	// is at another hook.
	if c.Quota.Priority < -100 || c.Quota.Priority > 1000 {
		errs = append(errs, fmt.Errorf("quota.priority %d: %w: want -100 to 1000", c.Quota.Priority, dict.ErrRange))
	}
	if c.Quota.ThrottleMark == 0 {
		errs = append(errs, fmt.Errorf("quota.throttle_mark 0: %w: packets without a mark have it", dict.ErrInvalid))
	}
	_, err := c.Quota.Prefixes()
	errs = append(errs, err)
	_, err = c.QuotaPlans()
	return errors.Join(append(errs, err)...)
}
