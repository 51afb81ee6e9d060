// SPDX-License-Identifier: MIT

package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"nftdict/dict"
)

// Login says who uses a device, for as long as somebody who has let him in says
// so. It wins over whom the device is bound to.
type Login struct {
	By      string       `json:"by"`      // who says so
	Session string       `json:"session"` // what he calls it
	User    string       `json:"user"`
	Groups  []string     `json:"groups,omitempty"` // besides those that the user has
	MAC     [6]byte      `json:"mac"`              // zeros: whoever has the addresses
	Addrs   []netip.Addr `json:"addrs,omitempty"`
	Since   time.Time    `json:"since"`
	Until   time.Time    `json:"until"`            // unless it is told again
	LetIn   bool         `json:"let_in,omitempty"` // a portal lets the device in; it names one
	Note    []byte       `json:"note,omitempty"`   // what By remembers of it, at most MaxNote bytes; nobody else reads it

	kept time.Time // Until, as the file has it
}

// Bounds of logins.
const (
	MaxNote = 4096 // bytes

	maxLogins    = 65536
	maxAddresses = 16 // of a login
	maxGroups    = 32 // of a login
	maxEnded     = 4096
)

// endedLife is how long a login that has ended is not believed again: what tells
// of it may be late.
const endedLife = 10 * time.Minute

// ErrEnded says that a login has ended before.
var ErrEnded = errors.New("the login has ended")

// loginKey is what a login is told apart by.
type loginKey struct{ by, session string }

func (k loginKey) String() string { return k.by + "\x00" + k.session }

// logins are those that last. Under State.mu.
type logins struct {
	byKey  map[loginKey]*Login
	byMAC  map[[6]byte][]*Login
	byAddr map[netip.Addr][]*Login
	byUser map[string][]*Login
	ended  map[loginKey]time.Time
}

func newLogins() logins {
	return logins{
		make(map[loginKey]*Login), make(map[[6]byte][]*Login), make(map[netip.Addr][]*Login), make(map[string][]*Login), make(map[loginKey]time.Time),
	}
}

// read takes a login from the file.
func (l *logins) read(_, text []byte) error {
	var one Login
	if err := json.Unmarshal(text, &one); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	if err := one.check(); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	one.kept = one.Until
	l.add(&one)
	return nil
}

// check refuses what cannot be.
func (l *Login) check() error {
	if len(l.Session) > dict.MaxString || len(l.By) > dict.MaxString {
		return fmt.Errorf("session: %w", dict.ErrTooLong)
	}
	if len(l.Note) > MaxNote {
		return fmt.Errorf("note: %w", dict.ErrTooLong)
	}
	if len(l.Addrs) > maxAddresses || len(l.Groups) > maxGroups {
		return fmt.Errorf("addresses or groups: %w", ErrTooMany)
	}
	if l.MAC[0]&1 != 0 || l.MAC == ([6]byte{}) && len(l.Addrs) == 0 {
		return fmt.Errorf("device: %w: want the address of one device", dict.ErrInvalid)
	}
	for _, a := range l.Addrs {
		if !a.IsValid() || a.Zone() != "" || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() {
			return fmt.Errorf("address %s: %w: want a host's", a, dict.ErrInvalid)
		}
	}
	if l.LetIn && l.MAC == ([6]byte{}) {
		return fmt.Errorf("device: %w: want the one that is let in", dict.ErrInvalid)
	}
	return CheckUser(l.User)
}

func (l *Login) key() loginKey { return loginKey{l.By, l.Session} }

// add puts a login, whose key is not there, in front of those of its device.
func (l *logins) add(one *Login) {
	l.byKey[one.key()] = one
	l.byUser[one.User] = append(l.byUser[one.User], one)
	later := func(a, b *Login) int { return b.Since.Compare(a.Since) }
	if one.MAC != ([6]byte{}) {
		l.byMAC[one.MAC] = append(l.byMAC[one.MAC], one)
		slices.SortStableFunc(l.byMAC[one.MAC], later)
		return
	}
	for _, a := range one.Addrs {
		l.byAddr[a] = append(l.byAddr[a], one)
		slices.SortStableFunc(l.byAddr[a], later)
	}
}

