// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/portal"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// BenchmarkPortalLogin lets in devices one after the other, each with an account of
// its own or a voucher of a volume, beside 2,000 that are in: until the files and
// the rows on maps say so, by which rules go.
func BenchmarkPortalLogin(b *testing.B) {
	for _, way := range []string{portal.Click, portal.Account, portal.Voucher} {
		b.Run(way, func(b *testing.B) { benchmarkLogin(b, way) })
	}
}

func benchmarkLogin(b *testing.B, way string) {
	const in = 2000
	store := openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store
	dir, log, happened := b.TempDir(), slog.New(slog.DiscardHandler), event.New(0, time.Now)
	state := identity.OpenState(dir)
	who, err := identity.New(identity.Config{
		Store: store, Hosts: 65536, Addresses: 8, Age: time.Hour, State: state, Clock: time.Now, Events: happened, LetIn: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	plans, err := plan.Parse([]plan.Spec{{Name: "portal", For: []string{"group " + portal.VolumeGroup}, Volume: "1EB", Period: "none", Then: "reset"}}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		b.Fatal(err)
	}
	budgets, err := quota.New(quota.Config{Store: store, Directory: who, Plans: plans, State: dir, Clock: time.Now, Events: happened, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	k, err := portal.New(portal.Config{
		Directory: who, State: dir, Settings: portal.Settings{Ways: []string{portal.Click, portal.Account, portal.Voucher}, Session: time.Hour},
		Volume: portal.VolumeOf(budgets, "portal"), Clock: time.Now, Events: happened, Log: log,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		for _, close := range []func() error{k.Close, budgets.Close, state.Close} {
			if err := close(); err != nil {
				b.Error(err)
			}
		}
	}()
	var update neighbour.Update
	address := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}) }
	for i := range in + b.N {
		update.Neighbours = append(update.Neighbours, neighbour.Neighbour{Addr: address(i), MAC: [6]byte{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}, Interface: "lan0"})
	}
	who.Neighbours(&update)
	who.Flush()
	enter := func(n int, c portal.Credentials) {
		if _, err := k.Enter(b.Context(), portal.From{Addr: address(n)}, c); err != nil {
			b.Fatal(err)
		}
	}
	for i := range in {
		enter(i, portal.Credentials{Way: portal.Click})
	}
	what := make([]portal.Credentials, b.N)
	volume := int64(20e6)
	made, err := k.MakeVouchers(portal.Batch{Name: "may", Count: min(b.N, 10000), Bytes: &volume})
	if err != nil {
		b.Fatal(err)
	}
	for i := range what {
		what[i] = portal.Credentials{Way: way, Name: fmt.Sprint("user", i), Secret: "sesame"}
		if way == portal.Voucher {
			what[i].Secret = made.Vouchers[i].Code
		}
		if way == portal.Account {
			if err := k.SetAccount(portal.LocalAccount{Name: what[i].Name}, "sesame"); err != nil {
				b.Fatal(err)
			}
		}
	}
	var worst time.Duration
	start := cputime.Used(b)
	b.ResetTimer()
	for i, c := range what {
		begin := time.Now()
		enter(in+i, c)
		worst = max(worst, time.Since(begin))
	}
	b.StopTimer()
	cputime.Report(b, start)
	b.ReportMetric(float64(worst), "worst-ns")
	b.ReportMetric(float64(b.N)/b.Elapsed().Minutes(), "logins/min")
	row, err := store.Get(dict.Hosts, dict.AddrKey(address(in+b.N-1)))
	if err != nil {
		b.Fatal(err)
	}
	if v, ok := row.Get("captive_portal_authenticated"); !ok || !v.Bool() {
		b.Errorf("the row of the last: %v", row)
	}
}
