// SPDX-License-Identifier: MIT

package quota

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// inFile returns how many budgets the file has, and of how many a history.
func (r *rig) inFile() (budgets, histories int) {
	r.t.Helper()
	err := r.state.db.View(func(tx *bbolt.Tx) error {
		for name, n := range map[string]*int{string(bucketBudgets): &budgets, string(bucketHistory): &histories} {
			if b := tx.Bucket([]byte(name)); b != nil {
				_ = b.ForEach(func(_, _ []byte) error { *n++; return nil })
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return budgets, histories
}

// A month of users who come once, 100,000 of them a year, leaves no more in the file than those
// of the last days, with the daemon killed at any moment; those whose names last keep
// what they had.
func TestPassing(t *testing.T) {
	const perDay = 274
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.passing = func(user, plan string) time.Duration {
		if strings.HasPrefix(user, "voucher-") && plan == "u" {
			return 24 * time.Hour
		}
		return 0
	}
	endless := plan.Spec{Name: "u", For: []string{"users"}, Volume: "1000", Period: "none"}
	r.users = []identity.User{{Name: "alice"}}
	r.start(endless)
	r.charge("users", "alice", "quota_remaining", -100)
	r.pass(time.Second)
	n := 0
	for day := range 30 {
		r.users = nil
		for range perDay {
			n++
			r.users = append(r.users, identity.User{Name: fmt.Sprint("voucher-", n)})
		}
		r.pass(12 * time.Hour)
		if day%10 == 7 { // some have a history
			if _, err := r.Begin(Choice{Subject: plan.Subject{Kind: plan.User, Name: r.users[3].Name}}, 5000); err != nil {
				t.Fatal(err)
			}
		}
		switch day % 3 {
		case 0: // they go while nobody looks, and the daemon is killed
			r.users = nil
			r.start(endless)
		case 1: // it is killed after it has looked
			r.users = nil
			r.pass(time.Second)
			r.start(endless)
		}
		r.pass(12 * time.Hour)
		if budgets, histories := r.inFile(); budgets > 3*perDay+1 || histories > 1 {
			t.Fatalf("day %d: %d budgets in the file, history of %d", day, budgets, histories)
		}
	}
	r.users = nil
	r.pass(time.Second)
	r.pass(25 * time.Hour)
	if budgets, histories := r.inFile(); budgets != 1 || histories != 0 || len(r.saved) != 1 {
		t.Errorf("%d budgets in the file, %d here, history of %d; want alice's", budgets, len(r.saved), histories)
	}
	r.users = []identity.User{{Name: "alice"}}
	r.pass(time.Second)
	r.want("a month later", "users", "alice", "quota_remaining", "900")
	// Who comes back in time goes on.
	r.users = []identity.User{{Name: "voucher-1"}}
	r.pass(time.Second)
	r.charge("users", "voucher-1", "quota_remaining", -300)
	r.pass(time.Second)
	r.users = nil
	r.pass(time.Second)
	r.pass(23 * time.Hour)
	r.users = []identity.User{{Name: "voucher-1"}}
	r.pass(2 * time.Hour)
	r.want("a day later", "users", "voucher-1", "quota_remaining", "700")
	r.start(endless)
	r.pass(time.Second)
	r.want("a restart later", "users", "voucher-1", "quota_remaining", "700")
}

// Names for one stay that are made up take nobody else's place.
func TestMadeUp(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.passing = func(user, _ string) time.Duration {
		if strings.HasPrefix(user, "guest-") {
			return keepGone
		}
		return 0
	}
	r.start(plan.Spec{Name: "u", For: []string{"users"}, Volume: "1000", Period: "none"})
	user := func(name string) id { return id{subject: plan.Subject{Kind: plan.User, Name: name}} }
	r.saved[user("alice")] = record{Left: r.now}
	for n := range maxGone + 100 {
		r.saved[user(fmt.Sprint("guest-", n))] = record{Left: r.now.Add(time.Duration(n+1) * time.Millisecond)}
	}
	r.pass(tidyEvery)
	if _, there := r.saved[user("alice")]; !there || len(r.saved) != maxGone+1 {
		t.Errorf("%d records, alice's: %v", len(r.saved), there)
	}
	for n := range maxUsers + 100 {
		r.saved[user(fmt.Sprint(n))] = record{Left: r.now.Add(time.Duration(n+1) * time.Millisecond)}
	}
	r.pass(tidyEvery)
	if _, there := r.saved[user("alice")]; there || len(r.saved) != maxGone+maxUsers {
		t.Errorf("%d records, alice's: %v", len(r.saved), there)
	}
}
