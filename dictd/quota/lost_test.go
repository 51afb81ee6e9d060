// SPDX-License-Identifier: MIT

package quota

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nftdict/dict"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// failing is a store of which some writes fail: those of Put, and of Add if it has it.
type failing struct {
	dict.Store
	fail int
}

func (f *failing) refuse() error {
	if f.fail--; f.fail >= 0 {
		return errors.New("not now")
	}
	return nil
}

func (f *failing) Put(table string, rows ...dict.Row) error {
	if err := f.refuse(); err != nil {
		return err
	}
	return f.Store.Put(table, rows...)
}

// Add implements dict.Store.
func (f *failing) Add(table string, rows ...dict.Row) error {
	if err := f.refuse(); err != nil {
		return err
	}
	return f.Store.Add(table, rows...)
}

// A user's row leads to the group whose budget he shares, whatever has become of it.
func TestLostGroup(t *testing.T) {
	alice := []identity.User{{Name: "alice", Groups: []string{"kids"}}}
	for what, lose := range map[string]func(*rig, *failing){
		"row": func(r *rig, _ *failing) {
			if err := r.store.Delete("users", r.key("users", "alice")); err != nil {
				t.Fatal(err)
			}
		},
		"user": func(r *rig, _ *failing) {
			r.users = nil
			r.pass(time.Second)
			r.want("a user who is gone", "users", "alice", "quota_group", "")
			r.users = alice
		},
		"write": func(r *rig, f *failing) {
			r.users = nil
			r.pass(time.Second)
			r.users = alice
			f.fail = 1
			r.pass(time.Second)
		},
	} {
		r := newRig(t, "2026-05-05T10:00:00Z")
		f := &failing{Store: r.store}
		r.store, r.users = f, alice
		r.start(plan.Spec{Name: "g", For: []string{"group kids"}, Shared: true, Volume: "1000", Period: "day"})
		r.want("at first", "users", "alice", "quota_group", "kids")
		lose(r, f)
		r.pass(time.Second)
		r.want("a lost "+what, "users", "alice", "quota_group", "kids")
	}
}

// A new period is granted once, and what is booked is taken once, whichever writes
// fail.
func TestFailedWrites(t *testing.T) {
	for fail := 1; fail < 5; fail++ {
		r := newRig(t, "2026-05-05T10:00:00Z")
		f := &failing{Store: r.store}
		addr := netip.MustParseAddr("10.0.0.1")
		r.store, r.users = f, []identity.User{{Name: "alice"}}
		r.hosts = []identity.Host{{Address: addr, Username: "alice"}}
		s := daily()
		s.Rollover = "300"
		r.start(s)
		r.charge("users", "alice", "quota_remaining", -1200)
		r.pass(time.Second)
		f.fail = fail
		r.pass(24 * time.Hour)
		for range fail {
			r.pass(time.Second)
		}
		r.want("a new day", "users", "alice", "quota_remaining", "1000")
		r.want("a new day", "users", "alice", "quota_size", "1000")
		r.want("a new day", "users", "alice", "quota_exceeded", "false")
		r.Book(addr, 60, 40, "", "")
		f.fail = fail
		for range fail + 1 {
			r.pass(time.Second)
		}
		r.want("booked", "users", "alice", "quota_remaining", "900")
		past, err := r.History(Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}})
		if err != nil || len(past) != 1 || past[0].Used != 1200 {
			t.Errorf("%d fail: history %+v, %v", fail, past, err)
		}
		f.fail = 0
		r.start(s)
		r.want("booked, and after a new start", "users", "alice", "quota_remaining", "900")
	}
}

// What is booked finds its budgets: of who has just come, and whose row was lost; and
// nobody else pays for that.
func TestBookLost(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	r.users = []identity.User{{Name: "alice"}, {Name: "bob"}}
	r.hosts = []identity.Host{{Address: a, Username: "alice"}, {Address: b, Username: "bob"}}
	r.start()
	if err := r.SetPlans(r.parse(daily())); err != nil {
		t.Fatal(err)
	}
	r.Book(a, 10, 0, "", "")
	r.Book(b, 10, 0, "", "")
	r.pass(time.Second)
	r.want("at first", "users", "alice", "quota_remaining", "990")
	if err := r.store.Delete("users", r.key("users", "alice")); err != nil {
		t.Fatal(err)
	}
	r.Book(a, 10, 0, "", "")
	r.Book(b, 10, 0, "", "")
	r.pass(time.Second)
	r.want("a lost row", "users", "alice", "quota_remaining", "980")
	r.want("beside a lost row", "users", "bob", "quota_remaining", "980")
}