// succeed puts a new login in front of those of its device that began later than now,
// which is by a clock that was ahead: else these would last.
func (l *logins) succeed(one *Login, now time.Time) {
	all := l.byMAC[one.MAC]
	if one.MAC == ([6]byte{}) {
		for _, a := range one.Addrs {
			all = append(all[:len(all):len(all)], l.byAddr[a]...)
		}
	}
	for _, other := range all {
		if other.Since.Round(0).After(now.Round(0)) && !one.Since.Round(0).After(other.Since.Round(0)) {
			one.Since = other.Since.Add(1)
		}
	}
}

// remove takes a login out.
func (l *logins) remove(one *Login) {
	delete(l.byKey, one.key())
	drop(l.byUser, one.User, one)
	drop(l.byMAC, one.MAC, one)
	for _, a := range one.Addrs {
		drop(l.byAddr, a, one)
	}
}

func drop[K comparable](m map[K][]*Login, k K, one *Login) {
	if m[k] = slices.DeleteFunc(m[k], func(l *Login) bool { return l == one }); len(m[k]) == 0 {
		delete(m, k)
	}
}

// login notes a login, or that one goes on, and returns what it was before, nil
// if it is new. It is written where that changes much.
func (s *State) login(l *Login, now time.Time) (was *Login, err error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	err = s.do(&change{plan: func() (func(buckets) error, func(), error) {
		if _, ended := s.logins.ended[l.key()]; ended {
			return nil, nil, fmt.Errorf("session %s: %w", dict.Quote(l.Session), ErrEnded)
		}
		was = s.logins.byKey[l.key()]
		switch {
		case was == nil && len(s.logins.byKey) >= maxLogins:
			return nil, nil, fmt.Errorf("logins: %w: there are %d", ErrTooMany, maxLogins)
		case was != nil:
			l.goOn(was)
		default:
			s.logins.succeed(l, now)
		}
		// A login that goes on costs the disk one write in half of its time.
		if was != nil && was.same(l) && was.kept.Sub(now) >= l.Until.Sub(now)/2 {
			return nil, func() { was.Until = l.Until }, nil
		}
		text, err := json.Marshal(l)
		if err != nil {
			return nil, nil, err
		}
		return func(b buckets) error { return b.logins.Put([]byte(l.key().String()), text) }, func() {
			l.kept = l.Until
			if was != nil {
				s.logins.remove(was)
			}
			s.logins.add(l)
		}, nil
	}})
	if err != nil {
		return nil, err
	}
	return was, nil
}

// goOn takes over what was told before: what goes on need not be told as a whole.
func (l *Login) goOn(was *Login) {
	l.Since = was.Since
	if len(l.Groups) == 0 {
		l.Groups = was.Groups
	}
	if len(l.Addrs) == 0 {
		l.Addrs = was.Addrs
	}
	if l.MAC == ([6]byte{}) {
		l.MAC = was.MAC
	}
	if l.Note == nil {
		l.Note = was.Note
	}
}

// same reports whether two logins say the same.
func (l *Login) same(o *Login) bool {
	return l.User == o.User && l.MAC == o.MAC && l.LetIn == o.LetIn && slices.Equal(l.Addrs, o.Addrs) && slices.Equal(l.Groups, o.Groups) && bytes.Equal(l.Note, o.Note)
}

