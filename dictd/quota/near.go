// SPDX-License-Identifier: MIT

package quota

import (
	"maps"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota/plan"
)

// NoOffload is the field that keeps what a row's subject moves off flowtables: it says
// true while one of his budgets is near its end, or beyond it.
const NoOffload = "no_offload"

// Nearness of an end: what moves beside the rules is known some time later, and until
// then the rules must have something left to take it from.
const (
	// ahead is for how long a budget must last at its present pace not to be near.
	ahead = 1500 * time.Millisecond
	// nearSeconds is how many seconds of a budget of time are near its end.
	nearSeconds = 15
	// away is how many times as far off a budget must be not to be near again.
	away = 2
	// paced is the least time that tells a pace.
	paced = 200 * time.Millisecond
)

// SetNear changes how many bytes of a budget are its end, from the next look on.
func (m *Manager) SetNear(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cfg.Near = n
}

// pace is how fast a budget is used up.
type pace struct {
	used  int64
	since time.Time
	rate  float64 // a second
}

// look notes how much is used by now.
func (p *pace) look(used int64, now time.Time) {
	since := now.Sub(p.since)
	switch {
	case p.since.IsZero() || used < p.used || since < 0: // it begins
		p.rate = 0
	case since < paced:
		return
	default:
		p.rate = float64(used-p.used) / since.Seconds()
	}
	p.used, p.since = used, now
}

// approach notes whether a budget is near its end.
func (m *Manager) approach(b *budget, now time.Time) {
	b.pace.look(b.used(), now)
	margin := int64(nearSeconds)
	if b.plan.Unit == plan.Bytes {
		margin = max(m.cfg.Near, int64(b.pace.rate*ahead.Seconds()))
	}
	if b.near {
		margin *= away
	}
	near := b.Remaining <= margin
	if near == b.near {
		return
	}
	m.count(b, near)
	if near {
		m.nearing = append(m.nearing, b.id.subject)
	}
}

// count notes that a budget is near its end, or no more.
func (m *Manager) count(b *budget, near bool) {
	switch {
	case near && !b.near:
		m.near[b.id.subject]++
	case !near && b.near:
		if m.near[b.id.subject]--; m.near[b.id.subject] == 0 {
			delete(m.near, b.id.subject)
		}
	}
	b.near = near
}

// keepOff has the row of a budget's subject say whether he is near an end. r is the row
// as it is, nil if that is not known.
func (m *Manager) keepOff(b *budget, r *dict.Row) {
	near := m.near[b.id.subject] > 0
	var says dict.Value
	there := false
	if r != nil {
		says, there = r.Get(NoOffload)
	}
	if r != nil && near == (there && says.Bool()) {
		return
	}
	m.out.put(b, []dict.Cell{{Field: NoOffload, Value: dict.BoolValue(near)}})
}

// takeBack has what belongs to subjects that have come near an end taken out of
// flowtables: their rows say so by now. Of those who are near for longer somebody's
// rules may have put something there again.
func (m *Manager) takeBack(all bool) {
	subjects := m.nearing
	m.nearing = nil
	if all {
		subjects = slices.AppendSeq(subjects, maps.Keys(m.near))
	}
	if len(subjects) == 0 || m.cfg.Recall == nil {
		return
	}
	whose := make(map[plan.Subject]struct{})
	for _, s := range subjects {
		if s.Kind != plan.Group {
			whose[s] = struct{}{}
			continue
		}
		for user, group := range m.groups {
			if group == s.Name {
				whose[plan.Subject{Kind: plan.User, Name: user}] = struct{}{}
			}
		}
	}
	m.cfg.Recall(slices.Collect(maps.Keys(whose)))
}
