// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// State keeps users, their groups and their devices: in memory, where the
// questions come, and in a file, which is written before anything is so. The
// file is made with the first user.
type State struct {
	path string

	mu    sync.RWMutex
	db    *bbolt.DB         // nil while there is no file
	group map[string]string // groups by user, with commas between
	user  map[[6]byte]string
}

// Buckets of the file: users, name to groups; devices, MAC to user.
var (
	bucketUsers   = []byte("users")
	bucketDevices = []byte("devices")
)

// lockPatience is how long another process may have the file.
const lockPatience = time.Second

// ErrInUse says that another process has the file of a State.
var ErrInUse = errors.New("in use by another process")

// OpenState reads the state of a directory, which need not exist; "" keeps all
// in memory. Close must follow.
func OpenState(dir string) (*State, error) {
	s := &State{group: make(map[string]string), user: make(map[[6]byte]string)}
	if dir == "" {
		return s, nil
	}
	s.path = filepath.Join(dir, "dictd.db")
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("state %s: %w", s.path, err), s.Close())
	}
	return s, nil
}

// open opens the file, or makes it.
func (s *State) open() error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: lockPatience})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrInUse
	}
	if err != nil {
		return fmt.Errorf("state %s: %w", s.path, err)
	}
	s.db = db
	return nil
}

// read fills the memory. What is not sound is refused.
func (s *State) read() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketUsers); b != nil {
			if err := b.ForEach(func(k, v []byte) error {
				if err := CheckUser(string(k)); err != nil {
					return err
				}
				s.group[string(k)] = string(v)
				return nil
			}); err != nil {
				return err
			}
		}
		b := tx.Bucket(bucketDevices)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			if _, known := s.group[string(v)]; len(k) != 6 || !known {
				return fmt.Errorf("device %x of user %q: not sound", k, v)
			}
			s.user[[6]byte(k)] = string(v)
			return nil
		})
	})
}

// Close closes the file.
func (s *State) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db = nil
	return err
}

// change makes a change in the file; it is on the disk when it returns. s.mu is
// held.
func (s *State) change(f func(users, devices *bbolt.Bucket) error) error {
	if s.path == "" {
		return nil
	}
	if s.db == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		users, err := tx.CreateBucketIfNotExists(bucketUsers)
		if err != nil {
			return err
		}
		devices, err := tx.CreateBucketIfNotExists(bucketDevices)
		if err != nil {
			return err
		}
		return f(users, devices)
	})
	if err != nil {
		return fmt.Errorf("state %s: %w", s.path, err)
	}
	return nil
}

// set makes a user, or gives him other groups.
func (s *State) set(name, groups string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setLocked(name, groups)
}

func (s *State) setLocked(name, groups string) error {
	if was, ok := s.group[name]; ok && was == groups {
		return nil
	} else if !ok && len(s.group) >= maxUsers {
		return fmt.Errorf("user %q: %w: there are %d", name, ErrTooMany, maxUsers)
	}
	if err := s.change(func(users, _ *bbolt.Bucket) error { return users.Put([]byte(name), []byte(groups)) }); err != nil {
		return err
	}
	s.group[name] = groups
	return nil
}

// bind gives a device to a user, who is made if need be.
func (s *State) bind(mac [6]byte, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.user[mac]; !ok && len(s.user) >= maxBound {
		return fmt.Errorf("device: %w: %d have a user", ErrTooMany, maxBound)
	}
	if _, ok := s.group[name]; !ok {
		if err := s.setLocked(name, ""); err != nil {
			return err
		}
	}
	if s.user[mac] == name {
		return nil
	}
	if err := s.change(func(_, devices *bbolt.Bucket) error { return devices.Put(mac[:], []byte(name)) }); err != nil {
		return err
	}
	s.user[mac] = name
	return nil
}

// unbind takes a device from its user, and reports whether it had one.
func (s *State) unbind(mac [6]byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.user[mac]; !ok {
		return false, nil
	}
	if err := s.change(func(_, devices *bbolt.Bucket) error { return devices.Delete(mac[:]) }); err != nil {
		return true, err
	}
	delete(s.user, mac)
	return true, nil
}

// remove forgets a user and returns the devices that were his.
func (s *State) remove(name string) (devices [][6]byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	devices = s.devicesLocked(name)
	err = s.change(func(users, bound *bbolt.Bucket) error {
		errs := []error{users.Delete([]byte(name))}
		for _, mac := range devices {
			errs = append(errs, bound.Delete(mac[:]))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, err
	}
	delete(s.group, name)
	for _, mac := range devices {
		delete(s.user, mac)
	}
	return devices, nil
}

// userOf returns the user of a device, "" if it has none.
func (s *State) userOf(mac [6]byte) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.user[mac]
}

// groupsOf returns a user's groups, false if there is no such user.
func (s *State) groupsOf(name string) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	groups, ok := s.group[name]
	return groups, ok
}

// devicesOf returns the devices of a user in their order.
func (s *State) devicesOf(name string) [][6]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.devicesLocked(name)
}

func (s *State) devicesLocked(name string) (devices [][6]byte) {
	for mac, of := range s.user {
		if of == name {
			devices = append(devices, mac)
		}
	}
	slices.SortFunc(devices, func(a, b [6]byte) int { return slices.Compare(a[:], b[:]) })
	return devices
}

// users returns how many there are.
func (s *State) users() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.group)
}

// each calls the functions for copies of all that is bound, and of all users.
func (s *State) each(bound func(mac [6]byte, name string), user func(name string)) {
	s.mu.RLock()
	devices, groups := maps.Clone(s.user), maps.Clone(s.group)
	s.mu.RUnlock()
	for mac, name := range devices {
		bound(mac, name)
	}
	for name := range groups {
		user(name)
	}
}
