// SPDX-License-Identifier: MIT

package quota

import (
	"testing"
	"time"

	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// What was granted for one plan, whose budgets others begin, is not the size of the plan
// that covers its user afterwards, nor is what he has used of it.
func TestBegun(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	guests := plan.Spec{Name: "portal", For: []string{"group guests"}, Volume: "1", Period: "none"}
	specs := []plan.Spec{guests, {Name: "daily", For: []string{"users"}, Volume: "1000", Period: "day"}}
	in := []identity.User{{Name: "alice", Groups: []string{"guests"}}}
	r.users = in
	r.start(specs...)
	begin := func(size int64) {
		t.Helper()
		if _, err := r.Begin(Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}, Plan: "portal"}, size); err != nil {
			t.Fatal(err)
		}
		r.charge("users", "alice", "quota_remaining", -10)
		r.pass(time.Second)
	}
	begin(50)
	r.want("begun", "users", "alice", "quota_remaining", "40")
	// Her session ends, and she comes by another way, at once or later.
	r.users = []identity.User{{Name: "alice"}}
	r.pass(time.Second)
	r.want("by the other plan", "users", "alice", "quota_remaining", "1000")
	r.want("by the other plan", "users", "alice", "quota_plan", "daily")
	r.users = in
	r.pass(time.Second)
	begin(70)
	r.want("begun again", "users", "alice", "quota_remaining", "60")
	r.users = nil
	r.pass(time.Second)
	r.users = []identity.User{{Name: "alice"}}
	r.pass(time.Second)
	r.want("by the other plan, later", "users", "alice", "quota_remaining", "1000")
	r.start(specs...)
	r.want("after a restart", "users", "alice", "quota_remaining", "1000")
	// What somebody has granted her goes with her.
	own := int64(500)
	if _, err := r.Grant(Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}}, &own, plan.Bytes); err != nil {
		t.Fatal(err)
	}
	r.start(plan.Spec{Name: "nightly", For: []string{"users"}, Volume: "2000", Period: "day"})
	r.want("by a third plan", "users", "alice", "quota_size", "500")
}
