// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/event"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/quota"
)

// rig is a Keeper over a real directory, in dir, with neighbours as a test tells them.
type rig struct {
	*Keeper
	t      *testing.T
	dir    string
	users  *identity.State
	people *identity.Directory
	store  *dicttest.Mem
	clock  *dicttest.Clock
	moved  *moved
	volume *volume
	ways   []Way
	events *event.Log
	ends   bool           // Close was called
	quotas *quota.Manager // that count volumes in the place of volume, after counted
}

func newRig(t *testing.T, ways ...Way) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), store: dicttest.NewStandard(t), clock: dicttest.NewClock(), ways: ways}
	r.moved, r.volume = &moved{of: make(map[[6]byte]Figures)}, &volume{left: make(map[string]int64)}
	r.events = event.New(0, r.clock.Now)
	r.start(Settings{Ways: r.names(), Session: time.Hour, Idle: 10 * time.Minute, Extend: true, Devices: 2})
	t.Cleanup(func() { r.stop(true) })
	return r
}

func (r *rig) names() []string {
	names := []string{Click, Account, Voucher}
	for _, w := range r.ways {
		names = append(names, w.Name())
	}
	return names
}

// start begins a run of the daemon.
func (r *rig) start(s Settings) {
	r.t.Helper()
	var err error
	r.users = identity.OpenState(r.dir)
	r.people, err = identity.New(identity.Config{
		Store: r.store, Hosts: 1000, Addresses: 8, Age: 24 * time.Hour, State: r.users, Clock: r.clock.Now, LetIn: true,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	counts := Volume(r.volume)
	if r.quotas != nil {
		counts = r.budgets()
	}
	r.Keeper, err = New(Config{
		Directory: r.people, State: r.dir, Settings: s, Ways: r.ways, Traffic: r.moved, Volume: counts, Clock: r.clock.Now,
		Events: r.events, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.ends = false
}

// stop ends the run; killed if not in good order: all that closes files does so, as
// the kernel does for who is killed.
func (r *rig) stop(inOrder bool) {
	if r.ends {
		return
	}
	r.ends = true
	var err error
	if inOrder {
		err = r.Keeper.Close()
	} else {
		err = r.Keeper.store.close()
	}
	if r.quotas != nil {
		err = errors.Join(err, r.quotas.Close())
	}
	if err := errors.Join(err, r.users.Close()); err != nil {
		r.t.Error(err)
	}
}

// again kills the daemon and begins another.
func (r *rig) again() {
	r.t.Helper()
	s := *r.settings.Load()
	r.stop(false)
	r.start(s)
	r.people.Flush()
}

func mac(n byte) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }

// hear has a device be a neighbour with an address.
func (r *rig) hear(addr string, m [6]byte) {
	r.people.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{{Addr: netip.MustParseAddr(addr), MAC: m, Interface: "lan0"}}})
	r.people.Flush()
}

func from(addr string) From { return From{Addr: netip.MustParseAddr(addr)} }

func (r *rig) enter(addr, way, name, secret string) (Visitor, error) {
	return r.Enter(r.t.Context(), from(addr), Credentials{Way: way, Name: name, Secret: secret})
}

func (r *rig) enters(addr, way, name, secret string) Visitor {
	r.t.Helper()
	v, err := r.enter(addr, way, name, secret)
	if err != nil {
		r.t.Fatalf("%s from %s: %v", way, addr, err)
	}
	return v
}

func (r *rig) refused(want error, addr, way, name, secret string) {
	r.t.Helper()
	if v, err := r.enter(addr, way, name, secret); !errors.Is(err, want) {
		r.t.Errorf("%s from %s: %v, %+v; want %v", way, addr, err, v, want)
	}
}

func (r *rig) visit(addr string) Visitor {
	r.t.Helper()
	v, err := r.Visitor(r.t.Context(), from(addr))
	if err != nil {
		r.t.Error(err)
	}
	return v
}

// rows wants all that says who is in to say so, or that nobody is.
func (r *rig) rows(addr string, user string) {
	r.t.Helper()
	row, err := r.store.Get(dict.Hosts, dict.AddrKey(netip.MustParseAddr(addr)))
	if err != nil {
		r.t.Fatal(err)
	}
	in, has := row.Get("captive_portal_authenticated")
	name, _ := row.Get("username")
	if has != (user != "") || has && !in.Bool() || name.Str() != user {
		r.t.Errorf("row of %s: %v, want user %q", addr, row, user)
	}
	if v := r.visit(addr); v.In != (user != "") || v.User != user {
		r.t.Errorf("visitor %s: %+v, want user %q", addr, v, user)
	}
}

// runs has the Keeper run until the test ends, or stop is called.
func (r *rig) runs() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	k := r.Keeper
	go func() { ran <- k.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-ran })
	r.t.Cleanup(stop)
	return stop
}

// until waits for a state.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("does not come: " + what)
		}
	}
}

// moved is Traffic as a test tells it.
type moved struct {
	mu sync.Mutex
	of map[[6]byte]Figures
}

func (m *moved) Follow(mac [6]byte) {}
func (m *moved) Forget(mac [6]byte) {}

func (m *moved) Moved(mac [6]byte) Figures {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[mac]
}

func (m *moved) move(mac [6]byte, in, out uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.of[mac]
	m.of[mac] = Figures{f.BytesIn + in, f.BytesOut + out, f.PacketsIn + 1, f.PacketsOut + 1}
}

// volume is Volume as a test tells it.
type volume struct {
	mu   sync.Mutex
	left map[string]int64
	fail bool
}

func (v *volume) Grant(user string, n int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail {
		return fmt.Errorf("budget of %s: %w", user, dict.ErrNotExist)
	}
	v.left[user] = n
	return nil
}

func (v *volume) Left(user string) (int64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.left[user]
	return max(n, 0), ok
}

func (v *volume) All() map[string]int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make(map[string]int64)
	for user, n := range v.left {
		all[user] = n
	}
	return all
}

func (v *volume) use(user string, n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left[user] -= n
}
