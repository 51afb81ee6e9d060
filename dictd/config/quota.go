// SPDX-License-Identifier: MIT

package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
	"nftdict/nftext"
)

// Quota is what is common to all plans.
type Quota struct {
	Priority     int      `toml:"priority"`      // of the chain at the hook forward
	Exempt       []string `toml:"exempt"`        // prefixes whose traffic is free
	Zone         string   `toml:"zone"`          // of the calendar; empty: the machine's
	ThrottleMark uint32   `toml:"throttle_mark"` // of packets to be slowed down
	Near         string   `toml:"near"`          // bytes left of a budget from which on nothing is offloaded
}

func defaultQuota() Quota {
	return Quota{Priority: 250, Exempt: []string{}, ThrottleMark: 0x71, Near: "32MB"}
}

// NearBytes returns Near.
func (q *Quota) NearBytes() (int64, error) {
	n, unit, err := plan.ParseAmount(q.Near)
	if err == nil && unit != plan.Bytes {
		err = fmt.Errorf("%w: want bytes", dict.ErrInvalid)
	}
	if err != nil {
		return 0, fmt.Errorf("quota.near %s: %w", dict.Quote(q.Near), err)
	}
	return n, nil
}

// QuotaPlans returns the plans.
func (c *Config) QuotaPlans() ([]*plan.Plan, error) {
	zone := time.Local
	if c.Quota.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(c.Quota.Zone); err != nil {
			return nil, fmt.Errorf("quota.zone %s: %w: want one such as \"Europe/Berlin\"", dict.Quote(c.Quota.Zone), dict.ErrInvalid)
		}
	}
	specs := c.Plans
	if c.Portal.Enable {
		specs = append([]plan.Spec{volumes()}, specs...)
	}
	return plan.Parse(specs, plan.Defaults{Zone: zone, Throttle: c.Quota.ThrottleMark})
}

// Prefixes returns what is exempt, without those that are within others. An address
// alone is a prefix of itself.
func (q *Quota) Prefixes() (prefixes []netip.Prefix, err error) {
	return parsePrefixes("quota.exempt", q.Exempt)
}

// parsePrefixes reads the prefixes, or addresses, of a key.
func parsePrefixes(key string, texts []string) (prefixes []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil || a.Zone() != "" {
				return nil, fmt.Errorf("%s %s: %w: want prefixes such as 192.0.2.0/24", key, dict.Quote(text), dict.ErrInvalid)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		prefixes = append(prefixes, p.Masked())
	}
	// The widest first: what has a prefix before it that covers it is not needed.
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Addr().Compare(b.Addr()))
	})
	var wide []netip.Prefix
	for _, p := range prefixes {
		if !slices.ContainsFunc(wide, func(w netip.Prefix) bool { return w.Overlaps(p) }) {
			wide = append(wide, p)
		}
	}
	return wide, nil
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
	_, err = c.Quota.NearBytes()
	errs = append(errs, err)
	plans, err := c.QuotaPlans()
	errs = append(errs, err)
	for _, p := range plans {
		for _, name := range slices.Concat(p.Of.Applications, p.Of.Categories, p.Except.Applications, p.Except.Categories) {
			if _, _, err := nftext.Parse("dict sessions ct id application " + dict.MustString(name).Text()); err != nil {
				errs = append(errs, fmt.Errorf("plan %s: application or category %s: %w", dict.Quote(p.Name), dict.Quote(name), err))
			}
		}
	}
	return errors.Join(errs...)
}
