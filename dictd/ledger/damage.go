// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"fmt"
	"path/filepath"

	"nftdict/dictd/boltfile"
)

// IsBroken reports whether an error says that a file is not sound.
func IsBroken(err error) bool {
	return errors.Is(err, errCorrupt) || errors.Is(err, boltfile.ErrDamaged)
}

// SetAside keeps the file of a directory, which cannot be read, as ledger.db.broken,
// and begins it anew.
func SetAside(dir string) (*State, error) {
	if err := boltfile.SetAside(filepath.Join(dir, "ledger.db")); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return OpenState(dir)
}
