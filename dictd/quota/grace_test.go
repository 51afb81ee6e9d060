// SPDX-License-Identifier: MIT

package quota

import (
	"testing"
	"time"

	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// The grace of a budget that excepts something comes back with time, up to its bound;
// a budget that excepts nothing has none.
func TestGrace(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}, {Name: "bob"}}
	except := plan.Except{Applications: []string{"WIKIPEDIA"}}
	specs := []plan.Spec{
		{Name: "a", For: []string{"user alice"}, Volume: "1000", Period: "day", Except: except},
		{Name: "b", For: []string{"user bob"}, Volume: "1000", Period: "day"},
		{Name: "own", For: []string{"user bob"}, Volume: "1000", Period: "day", Separate: true, Except: except},
	}
	r.start(specs...)
	r.want("at first", "users", "alice", "quota_grace", "512000")
	r.want("without exceptions", "users", "bob", "quota_grace", "")
	r.want("of a plan's own", "users", "bob", "quota_own_grace", "512000")
	r.charge("users", "alice", "quota_grace", -512_100)
	r.pass(500 * time.Millisecond)
	r.want("half a second", "users", "alice", "quota_grace", "7900")
	r.start(specs...)
	r.want("after a new start", "users", "alice", "quota_grace", "7900")
	r.pass(-time.Hour)
	r.want("a clock that goes back", "users", "alice", "quota_grace", "7900")
	r.pass(time.Hour)
	r.want("an hour", "users", "alice", "quota_grace", "512000")
	if err := r.store.Delete("users", r.key("users", "alice")); err != nil {
		t.Fatal(err)
	}
	r.pass(time.Second)
	r.want("a lost row", "users", "alice", "quota_grace", "512000")
	r.want("a lost row", "users", "alice", "quota_remaining", "1000")
	r.users = r.users[:1]
	r.pass(time.Second)
	specs[0].Except = plan.Except{}
	if err := r.SetPlans(r.parse(specs[0])); err != nil {
		t.Fatal(err)
	}
	r.Look()
	r.want("a plan that excepts nothing any more", "users", "alice", "quota_grace", "")
	r.want("a plan that is gone", "users", "bob", "quota_own_grace", "")
}
