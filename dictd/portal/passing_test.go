// SPDX-License-Identifier: MIT

package portal

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/boltfile"
)

// Budgets of guests and of vouchers that are over go, also where the daemon was killed
// between; those of vouchers that can be used, and of people, stay.
func TestPassing(t *testing.T) {
	r := newRig(t)
	r.counted()
	for n := byte(1); n <= 5; n++ {
		r.hear(fmt.Sprintf("10.0.0.%d", n), mac(n))
	}
	endless := r.batch(Batch{Name: "endless", Count: 1, Devices: -1}).Vouchers[0]
	hour := r.batch(Batch{Name: "hour", Count: 1, Time: time.Hour, Bytes: amount(20e6)}).Vouchers[0]
	gone := r.batch(Batch{Name: "gone", Count: 1}).Vouchers[0]
	if err := r.SetAccount(LocalAccount{Name: "al"}, "sesame"); err != nil {
		t.Fatal(err)
	}
	r.enters("10.0.0.1", Voucher, "", endless.Code)
	r.enters("10.0.0.2", Voucher, "", hour.Code)
	r.enters("10.0.0.3", Voucher, "", gone.Code)
	r.enters("10.0.0.4", Account, "al", "sesame")
	r.enters("10.0.0.5", Click, "", "")
	r.quotas.Look()
	for _, s := range r.Sessions() {
		if err := r.End(s.ID, CauseKicked); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.RemoveBatch("gone"); err != nil {
		t.Fatal(err)
	}
	r.again()
	pass := func(d time.Duration) {
		r.clock.Advance(d)
		r.quotas.Look()
	}
	kept := func(when string, want ...string) {
		t.Helper()
		settings := *r.settings.Load()
		r.stop(false)
		if got := budgetsIn(t, filepath.Join(r.dir, "quota.db")); !slices.Equal(got, want) {
			t.Errorf("%s: the file has budgets of %q, want %q", when, got, want)
		}
		r.start(settings)
	}
	pass(time.Second)
	pass(23 * time.Hour)
	kept("a day later", "al", "guest-020000000005", "voucher-1", "voucher-2", "voucher-3")
	pass(2 * time.Hour)
	kept("two days later", "al", "guest-020000000005", "voucher-1")
	pass(40 * 24 * time.Hour)
	kept("a month later", "al", "voucher-1")
	for name, want := range map[string]time.Duration{
		"voucher-": 0, "voucher-x": 0, "voucher-99": keepVoucher, "guest-": 0, "guest-bob": 0, "guest-0200000000051": 0, "bob": 0,
	} {
		if got := r.Passing(name); got != want {
			t.Errorf("%s: kept for %s, want %s", name, got, want)
		}
	}
}

// budgetsIn returns whose budgets a file has that is not open.
func budgetsIn(t *testing.T, path string) (users []string) {
	t.Helper()
	db, err := boltfile.Open(path, bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("budgets")).ForEach(func(k, _ []byte) error {
			users = append(users, string(k[bytes.LastIndexByte(k, 0)+1:]))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(users)
	return slices.Compact(users)
}
