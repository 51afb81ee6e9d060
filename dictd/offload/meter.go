// SPDX-License-Identifier: MIT

package offload

import (
	"slices"

	"nftdict/dictd/quota/plan"
)

// Meter has connections kept that plans need on the slow path: whose packets are to
// be slowed down by a mark always, and all that are charged where devices that carry
// them do not count.
func (c *Config) Meter(plans []*plan.Plan) {
	if c.Metered == nil {
		c.Metered = make(map[string][]string)
	}
	for _, p := range plans {
		if m := (Mark{p.Mark, 1<<32 - 1}); p.Mark != 0 && !slices.Contains(c.Keep.Marks, m) {
			c.Keep.Marks = append(c.Keep.Marks, m)
		}
		for _, kind := range []plan.Kind{plan.User, plan.Device, plan.Host, plan.Group} {
			field, table := p.Field("size"), kind.Table()
			if p.Has(kind) && !slices.Contains(c.Metered[table], field) {
				c.Metered[table] = append(c.Metered[table], field)
			}
		}
	}
}
