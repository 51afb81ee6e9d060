// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// BenchmarkQuotaFlip tops up a user whose budget is used up and who has 10,000 live
// sessions, among 1,000 users whose budgets are looked at meanwhile: until his row,
// where rules look, says so. The figure is of the slowest.
func BenchmarkQuotaFlip(b *testing.B) {
	store := openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store
	plans, err := plan.Parse([]plan.Spec{{Name: "daily", For: []string{"users"}, Volume: "1MB", Period: "day"}}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		b.Fatal(err)
	}
	m, err := quota.New(quota.Config{
		Store: store, Directory: newHouse(1000, 10000), Plans: plans, State: b.TempDir(), Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	key, err := dict.StringKey("user0001")
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]dict.Row, 10000)
	for i := range rows {
		rows[i] = dict.Row{Key: dict.CtID(uint32(i + 1)), Cells: []dict.Cell{{Field: "username", Value: dict.MustString("user0001")}}}
	}
	if err := store.Put(dict.Sessions, rows...); err != nil {
		b.Fatal(err)
	}
	m.Look()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	var worst time.Duration
	for b.Loop() {
		spent := []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(0)}, {Field: "quota_exceeded", Value: dict.BoolValue(true)}}
		if err := store.Put(dict.Users, dict.Row{Key: key, Cells: spent}); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := m.TopUp(quota.Choice{Subject: plan.Subject{Kind: plan.User, Name: "user0001"}}, 1000, plan.Bytes); err != nil {
			b.Fatal(err)
		}
		r, err := store.Get(dict.Users, key)
		if err != nil {
			b.Fatal(err)
		}
		worst = max(worst, time.Since(start))
		left, _ := r.Get("quota_remaining")
		exceeded, _ := r.Get("quota_exceeded")
		if left.Int64() != 1000 || exceeded.Bool() {
			b.Fatalf("after a top-up: %s is left, exceeded %s", left, exceeded)
		}
	}
	b.ReportMetric(float64(worst.Nanoseconds()), "worst-ns")
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}
