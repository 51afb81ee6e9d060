// SPDX-License-Identifier: MIT

package portal

import (
	"errors"
	"fmt"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
)

// End ends a session. dict.ErrNotExist.
func (k *Keeper) End(id string, cause Cause) error {
	k.admission.Lock()
	defer k.admission.Unlock()
	s := k.find(id)
	if s == nil {
		return fmt.Errorf("session %s: %w", dict.Quote(id), dict.ErrNotExist)
	}
	return k.end(s, cause)
}

// EndOf ends all sessions of a user, and returns how many.
func (k *Keeper) EndOf(user string, cause Cause) (n int, err error) {
	k.admission.Lock()
	defer k.admission.Unlock()
	k.mu.RLock()
	all := append([]*session(nil), k.in.byUser[user]...)
	k.mu.RUnlock()
	for _, s := range all {
		if one := k.end(s, cause); one != nil {
			err = errors.Join(err, one)
			continue
		}
		n++
	}
	return n, err
}

// Change has a session go on by another grant, from now on: For and Until, Idle,
// Interim, Bytes and Class, those of them that are not zero. dict.ErrNotExist.
func (k *Keeper) Change(id string, g Grant) error {
	k.admission.Lock()
	defer k.admission.Unlock()
	s := k.find(id)
	if s == nil {
		return fmt.Errorf("session %s: %w", dict.Quote(id), dict.ErrNotExist)
	}
	if g.Bytes != nil && k.cfg.Volume == nil {
		return fmt.Errorf("session %s: volume: %w: there is no plan for it", dict.Quote(id), dict.ErrNotSupported)
	}
	now := k.cfg.Clock()
	err := k.change(s, func(next *session) {
		if g.For != 0 || !g.Until.IsZero() {
			next.Whole, next.Last = max(g.For, 0), g.Until
			next.setUntil(now)
		}
		if g.Idle != 0 {
			next.Idle = max(g.Idle, 0)
		}
		if g.Interim != 0 {
			next.Interim = max(g.Interim, 0)
		}
		if g.Bytes != nil {
			next.Bytes = g.Bytes
		}
		if g.Class != nil {
			next.Class = g.Class
		}
	})
	if err == nil && g.Bytes != nil {
		err = k.cfg.Volume.Grant(s.User, *g.Bytes)
	}
	return err
}

// find returns a session by its name, nil if there is none.
func (k *Keeper) find(id string) *session {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.in.byID[id]
}

// end ends a session: in the file first, so that it does not come back. k.admission is
// held.
func (k *Keeper) end(s *session, cause Cause) error {
	k.measure(s)
	k.keepLeft(s)
	k.mu.Lock()
	s.Cause = cause
	k.mu.Unlock()
	follower, _ := k.ways[s.Way].(Follower)
	if err := k.store.end(s, follower != nil); err != nil {
		k.counts.failed.Add(1)
		return fmt.Errorf("session of %s does not end: %w", dict.Quote(s.User), err)
	}
	if _, err := k.cfg.Directory.Logout(By, s.ID); err != nil {
		k.counts.failed.Add(1)
		return fmt.Errorf("session of %s does not end: %w", dict.Quote(s.User), err)
	}
	k.mu.Lock()
	k.in.remove(s)
	k.mu.Unlock()
	k.counts.ended.Add(1)
	if k.cfg.Traffic != nil {
		k.cfg.Traffic.Forget(s.MAC)
	}
	k.publish(event.PortalLogout, s, cause)
	k.teller.add(s, told{cause: cause})
	return nil
}

// keepLeft remembers what is left of a voucher.
func (k *Keeper) keepLeft(s *session) {
	if s.Bytes == nil || k.cfg.Volume == nil {
		return
	}
	left, ok := k.cfg.Volume.Left(s.User)
	if !ok {
		return
	}
	if s.Way == Voucher {
		if err := k.vouchers.keepLeft(s.User, left); err != nil {
			k.cfg.Log.Error("what is left of a voucher cannot be kept", "user", s.User, "err", err)
		}
	}
}

// rouse has the next end looked for.
func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default: // it will be
	}
}

// nextEnd returns when the first of the sessions ends, zero if none does.
func (k *Keeper) nextEnd() (first time.Time) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, s := range k.in.byID {
		if !s.Until.IsZero() && (first.IsZero() || s.Until.Before(first)) {
			first = s.Until
		}
	}
	return first
}
