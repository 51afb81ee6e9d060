// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
)

// Bounds of what the pages may hand over.
const (
	maxName   = 128
	maxSecret = 1024
)

// Enter implements Desk.
func (k *Keeper) Enter(ctx context.Context, from From, c Credentials) (Visitor, error) {
	if len(c.Name) > maxName || len(c.Secret) > maxSecret {
		k.counts.refused.Add(1)
		return Visitor{}, ErrWrong
	}
	return k.try(ctx, from, c.Way, c.Name, func(w Way, a Attempt) (Grant, error) {
		a.Name, a.Secret = c.Name, c.Secret
		return w.Check(ctx, a)
	})
}

// Begin implements Desk.
func (k *Keeper) Begin(ctx context.Context, from From, way string) (redirect string, err error) {
	_, err = k.attempt(ctx, from, way, "", func(w Way, a Attempt) (Grant, error) {
		j, ok := w.(Journey)
		if !ok {
			return Grant{}, ErrNoWay
		}
		redirect, err = j.Begin(ctx, a)
		return Grant{}, err
	}, nil)
	return redirect, err
}

// Finish implements Desk.
func (k *Keeper) Finish(ctx context.Context, from From, way, state, code string) (Visitor, error) {
	return k.try(ctx, from, way, "", func(w Way, a Attempt) (Grant, error) {
		j, ok := w.(Journey)
		if !ok {
			return Grant{}, ErrNoWay
		}
		return j.Finish(ctx, a, state, code)
	})
}

func (k *Keeper) try(ctx context.Context, from From, way, name string, check func(Way, Attempt) (Grant, error)) (Visitor, error) {
	cookie, err := k.attempt(ctx, from, way, name, check, k.admit)
	if err != nil {
		return Visitor{}, err
	}
	v, err := k.Visitor(ctx, from)
	v.Cookie = cookie
	return v, err
}

// attempt has a way judge, and lets in by what it grants. An attempt that succeeds
// costs none of those that a device and a name have.
func (k *Keeper) attempt(
	ctx context.Context, from From, way, name string, check func(Way, Attempt) (Grant, error), admit func(way string, a *Attempt, g *Grant) (string, error),
) (cookie string, err error) {
	defer func() {
		var r *Refusal
		switch {
		case err == nil:
		case errors.Is(err, ErrTooFast):
			k.counts.tooFast.Add(1)
		case errors.As(err, &r):
			k.counts.refused.Add(1)
		default:
			k.counts.failed.Add(1)
		}
	}()
	w := k.ways[way]
	if w == nil || !slices.Contains(k.settings.Load().Ways, way) {
		return "", ErrNoWay
	}
	a := Attempt{Addr: bare(from.Addr), Session: newID()}
	if a.MAC, err = k.device(ctx, a.Addr); err != nil {
		return "", err
	}
	now := k.cfg.Clock()
	device := string(a.MAC[:])
	if wait := k.byDevice.take(device, now); wait > 0 {
		return "", &Refusal{CodeTooFast, wait}
	}
	if name != "" {
		name = way + "\x00" + name
		if wait := k.byName.take(name, now); wait > 0 {
			return "", &Refusal{CodeTooFast, wait}
		}
	}
	g, err := check(w, a)
	if err == nil && admit != nil {
		if wait := k.logins.take(device, now); wait > 0 {
			return "", &Refusal{CodeTooFast, wait}
		}
		cookie, err = admit(way, &a, &g)
	}
	// Who is refused after he has shown who he is has guessed nothing.
	if err == nil && admit != nil || errors.Is(err, ErrTooManyDevices) {
		k.byDevice.giveBack(device)
		k.byName.giveBack(name)
	}
	return cookie, err
}

// bare returns an address as rows name it.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// patience is how long a neighbour is waited for that the kernel has just met.
const (
	patience = 500 * time.Millisecond
	lookPace = 20 * time.Millisecond
)

// device returns who has an address. ErrUnknownDevice.
func (k *Keeper) device(ctx context.Context, addr netip.Addr) ([6]byte, error) {
	for waited := time.Duration(0); ; waited += lookPace {
		mac, err := k.cfg.Directory.DeviceAt(addr)
		if err == nil {
			return mac, nil
		}
		if waited >= patience {
			return mac, ErrUnknownDevice
		}
		select {
		case <-ctx.Done():
			return mac, ctx.Err()
		case <-time.After(lookPace):
		}
	}
}

// newID returns a name for a session.
func newID() string {
	b := make([]byte, 8)
	rand.Read(b) // does not fail
	return hex.EncodeToString(b)
}

