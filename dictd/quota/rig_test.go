// SPDX-License-Identifier: MIT

package quota

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
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
	logins  map[netip.Addr]string // at addresses of no known host
	near    int64
	passing func(user, plan string) time.Duration
	back    []plan.Subject // who was taken back, in order
}

func (r *rig) Users() []identity.User     { return r.users }
func (r *rig) Devices() []identity.Device { return r.devices }
func (r *rig) Hosts() []identity.Host     { return r.hosts }

func (r *rig) Party(a netip.Addr) (mac [6]byte, user string, known bool) {
	for _, h := range r.hosts {
		if h.Address != a {
			continue
		}
		if k, err := dict.ParseKey(dict.KeyEther, h.MAC); err == nil {
			mac = k.Ether()
		}
		return mac, h.Username, true
	}
	return mac, r.logins[a], r.logins[a] != ""
}

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
		Near: r.near, Recall: r.recall, Passing: r.passing, Events: r.events, Log: slog.New(slog.NewTextHandler(testLog{r.t}, nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { m.Close() })
	r.Manager = m
	m.Look()
}

// recall notes who is taken back, whose row says so by then.
func (r *rig) recall(subjects []plan.Subject) {
	for _, s := range subjects {
		if got := r.cell(s.Kind.Table(), s.Name, NoOffload); got != "true" && len(r.groups) == 0 {
			r.t.Errorf("%s is taken back, %s is %q", s, NoOffload, got)
		}
		r.back = append(r.back, s)
	}
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
