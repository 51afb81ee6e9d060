// SPDX-License-Identifier: MIT

package quota

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/quota/plan"
)

// ErrAmbiguous says that a subject has several budgets, and none was named.
var ErrAmbiguous = errors.New("ambiguous")

// Choice names a budget: of a subject, and by a plan; "" is the only one there is.
type Choice struct {
	plan.Subject
	Plan string
}

// find returns a budget. dict.ErrNotExist, ErrAmbiguous.
func (m *Manager) find(c Choice) (*budget, error) {
	var found []*budget
	for _, p := range m.plans {
		if b := m.budgets[idOf(c.Subject, p)]; b != nil && b.plan == p && (c.Plan == "" || dict.Name(c.Plan) == p.Name) {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		if c.Plan != "" {
			return nil, fmt.Errorf("quota of %s by plan %s: %w", c.Subject, dict.Quote(c.Plan), dict.ErrNotExist)
		}
		return nil, fmt.Errorf("quota of %s: %w: no plan covers it", c.Subject, dict.ErrNotExist)
	case 1:
		return found[0], nil
	}
	var names []string
	for _, b := range found {
		names = append(names, b.plan.Name)
	}
	return nil, fmt.Errorf("quota of %s: %w: there are plans %s", c.Subject, ErrAmbiguous, strings.Join(names, ", "))
}

// change brings a budget up to date, has f change it, and returns it as it is then;
// rows and file say so.
func (m *Manager) change(c Choice, f func(b *budget, now time.Time) (add int64, err error)) (Budget, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh()
	m.looked = time.Time{} // lists are of before
	b, err := m.find(c)
	if err != nil {
		return Budget{}, err
	}
	now := m.cfg.Clock()
	if err := m.lookAt(map[id]*budget{b.id: b}, nil, now); err != nil {
		return Budget{}, err
	}
	if err := m.finish(nil); err != nil {
		return Budget{}, err
	}
	add, err := f(b, now)
	if err != nil {
		return Budget{}, err
	}
	b.changed = true
	m.judge(b, now)
	m.approach(b, now)
	m.out.add(b, add)
	m.out.put(b, b.cells())
	m.keepOff(b, nil)
	if err := m.finish(nil); err != nil {
		return Budget{}, err
	}
	m.takeBack(false)
	return b.show(), nil
}

// most is the largest size that a budget can be given.
const most = 1 << 60

func (b *budget) check(n int64, u plan.Unit) error {
	switch {
	case u != b.plan.Unit && n != 0:
		return fmt.Errorf("plan %s: %w: it counts %s", b.plan.Name, dict.ErrInvalid, b.plan.Unit)
	case n < 0 || n > most:
		return fmt.Errorf("amount %d: %w", n, dict.ErrRange)
	}
	return nil
}

// TopUp gives a budget more for its period: connections go on at their next packet.
// dict.ErrNotExist, ErrAmbiguous, dict.ErrInvalid, dict.ErrRange.
func (m *Manager) TopUp(c Choice, amount int64, unit plan.Unit) (Budget, error) {
	return m.change(c, func(b *budget, _ time.Time) (int64, error) {
		if err := b.check(amount, unit); err != nil {
			return 0, err
		}
		if b.Size > most-amount {
			return 0, fmt.Errorf("amount %d: %w: there are %d of at most %d already", amount, dict.ErrRange, b.Size, int64(most))
		}
		b.Size += amount
		b.Remaining += amount
		m.tell(b, event.QuotaTopup, Notice{Amount: amount})
		return amount, nil
	})
}

// Grant gives a subject another size than its plan says, from this period on; nil is
// the plan's. Errors as TopUp's.
func (m *Manager) Grant(c Choice, amount *int64, unit plan.Unit) (Budget, error) {
	return m.change(c, func(b *budget, _ time.Time) (int64, error) {
		if amount != nil {
			if err := b.check(*amount, unit); err != nil {
				return 0, err
			}
		}
		b.Own, b.Begun = amount, false
		return b.regrant(), nil
	})
}

// Begin gives a subject a size of its own, in bytes, and begins its period anew: all of
// it is there, whatever was. Errors as TopUp's.
func (m *Manager) Begin(c Choice, size int64) (Budget, error) {
	return m.change(c, func(b *budget, now time.Time) (int64, error) {
		if err := b.check(size, plan.Bytes); err != nil {
			return 0, err
		}
		b.Own, b.Begun = &size, true
		return m.anew(b, now), nil
	})
}

// Reset begins the period anew, which ends when it would have ended: all of the
// size is there. Errors as TopUp's.
func (m *Manager) Reset(c Choice) (Budget, error) {
	return m.change(c, func(b *budget, now time.Time) (int64, error) { return m.anew(b, now), nil })
}

// anew begins the period of a budget anew, and returns how much is to be added to what
// is left.
func (m *Manager) anew(b *budget, now time.Time) (add int64) {
	m.close(b, now)
	b.Start = now.UTC().Truncate(time.Second)
	b.Base = b.granted()
	add = b.Base - b.Remaining
	b.Size, b.Remaining, b.Warned, b.Exceeded = b.Base, b.Base, 0, nil
	m.tell(b, event.QuotaReset, Notice{})
	return add
}