// newCookie returns what nobody guesses.
func newCookie() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// admit begins a session. It is in the file before rows say so.
func (k *Keeper) admit(way string, a *Attempt, g *Grant) (cookie string, err error) {
	if g.Bytes != nil && k.cfg.Volume == nil {
		return "", fmt.Errorf("session of %s: volume: %w: there is no plan for it", dict.Quote(g.User), dict.ErrNotSupported)
	}
	if !ownName(way, g.User) {
		return "", ErrRefused
	}
	settings, now := k.settings.Load(), k.cfg.Clock()
	cookie = newCookie()
	s := &session{Session: Session{
		ID: a.Session, Way: way, User: g.User, Groups: g.Groups, MAC: a.MAC, Device: dict.EtherValue(a.MAC).String(), Addr: a.Addr,
		Since: now, Idle: orElse(g.Idle, settings.Idle), Interim: g.Interim, Bytes: g.Bytes, Class: g.Class, Seen: now,
	}, Cookie: hashOf(cookie), Whole: orElse(g.For, settings.Session), Last: g.Until, CanGoOn: g.Extend && settings.Extend}
	s.setUntil(now)
	if s.over(now) {
		return "", ErrExpired
	}
	k.admission.Lock()
	defer k.admission.Unlock()
	if err := k.makePlace(s, orElse(g.Devices, settings.Devices), settings.Refuse); err != nil {
		return "", err
	}
	if w, ok := k.ways[way].(holder); ok {
		if err := w.hold(g); err != nil {
			return "", err
		}
		s.Bytes = g.Bytes
	}
	return cookie, k.begin(s)
}

// holder is a Way whose grants may be others by the time they are used: what granted them
// was taken back meanwhile, or had less left when the session before ended.
type holder interface {
	// hold brings a grant up to date, or refuses it. Keeper.admission is held.
	hold(g *Grant) error
}

// ownName reports whether a way may let in a user of a name: those of clicks and
// vouchers are nobody else's, who would have their volume and their devices.
func ownName(way, user string) bool {
	for prefix, of := range map[string]string{guestUser: Click, voucherUser: Voucher} {
		if strings.HasPrefix(user, prefix) && way != of {
			return false
		}
	}
	return true
}

// orElse returns what was granted: 0 is what the settings say, below 0 none.
func orElse[T int | time.Duration](granted, settings T) T {
	if granted == 0 {
		return settings
	}
	return max(granted, 0)
}

// makePlace ends what stands in the way of a session: another at its device, and those
// of devices that are too many for its user.
func (k *Keeper) makePlace(s *session, devices int, refuse bool) error {
	k.mu.RLock()
	was := k.in.byMAC[s.MAC]
	full := was == nil && len(k.in.byID) >= k.most
	idlest := k.idlest(full, s.Since)
	others := slices.DeleteFunc(slices.Clone(k.in.byUser[s.User]), func(o *session) bool { return o == was })
	k.mu.RUnlock()
	var out []*session
	if full {
		if idlest == nil {
			return fmt.Errorf("session: %w: there are %d", identity.ErrTooMany, k.most)
		}
		out = append(out, idlest)
	}
	if over := len(others) + 1 - devices; devices > 0 && over > 0 {
		if refuse {
			return ErrTooManyDevices
		}
		out = append(out, others[:over]...)
	}
	if was != nil {
		out = append(out, was)
	}
	for i, o := range out {
		if slices.Contains(out[:i], o) {
			continue
		}
		if err := k.end(o, CauseReplaced); err != nil {
			return err
		}
	}
	return nil
}

// quiet is how long a session that was had for a click has moved nothing which makes
// place for others, where there is none.
const quiet = time.Minute

// idlest returns the session to make place, nil if there is none: somebody may have made
// up many devices. k.mu is held.
func (k *Keeper) idlest(wanted bool, now time.Time) (idlest *session) {
	if !wanted {
		return nil
	}
	for _, s := range k.in.byID {
		if s.Way == Click && now.Sub(s.Seen) >= quiet && (idlest == nil || s.Seen.Before(idlest.Seen)) {
			idlest = s
		}
	}
	return idlest
}

// begin lets a session in. Where it fails nothing of it is left.
func (k *Keeper) begin(s *session) error {
	k.mu.RLock()
	alone := !slices.ContainsFunc(k.in.byUser[s.User], func(o *session) bool { return o.Bytes != nil })
	k.mu.RUnlock()
	if err := k.store.save(s); err != nil {
		return fmt.Errorf("session of %s: %w", dict.Quote(s.User), err)
	}
	err := error(nil)
	if s.Bytes != nil && alone { // what is counted of others goes on
		if err = k.cfg.Directory.Login(s.login(false)); err == nil {
			err = k.cfg.Volume.Grant(s.User, *s.Bytes)
		}
	}
	if err == nil {
		err = k.cfg.Directory.Login(s.login(true))
	}
	if err != nil {
		_, undone := k.cfg.Directory.Logout(By, s.ID)
		return errors.Join(fmt.Errorf("session of %s: %w", dict.Quote(s.User), err), k.store.end(s, false), undone)
	}
	k.enter(s)
	k.counts.logins.Add(1)
	k.rouse()
	k.publish(event.PortalLogin, s, "")
	k.teller.add(s, told{started: true})
	return nil
}