// logout ends the logins for which a function returns true, and returns them.
func (s *State) logout(which func(*Login) bool) (ended []*Login, err error) {
	err = s.do(&change{plan: func() (func(buckets) error, func(), error) {
		for _, l := range s.logins.byKey {
			if which(l) {
				ended = append(ended, l)
			}
		}
		if len(ended) == 0 {
			return nil, nil, nil
		}
		var graves []string
		for _, l := range ended {
			graves = append(graves, s.graves(l)...)
		}
		return func(b buckets) error {
				var errs []error
				for _, l := range ended {
					errs = append(errs, b.logins.Delete([]byte(l.key().String())))
				}
				for _, grave := range graves {
					errs = append(errs, b.gone.Put([]byte(grave), nil))
				}
				return errors.Join(errs...)
			}, func() {
				for _, l := range ended {
					s.logins.remove(l)
				}
				for _, grave := range graves {
					s.gone[grave] = false
				}
			}, nil
	}})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// graves returns the tombstones of a login: what rows may still say of it. s.mu is
// held.
func (s *State) graves(l *Login) (keys []string) {
	if l.MAC != ([6]byte{}) {
		keys = append(keys, goneDevice+string(l.MAC[:]))
		if l.LetIn {
			keys = append(keys, goneIn+string(l.MAC[:]))
		}
	} else {
		for _, a := range l.Addrs {
			keys = append(keys, goneAddr+a.String())
		}
	}
	if _, there := s.group[l.User]; !there {
		keys = append(keys, goneUser+l.User)
	}
	return keys
}

// noteEnded has what comes late of a login refused; of all of somebody's where no
// session is named, believed again.
func (s *State) noteEnded(k loginKey, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, at := range s.logins.ended {
		if now.Sub(at) >= endedLife || len(s.logins.ended) >= maxEnded || k.session == "" && key.by == k.by {
			delete(s.logins.ended, key)
		}
	}
	if k.session != "" {
		s.logins.ended[k] = now
	}
}

// userOf returns who uses a device: who is logged in at it or at one of its
// addresses, else to whom it is bound, "" if nobody.
func (s *State) userOf(mac [6]byte, addrs func(func(netip.Addr) bool)) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l := s.logins.byMAC[mac]; len(l) > 0 {
		return l[0].User
	}
	if len(s.logins.byAddr) > 0 {
		for a := range addrs {
			if l := s.logins.byAddr[a]; len(l) > 0 {
				return l[0].User
			}
		}
	}
	return s.bound.user[mac]
}

// userAt returns who is logged in at an address of which no device is known.
func (s *State) userAt(addr netip.Addr) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l := s.logins.byAddr[addr]; len(l) > 0 {
		return l[0].User
	}
	return ""
}

// groupsOf returns a user's groups, with commas between, false if there is no
// such user. Groups of logins that have no room are left out.
func (s *State) groupsOf(name string) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	groups, ok := s.group[name]
	all := s.logins.byUser[name]
	if len(all) == 0 {
		return groups, ok
	}
	has := strings.FieldsFunc(groups, func(r rune) bool { return r == ',' })
	for _, l := range all {
		for _, g := range l.Groups {
			if joined, err := JoinGroups(append(has[:len(has):len(has)], g)); err == nil {
				has, groups = append(has, g), joined
			}
		}
	}
	return groups, true
}

// Login notes who uses a device. Rows say so when it returns. dict.ErrInvalid,
// dict.ErrTooLong, ErrTooMany, ErrEnded, ErrNoState.
func (d *Directory) Login(l Login) error {
	was, err := d.cfg.State.login(&l, d.cfg.Clock())
	if err != nil {
		return err
	}
	d.endBy(l.Until)
	if was != nil && was.same(&l) {
		return nil
	}
	d.loginsChanged(slices.DeleteFunc([]*Login{was, &l}, func(l *Login) bool { return l == nil }))
	return nil
}

// Logout ends one login of somebody who told it, or all of his where no session
// is named: he begins anew. It returns how many.
func (d *Directory) Logout(by, session string) (int, error) {
	n, err := d.logout(func(l *Login) bool { return l.By == by && (session == "" || l.Session == session) })
	if err == nil {
		d.cfg.State.noteEnded(loginKey{by, session}, d.cfg.Clock())
	}
	return n, err
}

func (d *Directory) logout(which func(*Login) bool) (int, error) {
	ended, err := d.cfg.State.logout(which)
	if err == nil && len(ended) > 0 {
		d.loginsChanged(ended)
	}
	return len(ended), err
}

// loginsChanged writes what follows from a change of logins.
func (d *Directory) loginsChanged(all []*Login) {
	d.mu.Lock()
	for _, l := range all {
		d.changed.users[l.User] = struct{}{}
		if l.MAC != ([6]byte{}) {
			d.markUserOf(l.MAC)
			continue
		}
		for _, a := range l.Addrs {
			if h := d.hosts[a]; h != nil {
				d.markDevice(h.device)
			}
			d.changed.hosts[a] = struct{}{}
		}
	}
	d.mu.Unlock()
	d.Flush()
}

// eachAddress calls a function for copies of the addresses of logins that tell no
// device.
func (s *State) eachAddress(f func(netip.Addr)) {
	s.mu.RLock()
	all := slices.Collect(maps.Keys(s.logins.byAddr))
	s.mu.RUnlock()
	for _, a := range all {
		f(a)
	}
}
