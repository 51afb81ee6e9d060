// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// change is something that is to be another way in a State.
type change struct {
	// touches names what it is about, so that those that come together do not read
	// what another is about to change; none means anything.
	touches []string
	// plan looks at the memory, and returns what to write into the file and what is
	// so in memory then. It returns no write if all is so already. State.mu is held
	// for reading.
	plan func() (write func(buckets) error, apply func(), err error)

	write func(buckets) error
	apply func()
	err   error
	done  bool
}

// line is where changes wait for each other: all that come while some are being
// written are written together, in one transaction and with one flush of the
// disk.
type line struct {
	turn    sync.Mutex // held by whoever writes for all
	mu      sync.Mutex
	waiting []*change
}

// maxTogether bounds how many changes are written together.
const maxTogether = 256

// take returns the changes whose turn it is, the oldest first: none of them is
// about what another one is about.
func (l *line) take() (batch []*change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	about := make(map[string]struct{})
	for len(l.waiting) > 0 && len(batch) < maxTogether {
		c := l.waiting[0]
		if len(batch) > 0 && (c.touches == nil || batch[0].touches == nil || slices.ContainsFunc(c.touches, func(name string) bool { _, ok := about[name]; return ok })) {
			break
		}
		for _, name := range c.touches {
			about[name] = struct{}{}
		}
		batch = append(batch, c)
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
	}
	return batch
}

// do makes a change. It is on the disk when it returns, and in memory then, not
// before. s.mu is not held, and is free while the disk is waited for.
func (s *State) do(c *change) error {
	s.line.mu.Lock()
	s.line.waiting = append(s.line.waiting, c)
	s.line.mu.Unlock()
	s.line.turn.Lock()
	defer s.line.turn.Unlock()
	for !c.done {
		s.together(s.line.take())
	}
	return c.err
}

// together makes changes. s.line.turn is held.
func (s *State) together(batch []*change) {
	s.mu.RLock()
	s.freshUsers, s.freshBound = 0, 0
	writes := false
	for _, c := range batch {
		if c.write, c.apply, c.err = c.plan(); c.err == nil && c.write != nil {
			writes = true
		}
	}
	buried := s.gone.done()
	s.mu.RUnlock()
	var failed error
	if writes {
		failed = s.commit(func(b buckets) error {
			var errs []error
			for _, key := range buried {
				errs = append(errs, b.gone.Delete([]byte(key)))
			}
			for _, c := range batch {
				if c.err == nil && c.write != nil {
					errs = append(errs, c.write(b))
				}
			}
			return errors.Join(errs...)
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if writes && failed == nil {
		s.gone.forget(buried)
	}
	for _, c := range batch {
		c.done = true
		if c.err == nil && c.write != nil {
			c.err = failed
		}
		if c.err == nil && c.apply != nil {
			c.apply()
		}
	}
}

// commit writes into the file; it is on the disk when it returns. s.line.turn is
// held.
func (s *State) commit(f func(buckets) error) error {
	switch {
	case s.path == "":
		return nil
	case s.broken != nil:
		return fmt.Errorf("%w: %w", ErrNoState, s.broken)
	case s.db == nil:
		if err := s.open(); err != nil {
			return err
		}
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		var b buckets
		for _, one := range []struct {
			name []byte
			in   **bbolt.Bucket
		}{{bucketUsers, &b.users}, {bucketDevices, &b.devices}, {bucketGone, &b.gone}, {bucketLogins, &b.logins}} {
			var err error
			if *one.in, err = tx.CreateBucketIfNotExists(one.name); err != nil {
				return err
			}
		}
		return f(b)
	})
	if err != nil {
		return fmt.Errorf("state %s: %w", s.path, err)
	}
	return nil
}
