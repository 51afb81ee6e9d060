// SPDX-License-Identifier: MIT

package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

func daily() plan.Spec {
	return plan.Spec{Name: "daily", For: []string{"users"}, Volume: "1000", Period: "day", Reset: "04:00", Zone: "Europe/Berlin", Warn: []int{50, 90}}
}

func TestPeriods(t *testing.T) {
	r := newRig(t, "2026-03-28T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	s := daily()
	s.Rollover = "300"
	r.start(s)
	r.want("at first", "users", "alice", "quota_remaining", "1000")
	r.want("at first", "users", "alice", "quota_size", "1000")
	r.want("at first", "users", "alice", "quota_plan", "daily")
	r.want("at first", "users", "alice", "quota_exceeded", "false")
	r.want("at first", "users", "alice", "quota_period", fmt.Sprint(time.Date(2026, 3, 28, 3, 0, 0, 0, time.UTC).Unix()))

	r.charge("users", "alice", "quota_remaining", -600)
	r.pass(time.Hour)
	// Clocks are set forward in the night: 04:00 is at 02:00 UTC then.
	r.now = time.Date(2026, 3, 29, 1, 59, 59, 0, time.UTC)
	r.Look()
	r.want("a second before", "users", "alice", "quota_remaining", "400")
	r.pass(time.Second)
	r.want("carried over", "users", "alice", "quota_remaining", "1300")
	r.want("carried over", "users", "alice", "quota_size", "1300")

	r.charge("users", "alice", "quota_remaining", -1301)
	r.pass(time.Minute)
	r.want("used up", "users", "alice", "quota_exceeded", "true")
	r.pass(24 * time.Hour)
	r.want("the next day", "users", "alice", "quota_remaining", "1000")
	r.want("the next day", "users", "alice", "quota_exceeded", "false")
	past, err := r.History(Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}})
	if err != nil || len(past) != 2 {
		t.Fatalf("history %+v, %v", past, err)
	}
	if p := past[1]; p.Used != 1301 || p.Size != 1300 || p.End.Sub(p.Start) != 24*time.Hour || p.Exceeded == nil {
		t.Errorf("the second day %+v", p)
	}
	if p := past[0]; p.Used != 600 || p.End.Sub(p.Start) != 23*time.Hour || p.Exceeded != nil {
		t.Errorf("the day of 23 hours %+v", p)
	}
	if want, got := []string{"quota-warning", "quota-reset", "quota-exceeded", "quota-reset"}, r.kinds("alice"); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestRestart(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	r.charge("users", "alice", "quota_remaining", -100)
	r.pass(time.Second)
	// The rules go on without a daemon, and the next one believes them.
	r.charge("users", "alice", "quota_remaining", -50)
	r.start(daily())
	r.want("after a new start", "users", "alice", "quota_remaining", "850")
	// The machine is started anew: rows are gone, and the file is there.
	r.charge("users", "alice", "quota_remaining", -50)
	r.pass(time.Second)
	r.store = dicttest.NewStandard(t)
	r.start(daily())
	r.want("after a power cut", "users", "alice", "quota_remaining", "800")
	// The daemon is away while a period ends: what the rules have charged is history.
	r.charge("users", "alice", "quota_remaining", -300)
	r.now = r.now.Add(48 * time.Hour)
	r.start(daily())
	r.want("two days later", "users", "alice", "quota_remaining", "1000")
	past, err := r.History(Choice{Subject: plan.Subject{Kind: plan.User, Name: "alice"}})
	if err != nil || len(past) != 1 || past[0].Used != 500 {
		t.Errorf("history %+v, %v", past, err)
	}
	// Somebody deletes the row; it comes back.
	r.charge("users", "alice", "quota_remaining", -10)
	r.pass(time.Second)
	if err := r.store.Delete("users", r.key("users", "alice")); err != nil {
		t.Fatal(err)
	}
	r.pass(time.Second)
	r.want("a deleted row", "users", "alice", "quota_remaining", "990")
	// A clock that goes back gives nobody a new period.
	r.pass(-72 * time.Hour)
	r.want("the day before yesterday", "users", "alice", "quota_remaining", "990")
}

