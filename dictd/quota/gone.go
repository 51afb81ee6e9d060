// SPDX-License-Identifier: MIT

package quota

import (
	"slices"
	"time"

	"nftdict/dictd/quota/plan"
)

// Bounds of budgets without end of hosts and devices that are gone: there is no end of
// addresses that are made up, either.
const (
	keepGone = 30 * 24 * time.Hour
	maxGone  = 16384
)

// forgotten returns the records of subjects that are gone which need not be kept any
// more: their period is over, or they come back no more.
func (m *Manager) forgotten(now time.Time) (over []id) {
	type absent struct {
		id   id
		left time.Time
	}
	var endless []absent
	for i, r := range m.saved {
		switch {
		case m.budgets[i] != nil:
		case !r.End.IsZero():
			if now.After(r.End) {
				over = append(over, i)
			}
		case i.subject.Kind != plan.Host && i.subject.Kind != plan.Device:
		case r.Left.IsZero(): // it went while no daemon looked, or is not seen yet
			r.Left = now.UTC()
			m.saved[i], m.left[i] = r, r
		case now.Sub(r.Left) > keepGone:
			over = append(over, i)
		default:
			endless = append(endless, absent{i, r.Left})
		}
	}
	if more := len(endless) - maxGone; more > 0 {
		slices.SortFunc(endless, func(a, b absent) int { return a.left.Compare(b.left) })
		for _, a := range endless[:more] {
			over = append(over, a.id)
		}
	}
	return over
}
