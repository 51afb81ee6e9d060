// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
)

// Visitor implements Desk. A device with a new MAC whose browser has the cookie of a
// session takes this over: the MAC of before is out.
func (k *Keeper) Visitor(_ context.Context, from From) (Visitor, error) {
	v := Visitor{Ways: slices.Clone(k.settings.Load().Ways)}
	mac, err := k.cfg.Directory.DeviceAt(bare(from.Addr))
	if err != nil {
		return v, nil
	}
	v.Device = dict.EtherValue(mac).String()
	now := k.cfg.Clock()
	k.mu.RLock()
	s := k.in.byMAC[mac]
	if s != nil && !s.over(now) {
		k.show(&v, s)
	}
	var elsewhere *session
	if s == nil && from.Cookie != "" {
		elsewhere = k.in.byCookie[hashOf(from.Cookie)]
	}
	k.mu.RUnlock()
	if elsewhere != nil {
		return v, k.rebind(&v, elsewhere, mac, from, now)
	}
	return v, nil
}

// show tells of a session. k.mu is held.
func (k *Keeper) show(v *Visitor, s *session) {
	v.In, v.User, v.Way, v.Since, v.Until = true, s.User, s.Way, s.Since, s.Until
	v.Idle, v.CanExtend = int(s.Idle/time.Second), s.CanGoOn && !s.Until.IsZero()
	if s.Bytes != nil && k.cfg.Volume != nil {
		if left, ok := k.cfg.Volume.Left(s.User); ok {
			v.BytesLeft = &left
		}
	}
}

// rebind has a session go on at another MAC: as a new one, of which those who follow
// are told, for the time that is left.
func (k *Keeper) rebind(v *Visitor, s *session, mac [6]byte, from From, now time.Time) error {
	k.admission.Lock()
	defer k.admission.Unlock()
	k.mu.RLock()
	gone := k.in.byID[s.ID] != s || k.in.byMAC[mac] != nil || s.over(now)
	k.mu.RUnlock()
	if gone || k.logins.take(string(mac[:]), now) > 0 { // he is let in as he comes again
		return nil
	}
	next := *s
	next.ID, next.MAC, next.Device, next.Addr = newID(), mac, dict.EtherValue(mac).String(), bare(from.Addr)
	next.Since, next.Seen, next.Moved, next.mark, next.Reported = now, now, Figures{}, Figures{}, time.Time{}
	if next.Bytes != nil && k.cfg.Volume != nil {
		if left, ok := k.cfg.Volume.Left(s.User); ok {
			next.Bytes = &left
		}
	}
	if err := k.end(s, CauseTurnedUp); err != nil {
		return err
	}
	if err := k.begin(&next); err != nil {
		return err
	}
	k.counts.rebound.Add(1)
	k.mu.RLock()
	defer k.mu.RUnlock()
	k.show(v, &next)
	return nil
}

// at returns the session of who asks. ErrNotIn.
func (k *Keeper) at(from From) (*session, error) {
	mac, err := k.cfg.Directory.DeviceAt(bare(from.Addr))
	if err != nil {
		return nil, ErrNotIn
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if s := k.in.byMAC[mac]; s != nil {
		return s, nil
	}
	return nil, ErrNotIn
}

// Leave implements Desk.
func (k *Keeper) Leave(_ context.Context, from From) error {
	k.admission.Lock()
	defer k.admission.Unlock()
	s, err := k.at(from)
	if err != nil {
		return err
	}
	return k.end(s, CauseLeft)
}

// Extend implements Desk.
func (k *Keeper) Extend(ctx context.Context, from From) (Visitor, error) {
	err := k.extend(from)
	if err != nil {
		return Visitor{}, err
	}
	return k.Visitor(ctx, from)
}

func (k *Keeper) extend(from From) error {
	k.admission.Lock()
	defer k.admission.Unlock()
	s, err := k.at(from)
	if err != nil {
		return err
	}
	now := k.cfg.Clock()
	if !s.CanGoOn || s.Until.IsZero() || s.over(now) {
		return ErrCannotExtend
	}
	return k.change(s, func(next *session) { next.setUntil(now) })
}

// change has a session be another way. k.admission is held.
func (k *Keeper) change(s *session, f func(*session)) error {
	k.mu.RLock()
	next := *s
	k.mu.RUnlock()
	f(&next)
	if err := k.store.save(&next); err != nil {
		return err
	}
	if err := k.cfg.Directory.Login(next.login(true)); err != nil {
		return err
	}
	k.mu.Lock()
	*s = next
	k.mu.Unlock()
	k.rouse()
	k.publish(event.PortalLogin, s, "")
	return nil
}
