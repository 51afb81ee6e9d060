// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// set makes a user, or gives him other groups.
func (s *State) set(name, groups string) error {
	return s.do(&change{touches: []string{goneUser + name}, plan: func() (func(buckets) error, func(), error) {
		if was, ok := s.group[name]; ok && was == groups {
			return nil, nil, nil
		}
		if err := s.roomForUser(name); err != nil {
			return nil, nil, err
		}
		return func(b buckets) error { return putUser(b, name, groups) }, func() { s.haveUser(name, groups) }, nil
	}})
}

// roomForUser refuses a user for whom there is no place. Of changes that are
// written together each counts those before it.
func (s *State) roomForUser(name string) error {
	if _, ok := s.group[name]; ok {
		return nil
	}
	if s.freshUsers++; len(s.group)+s.freshUsers > maxUsers {
		return fmt.Errorf("user %q: %w: there are %d", name, ErrTooMany, maxUsers)
	}
	return nil
}

func putUser(b buckets, name, groups string) error {
	return errors.Join(b.users.Put([]byte(name), []byte(groups)), b.gone.Delete([]byte(goneUser+name)))
}

func (s *State) haveUser(name, groups string) {
	s.group[name] = groups
	delete(s.gone, goneUser+name)
}

// bind gives a device to a user, who is made if need be.
func (s *State) bind(mac [6]byte, name string) error {
	grave := goneDevice + string(mac[:])
	return s.do(&change{touches: []string{grave, goneUser + name}, plan: func() (func(buckets) error, func(), error) {
		if s.bound.user[mac] == name {
			return nil, nil, nil
		}
		if err := s.roomForUser(name); err != nil {
			return nil, nil, err
		}
		if _, ok := s.bound.user[mac]; !ok {
			if s.freshBound++; len(s.bound.user)+s.freshBound > maxBound {
				return nil, nil, fmt.Errorf("device: %w: %d have a user", ErrTooMany, maxBound)
			}
		}
		groups := s.group[name]
		return func(b buckets) error {
				return errors.Join(putUser(b, name, groups), b.devices.Put(mac[:], []byte(name)), b.gone.Delete([]byte(grave)))
			}, func() {
				s.haveUser(name, groups)
				s.bound.set(mac, name)
				delete(s.gone, grave)
			}, nil
	}})
}

// unbind takes a device from its user, and reports whether it had one.
func (s *State) unbind(mac [6]byte) (had bool, err error) {
	grave := goneDevice + string(mac[:])
	err = s.do(&change{touches: []string{grave}, plan: func() (func(buckets) error, func(), error) {
		if _, had = s.bound.user[mac]; !had {
			return nil, nil, nil
		}
		return func(b buckets) error {
				return errors.Join(b.devices.Delete(mac[:]), b.gone.Put([]byte(grave), nil))
			}, func() {
				s.bound.remove(mac)
				s.gone[grave] = false
			}, nil
	}})
	return had, err
}

// remove forgets a user and returns the devices that were his.
func (s *State) remove(name string) (devices [][6]byte, err error) {
	err = s.do(&change{plan: func() (func(buckets) error, func(), error) { // of any device
		devices = s.bound.of(name)
		graves := []string{goneUser + name}
		for _, mac := range devices {
			graves = append(graves, goneDevice+string(mac[:]))
		}
		return func(b buckets) error {
				errs := []error{b.users.Delete([]byte(name))}
				for _, mac := range devices {
					errs = append(errs, b.devices.Delete(mac[:]))
				}
				for _, grave := range graves {
					errs = append(errs, b.gone.Put([]byte(grave), nil))
				}
				return errors.Join(errs...)
			}, func() {
				delete(s.group, name)
				for _, mac := range devices {
					s.bound.remove(mac)
				}
				for _, grave := range graves {
					s.gone[grave] = false
				}
			}, nil
	}})
	if err != nil {
		return nil, err
	}
	return devices, nil
}

// recall takes over what rows of an earlier run say, while the file cannot be
// read.
func (s *State) recall(mac [6]byte, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if CheckUser(name) != nil || len(s.bound.user) >= maxBound {
		return
	}
	s.bound.set(mac, name)
	if _, there := s.group[name]; !there {
		s.group[name] = ""
	}
}

// recallGroups takes over the groups of a user that recall knows.
func (s *State) recallGroups(name, groups string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.group[name]; there {
		s.group[name] = groups
	}
}

// boundTo returns the user to whom a device is bound, "" if there is none.
func (s *State) boundTo(mac [6]byte) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bound.user[mac]
}

// known reports whether a user was made, be he logged in or not.
func (s *State) known(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.group[name]
	return ok
}

// devicesOf returns the devices of a user, in their order.
func (s *State) devicesOf(name string) [][6]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	devices := s.bound.of(name)
	for _, l := range s.logins.byUser[name] {
		if l.MAC != ([6]byte{}) {
			devices = append(devices, l.MAC)
		}
	}
	slices.SortFunc(devices, func(a, b [6]byte) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(devices)
}

// addressesOf returns the addresses of a user's logins that tell no device.
func (s *State) addressesOf(name string) (addrs []netip.Addr) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.logins.byUser[name] {
		if l.MAC == ([6]byte{}) {
			addrs = append(addrs, l.Addrs...)
		}
	}
	return addrs
}

// users returns how many there are.
func (s *State) users() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := len(s.group)
	for name := range s.logins.byUser {
		if _, there := s.group[name]; !there {
			n++
		}
	}
	return n
}

// each calls the functions for copies of all devices that have a user, and of
// all users.
func (s *State) each(bound func(mac [6]byte, name string), user func(name string)) {
	s.mu.RLock()
	devices, groups := maps.Clone(s.bound.user), maps.Clone(s.group)
	for name := range s.logins.byUser {
		groups[name] = ""
	}
	for mac, l := range s.logins.byMAC {
		devices[mac] = l[0].User
	}
	s.mu.RUnlock()
	for mac, name := range devices {
		bound(mac, name)
	}
	for name := range groups {
		user(name)
	}
}
