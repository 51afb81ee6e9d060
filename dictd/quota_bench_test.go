// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// house is a directory of users and hosts, the same at each look.
type house struct {
	users []identity.User
	hosts []identity.Host
}

func (h *house) Users() []identity.User     { return h.users }
func (h *house) Devices() []identity.Device { return nil }
func (h *house) Hosts() []identity.Host     { return h.hosts }

func (h *house) Party(netip.Addr) (mac [6]byte, user string, known bool) { return mac, "", false }

func newHouse(users, hosts int) *house {
	h := &house{}
	for i := range users {
		h.users = append(h.users, identity.User{Name: fmt.Sprintf("user%04d", i), Groups: []string{"all"}})
	}
	for i := range hosts {
		h.hosts = append(h.hosts, identity.Host{
			Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), MAC: "02:00:00:00:00:01", Username: h.users[i%users].Name,
		})
	}
	return h
}

// benchLook measures a look at all budgets while a number of them are being used,
// with its transaction of the file, on maps.
func benchLook(b *testing.B, whom string, users, hosts, busy int) {
	store := openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store
	plans, err := plan.Parse([]plan.Spec{{Name: "daily", For: []string{whom}, Volume: "1TB", Period: "day"}}, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		b.Fatal(err)
	}
	m, err := quota.New(quota.Config{
		Store: store, Directory: newHouse(users, hosts), Plans: plans, State: b.TempDir(), Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	m.Look()
	budgets := m.List()
	if want := map[string]int{"users": users, "hosts": hosts}[whom]; len(budgets) != want {
		b.Fatalf("%d budgets, want %d", len(budgets), want)
	}
	var rows []dict.Row
	for _, of := range budgets[:busy] {
		kind, _ := plan.ParseKind(of.Kind)
		key, err := plan.Subject{Kind: kind, Name: of.Name}.Key()
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, dict.Row{Key: key})
	}
	start, n := cputime.Used(b), int64(1e12)
	for b.Loop() {
		b.StopTimer()
		n -= 1500
		for i := range rows {
			rows[i].Cells = []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(n)}}
		}
		if err := store.Put(whom, rows...); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		m.Look()
	}
	cputime.Report(b, start)
	if got := m.List()[0].Remaining; got != n {
		b.Errorf("%d is left, want %d", got, n)
	}
}

// BenchmarkQuotaUsers looks at the budgets of 1,000 users, all of them in use, among
// 10,000 hosts.
func BenchmarkQuotaUsers(b *testing.B) { benchLook(b, "users", 1000, 10000, 1000) }

// BenchmarkQuotaHosts looks at the budgets of 10,000 hosts, a tenth of them in use.
func BenchmarkQuotaHosts(b *testing.B) { benchLook(b, "hosts", 1000, 10000, 1000) }