// Who is logged in at an address of no known device, as by a VPN, pays.
func TestBookLogin(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	addr := netip.MustParseAddr("10.8.0.1")
	r.users, r.logins = []identity.User{{Name: "alice"}}, map[netip.Addr]string{addr: "alice"}
	r.start(daily())
	r.Book(addr, 10, 0, "", "")
	r.pass(time.Second)
	r.want("logged in", "users", "alice", "quota_remaining", "990")
}

// A row that is lost between a look and what it adds is no budget of what was added.
func TestAddedToNothing(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	k := r.key("users", "alice")
	if err := r.store.Delete("users", k); err != nil {
		t.Fatal(err)
	}
	if err := r.store.Add("users", dict.Row{Key: k, Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(-10)}}}); err != nil {
		t.Fatal(err)
	}
	r.pass(time.Second)
	r.want("of what was known", "users", "alice", "quota_remaining", "1000")
	r.want("of what was known", "users", "alice", "quota_exceeded", "false")
}

// What a spent budget leaves free costs nothing in a flowtable, either; names may
// have wildcards, as in rules.
func TestBookSpent(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.hosts = []identity.Host{{Address: netip.MustParseAddr("10.0.0.1"), Username: "alice"}}
	s := daily()
	s.Except = plan.Except{Applications: []string{"SCHOOL*"}}
	r.start(s, plan.Spec{Name: "video", For: []string{"users"}, Applications: []string{"YOU*"}, Volume: "1000", Period: "day"})
	book := func(application string, n uint64) {
		r.Book(netip.MustParseAddr("10.0.0.1"), n, 0, application, "")
		r.pass(time.Second)
	}
	book("SCHOOLBOOK", 1)
	r.want("while there is something left", "users", "alice", "quota_remaining", "999")
	r.charge("users", "alice", "quota_remaining", -1000)
	r.pass(time.Second)
	book("SCHOOLBOOK", 5000)
	r.want("free", "users", "alice", "quota_remaining", "-1")
	book("YOUTUBE", 100)
	r.want("by a wildcard", "users", "alice", "quota_video_remaining", "900")
	r.want("not free", "users", "alice", "quota_remaining", "-101")
}

// Hosts that come and go leave no history for ever.
func TestHistoryAges(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.start(plan.Spec{Name: "h", For: []string{"hosts", "host 10.0.0.1"}, Volume: "1000", Period: "month"})
	for i := range 40 {
		r.hosts = []identity.Host{{Address: netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i)})}}
		r.Look()
		r.pass(31 * 24 * time.Hour)
	}
	kept := 0
	if err := r.state.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketHistory).ForEachBucket(func([]byte) error { kept++; return nil })
	}); err != nil {
		t.Fatal(err)
	}
	if kept < 10 || kept > 16 {
		t.Errorf("%d histories, want that of 10.0.0.1 and those of the last 400 days", kept)
	}
	past, err := r.History(Choice{Subject: plan.Subject{Kind: plan.Host, Name: "10.0.0.1"}})
	if err != nil || len(past) != 40 {
		t.Errorf("of who stays: %d, %v", len(past), err)
	}
}

// Nobody is topped up until nothing is left.
func TestTopUpBound(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	c := Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}}
	if _, err := r.TopUp(c, most-1000, plan.Bytes); err != nil {
		t.Error(err)
	}
	if _, err := r.TopUp(c, 1, plan.Bytes); !errors.Is(err, dict.ErrRange) {
		t.Errorf("beyond the bound: %v", err)
	}
	r.pass(time.Second)
	r.want("topped up", "users", "alice", "quota_exceeded", "false")
}
