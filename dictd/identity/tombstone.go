// SPDX-License-Identifier: MIT

package identity

import (
	"net/netip"
)

// tombstones are users that were deleted and devices that were taken from
// theirs, and whether the rows that said so are gone: a daemon that is killed
// between leaves the next one word of what it has to take back. They leave the
// file with a later change, or when it is closed.
type tombstones map[string]bool

// Kinds of what is gone, before its name.
const (
	goneUser   = "u"
	goneDevice = "d"
	goneIn     = "i" // a device that was let in
	goneAddr   = "a" // of a login that named no device
)

// done returns those that can leave the file.
func (t tombstones) done() (keys []string) {
	for key, done := range t {
		if done {
			keys = append(keys, key)
		}
	}
	return keys
}

// forget forgets those that have left the file.
func (t tombstones) forget(keys []string) {
	for _, key := range keys {
		delete(t, key)
	}
}

// eachGone calls a function for copies of what rows may still say.
func (s *State) eachGone(user func(name string), device, out func(mac [6]byte), address func(netip.Addr)) {
	s.mu.RLock()
	var keys []string
	for key, done := range s.gone {
		if !done {
			keys = append(keys, key)
		}
	}
	s.mu.RUnlock()
	for _, key := range keys {
		switch name := key[1:]; {
		case key[:1] == goneUser:
			user(name)
		case key[:1] == goneDevice && len(name) == 6:
			device([6]byte([]byte(name)))
		case key[:1] == goneIn && len(name) == 6:
			out([6]byte([]byte(name)))
		case key[:1] == goneAddr:
			if a, err := netip.ParseAddr(name); err == nil {
				address(a)
			}
		}
	}
}

// rowsSay notes that no row speaks of what is gone any more; out are devices of whose
// hosts none does.
func (s *State) rowsSay(users []string, devices, out [][6]byte, addrs []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.gone) == 0 {
		return
	}
	done := func(key string) {
		if _, there := s.gone[key]; there {
			s.gone[key] = true
		}
	}
	for _, name := range users {
		done(goneUser + name)
	}
	for _, mac := range devices {
		done(goneDevice + string(mac[:]))
	}
	for _, mac := range out {
		done(goneIn + string(mac[:]))
	}
	for _, a := range addrs {
		done(goneAddr + a.String())
	}
}
