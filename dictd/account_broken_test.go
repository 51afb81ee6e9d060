// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/dictd/ledger"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// A ledger that cannot be read keeps no daemon from its work: it is set aside.
func TestBrokenLedger(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	for what, damage := range map[string]func(path string) error{
		"another version": func(path string) error {
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("journal")).Put([]byte("00000000"), []byte("of another version"))
			})
			return errors.Join(err, db.Close())
		},
		"no file of this kind": func(path string) error { return os.WriteFile(path, []byte("no file of this kind at all"), 0o600) },
		"cut":                  func(path string) error { return os.Truncate(path, int64(2*os.Getpagesize())) },
	} {
		dir := t.TempDir()
		s, err := ledger.OpenState(dir)
		if err == nil {
			err = s.Close()
		}
		if err == nil {
			err = damage(filepath.Join(dir, "ledger.db"))
		}
		if err != nil {
			t.Fatal(err)
		}
		d := start(t, l.Gateway, dicttest.NewStandard(t), func(c *config.Config) { c.State = dir })
		if err := d.account.Save(); err != nil || d.account.state == nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "ledger.db.broken")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		d.stop()
	}
}
