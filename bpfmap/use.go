// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// uses are the tables that rules on their way to the kernel consult. From when
// a program holds a table's maps until the kernel lists its rule, a shared
// lock of the table's directory says that the table is in use; who deletes the
// table wants the lock for himself. It dies with the process.
type uses map[uint32]*use

// use is the lock of one table and how many codes hold it.
type use struct {
	release func()
	holders int
}

// hold locks the tables, and makes sure that they still exist. The caller sees
// to it that nobody else is at u, also when it calls release.
func (u uses) hold(s *Store, ids []uint32) (release func(), err error) {
	var held []uint32
	release = func() {
		for _, id := range held {
			if u[id].holders--; u[id].holders == 0 {
				u[id].release()
				delete(u, id)
			}
		}
	}
	for _, id := range ids {
		if u[id] == nil {
			free, err := lockDir(s.dir.pinDir(id), unix.LOCK_SH)
			if err == nil {
				u[id] = &use{release: free}
			} else {
				release()
				if errors.Is(err, fs.ErrNotExist) {
					err = dict.ErrNotExist
				}
				return nil, err
			}
		}
		u[id].holders++
		held = append(held, id)
	}
	v, err := s.current()
	if err == nil {
		known := map[uint32]bool{}
		for _, t := range v.tables {
			known[t.id] = true
		}
		for _, id := range ids {
			if !known[id] {
				err = dict.ErrNotExist
			}
		}
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// claim locks a table for its deletion. The error wraps dict.ErrBusy if a
// rule of it is being loaded.
func (n *namespace) claim(id uint32) (release func(), err error) {
	release, err = lockDir(n.pinDir(id), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, fmt.Errorf("%w: a rule that consults it is being loaded", dict.ErrBusy)
	case errors.Is(err, fs.ErrNotExist): // somebody else cleaned up before us
		return func() {}, nil
	}
	return release, err
}
