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
	"testing"
	"time"
	_ "time/tzdata"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

// rig is a Manager with a store, a clock and a directory that a test sets.
type rig struct {
	*Manager
	t       *testing.T
	store   dict.Store
	now     time.Time
	dir     string
	events  *event.Log
	users   []identity.User
	devices []identity.Device
	hosts   []identity.Host
}

func (r *rig) Users() []identity.User     { return r.users }
func (r *rig) Devices() []identity.Device { return r.devices }
func (r *rig) Hosts() []identity.Host     { return r.hosts }

func newRig(t *testing.T, at string) *rig {
	t.Helper()
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: dicttest.NewStandard(t), now: now, dir: t.TempDir()}
	r.events = event.New(0, func() time.Time { return r.now })
	return r
}

// start starts a Manager, in place of the one before, which ended or was killed.
func (r *rig) start(specs ...plan.Spec) {
	r.t.Helper()
	if r.Manager != nil {
		r.state.close()
	}
	m, err := New(Config{
		Store: r.store, Directory: r, Plans: r.parse(specs...), State: r.dir, Clock: func() time.Time { return r.now },
		Events: r.events, Log: slog.New(slog.NewTextHandler(testLog{r.t}, nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { m.Close() })
	r.Manager = m
	m.Look()
}

func (r *rig) parse(specs ...plan.Spec) []*plan.Plan {
	r.t.Helper()
	plans, err := plan.Parse(specs, plan.Defaults{Zone: time.UTC, Throttle: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	return plans
}

type testLog struct{ *testing.T }

func (l testLog) Write(p []byte) (int, error) { l.Logf("%s", p); return len(p), nil }

// pass lets time go by, and looks.
func (r *rig) pass(d time.Duration) {
	r.now = r.now.Add(d)
	r.Look()
}

// charge does what rules do.
func (r *rig) charge(table, key, field string, n int64) {
	r.t.Helper()
	k := r.key(table, key)
	row, err := r.store.Get(table, k)
	if err != nil {
		r.t.Fatal(err)
	}
	v, ok := row.Get(field)
	if !ok {
		r.t.Fatalf("%s %s has no %s: nothing is charged", table, key, field)
	}
	if err := r.store.Put(table, dict.Row{Key: k, Cells: []dict.Cell{{Field: field, Value: dict.Int64Value(v.Int64() + n)}}}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) key(table, key string) dict.Key {
	r.t.Helper()
	t, err := r.store.Table(table)
	if err != nil {
		r.t.Fatal(err)
	}
	k, err := dict.ParseKey(t.Key, key)
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// cell returns the text of a field, "" if there is none.
func (r *rig) cell(table, key, field string) string {
	r.t.Helper()
	row, err := r.store.Get(table, r.key(table, key))
	if errors.Is(err, dict.ErrNotExist) {
		return ""
	} else if err != nil {
		r.t.Fatal(err)
	}
	v, ok := row.Get(field)
	if !ok {
		return ""
	}
	return v.String()
}

func (r *rig) want(what, table, key, field, want string) {
	r.t.Helper()
	if got := r.cell(table, key, field); got != want {
		r.t.Errorf("%s: %s of %s %s is %q, want %q", what, field, table, key, got, want)
	}
}

// kinds returns the kinds of events so far, of a subject.
func (r *rig) kinds(of string) (kinds []string) {
	r.t.Helper()
	reader := r.events.Subscribe(event.Position{}, event.Filter{})
	defer reader.Close()
	list := make([]event.Event, 1000)
	n, err := reader.ReadWithin(context.Background(), 0, list)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range list[:n] {
		if e.Subject == of {
			kinds = append(kinds, e.Kind.String())
		}
	}
	return kinds
}

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

func TestTime(t *testing.T) {
	r := newRig(t, "2026-10-24T21:00:00Z") // clocks are set back in the night
	r.users = []identity.User{{Name: "tim", Groups: []string{"kids"}}}
	video := plan.Spec{Name: "video", For: []string{"group kids"}, Applications: []string{"YOUTUBE"}, Time: "10m", Period: "day", Reset: "02:30", Zone: "Europe/Berlin"}
	r.start(video)
	play := func(seconds int) {
		t.Helper()
		for range seconds {
			if r.cell("users", "tim", "quota_video_remaining")[0] != '-' && r.cell("users", "tim", "quota_video_remaining") != "0" {
				r.charge("users", "tim", "quota_video_bytes", 1500)
			}
			r.pass(time.Second)
		}
	}
	r.pass(5 * time.Minute)
	r.want("nothing moves", "users", "tim", "quota_video_remaining", "600")
	play(100)
	r.want("100 s", "users", "tim", "quota_video_remaining", "500")
	r.pass(20 * time.Second) // a player rests
	r.want("in a pause", "users", "tim", "quota_video_remaining", "500")
	play(1)
	r.want("after a pause", "users", "tim", "quota_video_remaining", "479")
	r.pass(time.Hour)
	play(1)
	r.want("after an hour", "users", "tim", "quota_video_remaining", "478")
	r.charge("users", "tim", "quota_video_bytes", 1500)
	r.pass(time.Minute)
	r.want("nobody looked for a minute", "users", "tim", "quota_video_remaining", "468") // ten seconds at most
	r.start(video)
	play(467)
	r.want("nearly", "users", "tim", "quota_video_remaining", "1")
	play(3)
	r.want("over", "users", "tim", "quota_video_remaining", "0")
	r.want("over", "users", "tim", "quota_video_exceeded", "true")
	r.want("the plan has its own", "users", "tim", "quota_remaining", "")
	// 02:30 comes twice, at 00:30 and 01:30 UTC: the first one counts, and only it.
	r.now = time.Date(2026, 10, 25, 0, 29, 59, 0, time.UTC)
	r.Look()
	r.want("before the reset", "users", "tim", "quota_video_remaining", "0")
	r.pass(time.Second)
	r.want("after the reset", "users", "tim", "quota_video_remaining", "600")
	play(60)
	r.now = time.Date(2026, 10, 25, 1, 30, 1, 0, time.UTC)
	r.Look()
	r.want("at the second 02:30", "users", "tim", "quota_video_remaining", "540")
	r.now = time.Date(2026, 10, 26, 1, 30, 0, 0, time.UTC)
	r.Look()
	r.want("at the next day's", "users", "tim", "quota_video_remaining", "600")
}

func TestBook(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	addr := netip.MustParseAddr("10.0.0.1")
	r.users = []identity.User{{Name: "sue", Groups: []string{"sales"}}}
	r.hosts = []identity.Host{{Address: addr, MAC: "02:00:00:00:00:0a", Username: "sue"}}
	r.start(
		plan.Spec{Name: "in-only", For: []string{"users"}, Volume: "1000", Direction: "in", Period: "day"},
		plan.Spec{Name: "office", For: []string{"group sales"}, Shared: true, Volume: "1000", Period: "day"},
		plan.Spec{Name: "video", For: []string{"device 02:00:00:00:00:0a"}, Categories: []string{"streaming"}, Volume: "1000", Period: "day"},
		plan.Spec{Name: "watch", For: []string{"host 10.0.0.1"}, Applications: []string{"YOUTUBE"}, Time: "1h", Period: "day"},
	)
	r.Book(addr, 100, 10, "YOUTUBE", "streaming")
	r.Book(addr, 1, 1, "YOUTUBE", "streaming")
	r.Book(addr, 20, 2, "", "")
	r.Book(netip.MustParseAddr("10.0.0.2"), 1000, 1000, "", "")
	r.pass(time.Second)
	r.want("in", "users", "sue", "quota_remaining", "879")
	r.want("both", "groups", "sales", "quota_remaining", "866")
	r.want("of a category", "devices", "02:00:00:00:00:0a", "quota_video_remaining", "888")
	r.want("time", "hosts", "10.0.0.1", "quota_watch_bytes", "112")
	r.want("time", "hosts", "10.0.0.1", "quota_watch_remaining", "3599")
}
