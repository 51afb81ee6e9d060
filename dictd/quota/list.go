// SPDX-License-Identifier: MIT

package quota

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"nftdict/dictd/quota/plan"
)

// Budget is a budget as it is now. Amounts are of Unit, bytes or seconds.
type Budget struct {
	Kind      string     `json:"kind"` // user, device, host or group
	Name      string     `json:"name"`
	Plan      string     `json:"plan"`
	Unit      string     `json:"unit"`
	Size      int64      `json:"size"`
	Remaining int64      `json:"remaining"` // below 0 by the rest of the last packet
	Used      int64      `json:"used"`
	Start     time.Time  `json:"start"`
	End       *time.Time `json:"end,omitempty"` // none: the period has no end
	Exceeded  *time.Time `json:"exceeded,omitempty"`
	Granted   bool       `json:"granted"` // its size is its own, not the plan's
	Then      string     `json:"then"`    // block, reset, drop, throttle or class
}

func (b *budget) show() Budget {
	s := Budget{
		Kind: b.id.subject.Kind.String(), Name: b.id.subject.Name, Plan: b.plan.Name, Unit: b.plan.Unit.String(),
		Size: b.Size, Remaining: b.Remaining, Used: b.used(), Start: b.Start.UTC(), Granted: b.Own != nil, Then: b.plan.Then.String(),
	}
	if !b.End.IsZero() {
		end := b.End.UTC()
		s.End = &end
	}
	if b.Exceeded != nil {
		at := *b.Exceeded
		s.Exceeded = &at
	}
	return s
}

// fresh is how old what a list says may be.
const fresh = 100 * time.Millisecond

// List returns all budgets, those of a subject together.
func (m *Manager) List() []Budget {
	m.mu.Lock()
	old := m.cfg.Clock().Sub(m.looked)
	m.mu.Unlock()
	if old < 0 || old > fresh {
		m.Look()
	}
	all := m.Known()
	slices.SortFunc(all, func(a, b Budget) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Plan, b.Plan))
	})
	return all
}

// Known returns all budgets, in no order, as they were at the last look.
func (m *Manager) Known() []Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Budget, 0, len(m.budgets))
	for _, b := range m.budgets {
		if b.Plan != "" { // else it could not be opened yet
			all = append(all, b.show())
		}
	}
	return all
}

// Of returns the budgets of a subject.
func (m *Manager) Of(s plan.Subject) []Budget {
	return slices.DeleteFunc(m.List(), func(b Budget) bool { return b.Kind != s.Kind.String() || b.Name != s.Name })
}

// One returns a budget as it is now; nobody else's is looked at. dict.ErrNotExist,
// ErrAmbiguous.
func (m *Manager) One(c Choice) (Budget, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := m.find(c)
	if err != nil { // it may be new
		m.refresh()
		b, err = m.find(c)
	}
	if err != nil {
		return Budget{}, err
	}
	if err := errors.Join(m.lookAt(map[id]*budget{b.id: b}, nil, m.cfg.Clock()), m.finish(nil)); err != nil {
		return Budget{}, err
	}
	return b.show(), nil
}

// History returns the periods of a budget that are over, the oldest first.
// dict.ErrNotExist, ErrAmbiguous.
func (m *Manager) History(c Choice) ([]Past, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := m.find(c)
	if err != nil {
		return nil, err
	}
	return m.state.past(b.id)
}

// Plans returns the plans as they are now.
func (m *Manager) Plans() []*plan.Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.plans
}

// Failure returns why budgets cannot be kept as they should be, "" if they are.
func (m *Manager) Failure() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}
