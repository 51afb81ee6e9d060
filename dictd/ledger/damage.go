// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// IsBroken reports whether an error says that a file is not sound.
func IsBroken(err error) bool {
	return errors.Is(err, errCorrupt) || errors.Is(err, bolterrors.ErrInvalid) || errors.Is(err, bolterrors.ErrChecksum) || errors.Is(err, bolterrors.ErrVersionMismatch)
}

// SetAside keeps the file of a directory, which cannot be read, as ledger.db.broken,
// and begins it anew.
func SetAside(dir string) (*State, error) {
	path := filepath.Join(dir, "ledger.db")
	if err := os.Rename(path, path+".broken"); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return OpenState(dir)
}

// inspect walks through a file, if there is one: the library does so when it opens it
// to write, where a panic is the end of the process.
func inspect(path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil // it is made, or that is refused with a better word
	}
	var db *bbolt.DB
	err := carefully(func() (err error) {
		if db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockPatience, ReadOnly: true}); err != nil {
			return err
		}
		return db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return b.ForEach(func(_, _ []byte) error { return nil }) })
		})
	})
	if db != nil {
		err = errors.Join(err, db.Close())
	}
	return err
}

// carefully makes a panic of the library an error, as a file that is damaged makes it
// panic; and a page that is not in the file, too.
func carefully(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errCorrupt, p)
		}
	}()
	return f()
}
