// SPDX-License-Identifier: MIT

package boltfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrInUse says that another process has the file, and kept it for as long as the
// options said.
var ErrInUse = errors.New("in use by another process")

// ErrDamaged says that a file is not sound.
var ErrDamaged = errors.New("damaged")

// File is an open file. Its methods may be called by several goroutines.
type File struct{ db *bbolt.DB }

// Open opens a file, or makes it, and its directory, for this user alone. It reads
// all of it: what is damaged is found now. An error may be ErrInUse or ErrDamaged.
func Open(path string, o bbolt.Options) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := inspect(path, o); err != nil {
		return nil, err
	}
	return open(path, o)
}

func open(path string, o bbolt.Options) (*File, error) {
	f := &File{}
	err := carefully(func() (err error) {
		f.db, err = bbolt.Open(path, 0o600, &o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// inspect walks through a file, if there is one: the library does so when it opens it
// to write, where a panic is the end of the process.
func inspect(path string, o bbolt.Options) error {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil // it is made, or that is refused with a better word
	}
	o.ReadOnly = true
	f, err := open(path, o)
	if err != nil {
		return err
	}
	err = f.View(func(tx *bbolt.Tx) error { return tx.ForEach(walk) })
	return errors.Join(err, f.Close())
}

func walk(name []byte, b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if v != nil {
			return nil
		}
		inner := b.Bucket(k)
		if inner == nil {
			return fmt.Errorf("bucket %q in %q: %w", k, name, ErrDamaged)
		}
		return walk(k, inner)
	})
}

// View reads.
func (f *File) View(do func(*bbolt.Tx) error) error {
	return carefully(func() error { return f.db.View(do) })
}

// Update writes; all of it is on the disk when it returns, or nothing.
func (f *File) Update(do func(*bbolt.Tx) error) error {
	return carefully(func() error { return f.db.Update(do) })
}

// Close closes the file.
func (f *File) Close() error { return f.db.Close() }

// SetAside keeps a file that is not open under its name with ".broken" behind it, in
// place of one that was kept before.
func SetAside(path string) error { return os.Rename(path, path+".broken") }

// carefully makes a panic of the library an error; that of a page which is not in the
// file, too.
func carefully(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	err = do()
	for _, damage := range []error{bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return ErrInUse
	}
	return err
}
