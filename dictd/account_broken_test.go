// SPDX-License-Identifier: MIT

package dictd

import (
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// A ledger that cannot be read keeps no daemon from its work: it is set aside.
func TestBrokenLedger(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	dir := t.TempDir()
	db, err := bbolt.Open(filepath.Join(dir, "ledger.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("journal"))
		if err != nil {
			return err
		}
		return b.Put([]byte("00000000"), []byte("of another version"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d := start(t, l.Gateway, dicttest.NewStandard(t), func(c *config.Config) { c.State = dir })
	if err := d.account.Save(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger.db.broken")); err != nil {
		t.Error(err)
	}
}
