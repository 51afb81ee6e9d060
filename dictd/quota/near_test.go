// SPDX-License-Identifier: MIT

package quota

import (
	"testing"
	"time"

	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// A budget near its end keeps its subject off flowtables, from some bytes on or
// earlier if it is used up fast, until there is more again.
func TestNear(t *testing.T) {
	r := newRig(t, "2026-05-05T12:00:00Z")
	r.near = 1000
	r.users = []identity.User{{Name: "bob"}, {Name: "eve"}}
	bob := plan.Subject{Kind: plan.User, Name: "bob"}
	r.start(plan.Spec{Name: "all", For: []string{"users"}, Volume: "100000", Period: "day"})
	want := func(what, says string, back int) {
		t.Helper()
		r.want(what, "users", "bob", NoOffload, says)
		if len(r.back) != back {
			t.Errorf("%s: taken back %v, want %d times", what, r.back, back)
		}
		r.back = nil
	}
	want("at first", "", 0)
	r.charge("users", "bob", "quota_remaining", -50000)
	r.pass(100 * time.Second)
	want("in the middle, slowly", "", 0)
	r.charge("users", "bob", "quota_remaining", -30000)
	r.pass(time.Second) // 20,000 are left: less than a second and a half
	want("fast", "true", 1)
	r.pass(time.Second)
	want("at rest", "false", 0)
	r.charge("users", "bob", "quota_remaining", -19500)
	r.pass(1000 * time.Second)
	want("at the end", "true", 1)
	r.pass(time.Second)
	want("still", "true", 1)
	if _, err := r.TopUp(Choice{Subject: bob}, 1400, plan.Bytes); err != nil {
		t.Fatal(err)
	}
	want("a little more", "true", 0)
	if _, err := r.TopUp(Choice{Subject: bob}, 1400, plan.Bytes); err != nil {
		t.Fatal(err)
	}
	want("more", "false", 0)
	r.charge("users", "bob", "quota_remaining", -10000)
	r.pass(time.Hour)
	want("beyond", "true", 1)
	r.start(plan.Spec{Name: "all", For: []string{"users"}, Volume: "100000", Period: "day"})
	want("a daemon later", "true", 1)
	r.pass(24 * time.Hour)
	want("the next day", "false", 0)
	r.want("nobody else", "users", "eve", NoOffload, "")
	r.charge("users", "bob", "quota_remaining", -99500)
	r.pass(time.Hour)
	want("again", "true", 1)
	r.users = r.users[1:]
	r.pass(time.Second)
	want("gone", "", 0)
}

// Any of a subject's budgets counts, and one of a group takes back its users.
func TestNearOfSeveral(t *testing.T) {
	r := newRig(t, "2026-05-05T12:00:00Z")
	r.near = 1000
	r.users = []identity.User{{Name: "bob", Groups: []string{"kids"}}, {Name: "eve"}}
	r.start(
		plan.Spec{Name: "kids", For: []string{"group kids"}, Shared: true, Volume: "50000", Period: "day"},
		plan.Spec{Name: "all", For: []string{"users"}, Volume: "100000", Period: "day"},
		plan.Spec{Name: "tv", For: []string{"users"}, Categories: []string{"streaming"}, Time: "1h", Period: "day"},
	)
	r.charge("groups", "kids", "quota_remaining", -49500)
	r.pass(time.Hour)
	r.want("the group", "groups", "kids", NoOffload, "true")
	for _, s := range r.back {
		if s != (plan.Subject{Kind: plan.User, Name: "bob"}) {
			t.Errorf("%s is taken back", s)
		}
	}
	r.back = nil
	for left := 3600; left > nearSeconds; left -= 15 {
		r.want("long before", "users", "eve", NoOffload, "")
		r.charge("users", "eve", "quota_tv_bytes", 1000)
		r.pass(15 * time.Second)
	}
	r.want("some seconds before", "users", "eve", NoOffload, "true")
	r.want("his volume", "users", "eve", "quota_remaining", "100000")
}