// A file that is not sound costs what it held, and nothing else.
func TestBrokenState(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	if err := r.state.save(map[id]record{{plan.Subject{Kind: plan.User, Name: "\xff"}, ""}: {}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	r.charge("users", "alice", "quota_remaining", -1)
	r.pass(time.Second)
	r.start(daily())
	r.want("beside what is not sound", "users", "alice", "quota_remaining", "999")
	r.state.close()
	if err := os.WriteFile(filepath.Join(r.dir, "quota.db"), []byte("no file of this kind at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(daily())
	r.want("with a broken file", "users", "alice", "quota_remaining", "999")
}

func TestChanges(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	second := plan.Spec{Name: "monthly", For: []string{"user alice"}, Volume: "5000", Period: "month", Separate: true}
	r.start(daily(), second)
	alice := plan.Subject{Kind: plan.User, Name: "alice"}
	if _, err := r.TopUp(Choice{alice, ""}, 5, plan.Bytes); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("of two plans: %v", err)
	}
	c := Choice{alice, "daily"}
	r.charge("users", "alice", "quota_remaining", -1200)
	r.pass(time.Second)
	b, err := r.TopUp(c, 500, plan.Bytes)
	if err != nil || b.Remaining != 300 || b.Size != 1500 || b.Exceeded != nil {
		t.Errorf("topped up: %+v, %v", b, err)
	}
	r.want("topped up", "users", "alice", "quota_remaining", "300")
	r.want("topped up", "users", "alice", "quota_exceeded", "false")
	r.want("topped up", "users", "alice", "quota_monthly_remaining", "5000")
	more := int64(2000)
	if b, err := r.Grant(c, &more, plan.Bytes); err != nil || b.Remaining != 1300 || !b.Granted {
		t.Errorf("granted: %+v, %v", b, err)
	}
	r.start(daily(), second)
	if b, err := r.Grant(c, nil, plan.Bytes); err != nil || b.Remaining != 300 || b.Granted {
		t.Errorf("the plan's again: %+v, %v", b, err)
	}
	if b, err := r.Reset(c); err != nil || b.Remaining != 1000 || b.Size != 1000 {
		t.Errorf("anew: %+v, %v", b, err)
	}
	r.pass(time.Minute)
	r.start(daily(), second)
	r.want("anew, and after a new start", "users", "alice", "quota_remaining", "1000")
	for what, err := range map[string]error{
		"time":     func() error { _, err := r.TopUp(c, 5, plan.Seconds); return err }(),
		"negative": func() error { _, err := r.TopUp(c, -5, plan.Bytes); return err }(),
		"whom":     func() error { _, err := r.TopUp(Choice{plan.Subject{Name: "bob"}, ""}, 5, plan.Bytes); return err }(),
		"plan":     func() error { _, err := r.Reset(Choice{alice, "x"}); return err }(),
	} {
		if err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	// A plan that grants more does so at once.
	d := daily()
	d.Volume = "1100"
	if err := r.SetPlans(r.parse(d)); err != nil {
		t.Fatal(err)
	}
	r.Look()
	r.want("by another plan", "users", "alice", "quota_remaining", "1100")
	r.want("of no plan any more", "users", "alice", "quota_monthly_remaining", "")
	if err := r.SetPlans(nil); err != nil {
		t.Fatal(err)
	}
	r.Look()
	r.want("without plans", "users", "alice", "quota_remaining", "")
	if list := r.List(); len(list) != 0 {
		t.Errorf("without plans: %+v", list)
	}
}

func TestSubjects(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "tim", Groups: []string{"kids"}}, {Name: "sue", Groups: []string{"kids", "sales"}}, {Name: "bob"}}
	r.devices = []identity.Device{{MAC: "02:00:00:00:00:0a"}}
	r.hosts = []identity.Host{{Address: netip.MustParseAddr("10.0.0.1")}, {Address: netip.MustParseAddr("fd00::1")}}
	specs := []plan.Spec{
		{Name: "small", For: []string{"group kids"}, Volume: "10", Period: "day"},
		{Name: "rest", For: []string{"users"}, Volume: "100", Period: "day"},
		{Name: "office", For: []string{"group sales"}, Shared: true, Volume: "1000", Period: "day"},
		{Name: "things", For: []string{"devices", "hosts", "device 02:00:00:00:00:0B"}, Volume: "7", Period: "day"},
	}
	r.start(specs...)
	for _, c := range [][4]string{
		{"users", "tim", "quota_remaining", "10"}, {"users", "sue", "quota_remaining", "10"}, {"users", "bob", "quota_remaining", "100"},
		{"users", "tim", "quota_group", ""}, {"users", "sue", "quota_group", "sales"}, {"groups", "sales", "quota_remaining", "1000"},
		{"devices", "02:00:00:00:00:0a", "quota_remaining", "7"}, {"devices", "02:00:00:00:00:0b", "quota_remaining", "7"},
		{"hosts", "10.0.0.1", "quota_remaining", "7"}, {"hosts", "fd00::1", "quota_remaining", "7"},
	} {
		r.want("at first", c[0], c[1], c[2], c[3])
	}
	// Who leaves a group has another plan, less what he has used.
	r.charge("users", "sue", "quota_remaining", -4)
	r.users[1].Groups = nil
	r.hosts = r.hosts[:1]
	r.pass(time.Second)
	r.want("without groups", "users", "sue", "quota_remaining", "96")
	r.want("without groups", "users", "sue", "quota_plan", "rest")
	r.want("without groups", "users", "sue", "quota_group", "")
	r.want("gone", "hosts", "fd00::1", "quota_remaining", "")
	r.users = r.users[:1]
	r.pass(time.Second)
	r.want("forgotten", "users", "sue", "quota_remaining", "")
	// Who comes back on the same day has used what he has used.
	r.users = append(r.users, identity.User{Name: "sue"})
	r.pass(time.Second)
	r.want("back again", "users", "sue", "quota_remaining", "96")
	// Rows of others stay as they are.
	k := r.key("users", "zoe")
	if err := r.store.Put("users", dict.Row{Key: k, Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(5)}}}); err != nil {
		t.Fatal(err)
	}
	r.start(specs...)
	r.want("of others", "users", "zoe", "quota_remaining", "5")
}

