// SPDX-License-Identifier: MIT

package quota

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// Budgets without end of addresses that come and go are not kept for ever; those of
// who is away for a while are.
func TestGone(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	host := func(n int) identity.Host {
		return identity.Host{Address: netip.AddrFrom16([16]byte{0x20, 1, 14: byte(n >> 8), 15: byte(n)})}
	}
	endless := plan.Spec{Name: "h", For: []string{"hosts", "users"}, Volume: "1000", Period: "none"}
	r.users = []identity.User{{Name: "alice"}}
	r.hosts = []identity.Host{host(1), host(2)}
	r.start(endless)
	r.charge("hosts", "2001::1", "quota_remaining", -100)
	r.pass(time.Second)
	r.hosts, r.users = r.hosts[1:], nil
	for range 29 {
		r.pass(24 * time.Hour)
	}
	r.hosts = append(r.hosts, host(1))
	r.pass(time.Second)
	r.want("a month later", "hosts", "2001::1", "quota_remaining", "900")
	r.hosts = r.hosts[:1]
	r.pass(time.Second)
	r.start(endless)
	for range 31 {
		r.pass(24 * time.Hour)
	}
	records, err := r.state.read()
	if err != nil || len(records) != 2 || len(r.saved) != 2 {
		t.Errorf("%d records in the file, %d here, %v: want that of who is there and that of the user", len(records), len(r.saved), err)
	}
	r.hosts = nil // and nobody looked since
	r.start(endless)
	r.pass(29 * 24 * time.Hour)
	if len(r.saved) != 2 {
		t.Errorf("%d records, want 2 still", len(r.saved))
	}
	r.pass(2 * 24 * time.Hour)
	if len(r.saved) != 1 {
		t.Errorf("%d records, want that of the user", len(r.saved))
	}
	left := r.now
	for n := range maxGone + 10 {
		left = left.Add(time.Millisecond)
		s := plan.Subject{Kind: plan.Host, Name: host(n).Address.String()}
		r.saved[id{subject: s}] = record{Left: left}
	}
	r.now = left
	r.pass(tidyEvery)
	if len(r.saved) != maxGone+1 {
		t.Errorf("%d records, want at most %d and that of the user", len(r.saved), maxGone)
	}
	if _, ok := r.saved[id{subject: plan.Subject{Kind: plan.Host, Name: host(maxGone + 9).Address.String()}}]; !ok {
		t.Error("that of the last one is gone")
	}
}

// A clock that was ahead by years leaves nobody with what it gave him for years.
func TestEarly(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	r.charge("users", "alice", "quota_remaining", -400)
	r.pass(time.Second)
	now := r.now
	r.pass(10 * 365 * 24 * time.Hour)
	r.want("ten years on", "users", "alice", "quota_remaining", "1000")
	r.charge("users", "alice", "quota_remaining", -700)
	r.now = now.Add(time.Hour)
	r.Look()
	r.want("the right time", "users", "alice", "quota_remaining", "300")
	r.start(daily())
	r.want("the right time, and a new start", "users", "alice", "quota_remaining", "300")
	r.pass(24 * time.Hour)
	r.want("a day later", "users", "alice", "quota_remaining", "1000")
	// A little is no reason.
	r.charge("users", "alice", "quota_remaining", -10)
	r.pass(-24 * time.Hour)
	r.pass(24 * time.Hour)
	r.want("put back by a day, and again", "users", "alice", "quota_remaining", "990")
}

// asking is a store that looks at something before it is changed.
type asking struct {
	dict.Store
	before func()
}

// Add implements dict.Store.
func (a asking) Add(table string, rows ...dict.Row) error {
	a.before()
	return a.Store.Add(table, rows...)
}

// A period that is over is written down before the row is of the next one: there is no
// moment to stop at which nobody knows of it.
func TestClosedFirst(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	alice := id{subject: plan.Subject{Kind: plan.User, Name: "alice"}}
	asked := 0
	r.store = asking{r.store, func() {
		asked++
		if list, err := r.state.past(alice); err != nil || len(list) != 1 || list[0].Used != 400 {
			t.Errorf("history %+v, %v, when the row is about to be of the next period", list, err)
		}
	}}
	r.start(daily())
	r.charge("users", "alice", "quota_remaining", -400)
	r.pass(24 * time.Hour)
	r.want("the next day", "users", "alice", "quota_remaining", "1000")
	if asked != 1 {
		t.Errorf("the row was added to %d times", asked)
	}
}
