// SPDX-License-Identifier: MIT

package portal

import (
	"log/slog"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
)

// A voucher's volume is a budget that rules charge, of all its devices, and is as it
// was left when it is used again.
func TestVolumeOf(t *testing.T) {
	r := newRig(t)
	plans, err := plan.Parse([]plan.Spec{
		{Name: "portal", For: []string{"group " + VolumeGroup}, Volume: "1EB", Period: "none", Then: "reset"},
	}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := quota.New(quota.Config{Store: r.store, Directory: r.people, Plans: plans, Clock: r.clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v := VolumeOf(m, "portal")
	r.Keeper.cfg.Volume = v
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
	// charge takes off what passes, as rules do.
	charge := func(n int64) {
		t.Helper()
		left, _ := v.Left("voucher-1")
		err := r.store.Put(dict.Users, dict.Row{Key: mustKey(t, "voucher-1"), Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(left - n)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := v.Left("voucher-1"); ok {
		t.Error("there is a budget of nobody")
	}
	r.enters("10.0.0.1", Voucher, "", code)
	remaining(20e6)
	charge(5e6)
	r.enters("10.0.0.2", Voucher, "", code)
	remaining(15e6)
	if n, err := r.EndOf("voucher-1", CauseKicked); n != 2 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	m.Look()
	r.enters("10.0.0.2", Voucher, "", code)
	remaining(15e6)
	charge(15e6)
	m.Look()
	if n, ok := v.All()["voucher-1"]; n != 0 || !ok {
		t.Errorf("all: %v", v.All())
	}
	r.look()
	r.rows("10.0.0.2", "")
	r.refused(ErrUsedUp, "10.0.0.2", Voucher, "", code)
}