// A plan whose calendar changes begins the period that the new one is in.
func TestOtherCalendar(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	s := plan.Spec{Name: "a", For: []string{"users"}, Volume: "1000", Period: "month"}
	r.start(s)
	r.charge("users", "alice", "quota_remaining", -600)
	r.pass(time.Second)
	s.Period = "day"
	r.start(s)
	r.want("of days", "users", "alice", "quota_remaining", "1000")
	r.charge("users", "alice", "quota_remaining", -600)
	s.Reset = "12:00"
	r.start(s)
	r.want("of other days", "users", "alice", "quota_remaining", "400")
	r.pass(2 * time.Hour)
	r.want("from noon on", "users", "alice", "quota_remaining", "1000")
}

// joins is a directory to which a user comes.
type joins struct {
	users atomic.Pointer[[]identity.User]
}

func (j *joins) Users() []identity.User   { return *j.users.Load() }
func (*joins) Devices() []identity.Device { return nil }
func (*joins) Hosts() []identity.Host     { return nil }

func (*joins) Party(netip.Addr) (mac [6]byte, user string, known bool) { return mac, "", false }

// Who comes has a budget before the next look would be due.
func TestNews(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	dir := &joins{}
	dir.users.Store(&[]identity.User{})
	m, err := New(Config{
		Store: r.store, Directory: dir, Plans: r.parse(daily()), Clock: time.Now, Events: r.events, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	time.Sleep(3 * soon)
	start := time.Now()
	dir.users.Store(&[]identity.User{{Name: "zoe"}})
	r.events.Publish(event.Event{Kind: event.UserNew, Subject: "zoe"})
	for r.cell("users", "zoe", "quota_remaining") == "" {
		if time.Since(start) > 10*time.Second {
			t.Fatal("no budget")
		}
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(start); took > lookEvery/2 {
		t.Errorf("the budget took %v", took)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What cannot be written is told, and tried again.
func TestFailure(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	r.users = []identity.User{{Name: "alice"}}
	r.start(daily())
	if text := r.Failure(); text != "" {
		t.Errorf("at first: %s", text)
	}
	r.state.close()
	r.charge("users", "alice", "quota_remaining", -100)
	r.pass(time.Second)
	if text := r.Failure(); text == "" {
		t.Error("the file is closed, and nobody says so")
	}
	s, err := openState(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	r.state = s
	r.pass(time.Second)
	if text := r.Failure(); text != "" {
		t.Errorf("at last: %s", text)
	}
	if saved, err := s.read(); err != nil || saved[id{subject: plan.Subject{Kind: plan.User, Name: "alice"}}].Remaining != 900 {
		t.Errorf("saved %+v, %v", saved, err)
	}
}
