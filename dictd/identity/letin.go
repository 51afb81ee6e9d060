// SPDX-License-Identifier: MIT

package identity

import (
	"slices"
	"time"

	"nftdict/dict"
)

// inField says of a host or a device that a portal has let it in. There is none where
// it has not: others may write it then, if there is no portal.
const inField = "captive_portal_authenticated"

// letsIn reports whether rows may say of devices that they are let in.
func (s *State) letsIn() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key := range s.gone {
		if key[:1] == goneIn {
			return true
		}
	}
	for _, l := range s.logins.byKey {
		if l.LetIn {
			return true
		}
	}
	return false
}

// letIn reports whether a device is let in.
func (s *State) letIn(mac [6]byte, now time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(s.logins.byMAC[mac], func(l *Login) bool { return l.LetIn && l.Until.After(now) })
}

// in adds that a device is let in, if it is.
func (d *Directory) in(c *cells, mac [6]byte) {
	if d.In(mac) {
		*c = append(*c, dict.Cell{Field: inField, Value: dict.BoolValue(true)})
	}
}

// In reports whether a device is let in.
func (d *Directory) In(mac [6]byte) bool { return d.cfg.State.letIn(mac, d.cfg.Clock()) }

// loginsThat returns the logins for which a function returns true.
func (s *State) loginsThat(which func(*Login) bool) (all []*Login) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.logins.byKey {
		if which(l) {
			all = append(all, l)
		}
	}
	return all
}

// LoginsBy returns copies of the logins that somebody told.
func (d *Directory) LoginsBy(by string) (all []Login) {
	for _, l := range d.cfg.State.loginsThat(func(l *Login) bool { return l.By == by }) {
		one := *l
		one.Groups, one.Addrs = slices.Clone(l.Groups), slices.Clone(l.Addrs)
		one.Note = slices.Clone(l.Note)
		all = append(all, one)
	}
	return all
}

// nextEnd returns when the first of the logins ends, zero if there are none.
func (s *State) nextEnd() (first time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.logins.byKey {
		if first.IsZero() || l.Until.Before(first) {
			first = l.Until
		}
	}
	return first
}

// endBy has it looked for logins that end no later than at a time.
func (d *Directory) endBy(at time.Time) {
	d.ending.Lock()
	sooner := d.end.IsZero() || at.Before(d.end)
	if sooner {
		d.end = at
	}
	d.ending.Unlock()
	if !sooner {
		return
	}
	select {
	case d.ends <- struct{}{}:
	default: // told already
	}
}

// endLogins ends those whose time has come, and returns how long it is until the next
// one's has.
func (d *Directory) endLogins() time.Duration {
	now := d.cfg.Clock()
	over := func(l *Login) bool { return !l.Until.After(now) }
	if _, err := d.logout(over); err != nil {
		d.books[2].note(err)
		d.loginsChanged(d.cfg.State.loginsThat(over)) // nobody stays in because a disk is full
		return tendEvery
	}
	d.ending.Lock()
	defer d.ending.Unlock()
	if d.end = d.cfg.State.nextEnd(); d.end.IsZero() {
		return tendEvery
	}
	return min(max(d.end.Sub(d.cfg.Clock()), together), tendEvery)
}
