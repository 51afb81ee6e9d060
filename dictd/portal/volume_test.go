// SPDX-License-Identifier: MIT

package portal

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
)

// A voucher's volume is a budget that rules charge, of all its devices, and is as it
// was left when it is used again.
func TestVolumeOf(t *testing.T) {
	r := newRig(t)
	r.counted()
	m, v := r.quotas, r.Keeper.cfg.Volume
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6), Devices: -1}).Vouchers[0].Code
	remaining := func(want int64) {
		t.Helper()
		row, err := r.store.Get(dict.Users, mustKey(t, "voucher-1"))
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := row.Get("quota_remaining"); !ok || n.Int64() != want {
			t.Errorf("row %v, want %d left", row, want)
		}
		if left, ok := v.Left("voucher-1"); !ok || left != want {
			t.Errorf("left %d, %v, want %d", left, ok, want)
		}
	}
	if _, ok := v.Left("voucher-1"); ok {
		t.Error("there is a budget of nobody")
	}
	r.enters("10.0.0.1", Voucher, "", code)
	remaining(20e6)
	r.charge("voucher-1", 5e6)
	r.enters("10.0.0.2", Voucher, "", code)
	remaining(15e6)
	if n, err := r.EndOf("voucher-1", CauseKicked); n != 2 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	m.Look()
	r.enters("10.0.0.2", Voucher, "", code)
	remaining(15e6)
	r.charge("voucher-1", 15e6)
	m.Look()
	if n, ok := v.All()["voucher-1"]; n != 0 || !ok {
		t.Errorf("all: %v", v.All())
	}
	r.look()
	r.rows("10.0.0.2", "")
	r.refused(ErrUsedUp, "10.0.0.2", Voucher, "", code)
}

// charge takes off what passes, as rules do.
func (r *rig) charge(user string, n int64) {
	r.t.Helper()
	left, _ := r.Keeper.cfg.Volume.Left(user)
	row := dict.Row{Key: mustKey(r.t, user), Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(left - n)}}}
	if err := r.store.Put(dict.Users, row); err != nil {
		r.t.Fatal(err)
	}
}

// counted has volumes counted by budgets from now on.
func (r *rig) counted() {
	r.t.Helper()
	r.budgets()
	r.again()
}

// budgets opens those of plans as the daemon has them, in the rig's directory.
func (r *rig) budgets() Volume {
	r.t.Helper()
	plans, err := plan.Parse([]plan.Spec{
		{Name: "portal", For: []string{"group " + VolumeGroup}, Volume: "1", Period: "none", Then: "reset"},
		{Name: "all", For: []string{"users"}, Volume: "1GB", Period: "none", Separate: true},
	}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	r.quotas, err = quota.New(quota.Config{
		Store: r.store, Directory: r.people, Plans: plans, State: r.dir, Clock: r.clock.Now, Log: slog.New(slog.DiscardHandler),
		Passing: func(user, plan string) time.Duration {
			if plan == "portal" {
				return KeepVolume
			}
			return r.Passing(user)
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return VolumeOf(r.quotas, "portal")
}

// Where budgets are lost, with the rows, a voucher has what the file says.
func TestBudgetsAreLost(t *testing.T) {
	r := newRig(t)
	r.counted()
	r.hear("10.0.0.1", mac(1))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6)}).Vouchers[0].Code
	r.enters("10.0.0.1", Voucher, "", code)
	r.charge("voucher-1", 5e6)
	r.quotas.Look()
	r.save()
	s := *r.settings.Load()
	r.stop(false)
	if err := os.Remove(filepath.Join(r.dir, "quota.db")); err != nil {
		t.Fatal(err)
	}
	r.store = dicttest.NewStandard(t)
	r.start(s)
	r.hear("10.0.0.1", mac(1))
	if v := r.visit("10.0.0.1"); v.BytesLeft == nil || *v.BytesLeft != 15e6 {
		t.Errorf("%+v, left %v", v, r.Left())
	}
}
