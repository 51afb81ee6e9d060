// SPDX-License-Identifier: MIT

package quota

import (
	"slices"
	"time"

	"nftdict/dictd/quota/plan"
)

// Bounds of budgets without end of subjects that are gone: there is no end of addresses
// that are made up, and of names that are for one stay.
const (
	keepGone = 30 * 24 * time.Hour // of a host or a device
	maxGone  = 16384               // hosts, as many devices, and as many users who pass
	maxUsers = 65536               // others
)

// tidyEvery is how often it is looked which of them need not be kept any more.
const tidyEvery = time.Minute

// kept returns for how long a budget without end is kept of a subject that is gone; 0 is
// for as long as there is room.
func (m *Manager) kept(i id, r *record) time.Duration {
	switch i.subject.Kind {
	case plan.Host, plan.Device:
		return keepGone
	case plan.User:
		if m.cfg.Passing != nil {
			return m.cfg.Passing(i.subject.Name, r.Plan)
		}
	}
	return 0
}

// tidy notes the records of subjects that are gone which need not be kept any more:
// their period is over, or they come back no more. Of users who pass nothing is kept.
func (m *Manager) tidy(now time.Time) {
	for i := range m.gone {
		if m.budgets[i] != nil { // it is back before the file could be written
			delete(m.gone, i)
		}
	}
	if since := now.Sub(m.tidied); since >= 0 && since < tidyEvery {
		return
	}
	m.tidied = now
	type absent struct {
		id   id
		left time.Time
	}
	type room struct {
		kind    plan.Kind
		passing bool
	}
	endless := make(map[room][]absent)
	for i, r := range m.saved {
		if m.budgets[i] != nil {
			continue
		}
		if !r.End.IsZero() {
			if now.After(r.End) {
				m.gone[i] = false
			}
			continue
		}
		keep := m.kept(i, &r)
		in := room{i.subject.Kind, i.subject.Kind == plan.User && keep > 0}
		switch {
		case r.Left.IsZero(): // it went while no daemon looked, or is not seen yet
			r.Left = now.UTC()
			m.saved[i], m.left[i] = r, r
		case keep > 0 && now.Sub(r.Left) > keep:
			m.gone[i] = in.passing
		default:
			endless[in] = append(endless[in], absent{i, r.Left})
		}
	}
	for in, all := range endless {
		most := maxGone
		if in.kind == plan.User && !in.passing {
			most = maxUsers
		}
		if more := len(all) - most; more > 0 {
			slices.SortFunc(all, func(a, b absent) int { return a.left.Compare(b.left) })
			for _, a := range all[:more] {
				m.gone[a.id] = in.passing
			}
		}
	}
}
