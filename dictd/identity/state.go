// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
)

// State keeps users, their groups, their devices and who is logged in: in
// memory, where the questions come, and in a file, which is written before
// anything is so. The file is made with the first user.
type State struct {
	path string
	line line
	// Under line.turn.
	db     *boltfile.File // nil while there is no file
	broken error          // why the file there cannot be read; it is left as it is. Set once
	// freshUsers and freshBound are what the changes at hand add.
	freshUsers, freshBound int

	mu     sync.RWMutex
	group  map[string]string // groups by user, with commas between
	bound  bound
	logins logins
	gone   tombstones
}

// Buckets of the file: users, name to groups; devices, MAC to user; gone, what
// rows may still say; logins, as JSON by key.
var (
	bucketUsers   = []byte("users")
	bucketDevices = []byte("devices")
	bucketGone    = []byte("gone")
	bucketLogins  = []byte("logins")
)

// buckets are the open buckets of a change.
type buckets struct{ users, devices, gone, logins *bbolt.Bucket }

// lockPatience is how long another process may have the file.
const lockPatience = time.Second

// ErrNoState says that a State's file cannot be read, so that nothing can be
// changed.
var ErrNoState = errors.New("the state of users cannot be read")

// OpenState reads the state of a directory, which need not exist; "" keeps all
// in memory. Close must follow. A file that cannot be read is left alone: see
// Broken.
func OpenState(dir string) *State {
	s := &State{group: make(map[string]string), bound: newBound(), logins: newLogins(), gone: make(tombstones)}
	if dir == "" {
		return s
	}
	s.path = filepath.Join(dir, "dictd.db")
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return s
	}
	err := s.open()
	if err == nil {
		if err = s.read(); err != nil {
			err = errors.Join(fmt.Errorf("state %s: %w", s.path, err), s.Close())
		}
	}
	if s.broken = err; err != nil {
		clear(s.group)
		s.bound, s.logins, s.gone = newBound(), newLogins(), make(tombstones)
	}
	return s
}

// Broken returns why the file cannot be read, nil if it can. Nothing is known of
// users then but what the rows of an earlier run say, and changes are refused
// with ErrNoState: they would be lost, or the file.
func (s *State) Broken() error { return s.broken }

// open opens the file, or makes it.
func (s *State) open() error {
	db, err := boltfile.Open(s.path, bbolt.Options{Timeout: lockPatience})
	if err != nil {
		return fmt.Errorf("state %s: %w", s.path, err)
	}
	s.db = db
	return nil
}

// read fills the memory. What is not sound is refused.
func (s *State) read() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		each := func(name []byte, f func(k, v []byte) error) error {
			if b := tx.Bucket(name); b != nil {
				return b.ForEach(f)
			}
			return nil
		}
		return errors.Join(
			each(bucketUsers, func(k, v []byte) error {
				s.group[string(k)] = string(v)
				return CheckUser(string(k))
			}),
			each(bucketDevices, func(k, v []byte) error {
				if _, known := s.group[string(v)]; len(k) != 6 || !known {
					return fmt.Errorf("device %x of user %q: not sound", k, v)
				}
				s.bound.set([6]byte(k), string(v))
				return nil
			}),
			each(bucketGone, func(k, _ []byte) error {
				s.gone[string(k)] = false
				return nil
			}),
			each(bucketLogins, s.logins.read),
		)
	})
}

// Close closes the file.
func (s *State) Close() error {
	var errs []error
	s.mu.RLock()
	settled := s.broken == nil && len(s.gone.done()) > 0
	s.mu.RUnlock()
	if settled {
		errs = append(errs, s.do(&change{plan: func() (func(buckets) error, func(), error) {
			return func(buckets) error { return nil }, nil, nil // they go with any change
		}}))
	}
	s.line.turn.Lock()
	defer s.line.turn.Unlock()
	if s.db == nil {
		return errors.Join(errs...)
	}
	errs = append(errs, s.db.Close())
	s.db = nil
	return errors.Join(errs...)
}
