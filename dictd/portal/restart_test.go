// SPDX-License-Identifier: MIT

package portal

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nftdict/dictd/identity"
)

// follower is a Way that lets in whoever knows the word, and remembers what it is told.
type follower struct {
	mu   sync.Mutex
	told []string
	held chan struct{} // not nil: what it is told has to wait
	last Session
}

func (*follower) Name() string { return RADIUS }

func (*follower) Check(_ context.Context, a Attempt) (Grant, error) {
	if a.Secret != "sesame" {
		return Grant{}, ErrRefused
	}
	return Grant{User: a.Name, Interim: time.Minute, Class: [][]byte{{1, 2}}, Groups: []string{"staff"}}, nil
}

func (f *follower) tell(ctx context.Context, what string, s Session) {
	if f.held != nil {
		select {
		case <-f.held:
		case <-ctx.Done():
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told, f.last = append(f.told, what+" "+s.User), s
}

func (f *follower) Started(ctx context.Context, s Session)          { f.tell(ctx, "started", s) }
func (f *follower) Moved(ctx context.Context, s Session)            { f.tell(ctx, "moved", s) }
func (f *follower) Stopped(ctx context.Context, s Session, c Cause) { f.tell(ctx, string(c), s) }
func (f *follower) wants(t *testing.T, want string) {
	t.Helper()
	until(t, want, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Join(f.told, ", ") == want
	})
}

// Who follows is told all in its order, and ends also after the daemon was killed.
func TestFollower(t *testing.T) {
	f := &follower{}
	r := newRig(t, f)
	stop := r.runs()
	r.hear("10.0.0.1", mac(1))
	r.refused(ErrRefused, "10.0.0.1", RADIUS, "al", "simsim")
	r.enters("10.0.0.1", RADIUS, "al", "sesame")
	f.wants(t, "started al")
	r.moved.move(mac(1), 100, 200)
	r.clock.Advance(time.Minute)
	r.look()
	f.wants(t, "started al, moved al")
	if s := f.last; s.Moved.BytesIn != 100 || s.Moved.BytesOut != 200 || string(s.Class[0]) != "\x01\x02" || s.Device != "02:00:00:00:00:01" {
		t.Errorf("%+v", s)
	}
	stop()
	r.again()
	stop = r.runs()
	if s := r.Sessions(); len(s) != 1 || len(s[0].Class) != 1 || s[0].MAC != mac(1) {
		t.Errorf("after a restart: %+v", s)
	}
	f.held = make(chan struct{}) // nobody answers
	if err := r.End(r.Sessions()[0].ID, CauseServer); err != nil {
		t.Fatal(err)
	}
	r.rows("10.0.0.1", "")
	stop()
	r.again()
	close(f.held)
	stop = r.runs()
	f.wants(t, "started al, moved al, server al")
	// All of one that comes and goes while nobody answers.
	f.held = make(chan struct{})
	r.enters("10.0.0.1", RADIUS, "cy", "sesame")
	r.clock.Advance(time.Minute)
	r.look()
	r.clock.Advance(time.Minute)
	r.look()
	if err := r.Leave(t.Context(), from("10.0.0.1")); err != nil {
		t.Fatal(err)
	}
	close(f.held)
	f.wants(t, "started al, moved al, server al, started cy, left cy")
	until(t, "it is forgotten", func() bool {
		_, ended, err := r.Keeper.store.sessions()
		return err == nil && len(ended) == 0
	})
	stop()
	r.again()
	r.runs()
	r.enters("10.0.0.1", RADIUS, "bo", "sesame")
	f.wants(t, "started al, moved al, server al, started cy, left cy, started bo")
}

// A session goes on by another grant.
func TestChange(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	v := r.enters("10.0.0.1", Click, "", "")
	if err := r.Change(r.Sessions()[0].ID, Grant{For: time.Minute, Idle: -1, Bytes: amount(500)}); err != nil {
		t.Fatal(err)
	}
	r.again()
	v = r.visit("10.0.0.1")
	if !v.Until.Equal(r.clock.Now().Add(time.Minute)) || v.Idle != 0 || *v.BytesLeft != 500 {
		t.Errorf("%+v", v)
	}
	if all := r.people.LoginsBy(By); len(all) != 1 || !all[0].Until.Equal(v.Until) {
		t.Errorf("logins %+v", all)
	}
	if err := r.Change("no such", Grant{}); err == nil {
		t.Error("a session that is not there was changed")
	}
}

// A daemon that is killed between one file and the other leaves nobody in who is out,
// and nobody out who is in.
func TestKilledBetween(t *testing.T) {
	r := newRig(t)
	for i, addr := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"} {
		r.hear(addr, mac(byte(i+1)))
	}
	r.enters("10.0.0.1", Click, "", "")
	r.enters("10.0.0.2", Click, "", "")
	r.enters("10.0.0.3", Click, "", "")
	// The end of one is in the portal's file alone, the beginning of another, too.
	byMAC := r.Keeper.in.byMAC
	if err := r.Keeper.store.end(byMAC[mac(1)], false); err != nil {
		t.Fatal(err)
	}
	four := *byMAC[mac(2)]
	four.ID, four.MAC, four.Device, four.User, four.Cookie = newID(), mac(4), "02:00:00:00:00:04", "four", ""
	if err := r.Keeper.store.save(&four); err != nil {
		t.Fatal(err)
	}
	// One ends while no daemon runs.
	late := byMAC[mac(3)]
	late.Until = r.clock.Now().Add(time.Minute)
	if err := r.Keeper.store.save(late); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(11 * time.Minute) // nobody is idle because no daemon looked
	r.again()
	r.look()
	r.rows("10.0.0.1", "")
	r.rows("10.0.0.2", "guest-020000000002")
	r.rows("10.0.0.3", "")
	r.rows("10.0.0.4", "four")
}

// A file that is damaged is kept beside; who is in stays in, and others can come.
func TestDamaged(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	old := r.batch(Batch{Name: "may", Count: 1}).Vouchers[0]
	code := old.Code
	v := r.enters("10.0.0.1", Click, "", "")
	path, text := r.damage()
	if r.Broken() == nil {
		t.Error("nothing is told")
	}
	r.rows("10.0.0.1", v.User)
	if now := r.visit("10.0.0.1"); !now.Until.Equal(v.Until) {
		t.Errorf("%+v, want %+v", now, v)
	}
	r.refused(ErrWrong, "10.0.0.2", Voucher, "", code)
	r.enters("10.0.0.2", Click, "", "")
	if made := r.batch(Batch{Name: "june", Count: 1}).Vouchers[0]; made.Number <= old.Number {
		t.Errorf("number %d is told again", made.Number)
	}
	if kept, err := os.ReadFile(path + ".broken"); err != nil || len(kept) != len(text) {
		t.Errorf("kept %d bytes of %d, %v", len(kept), len(text), err)
	}
	r.again()
	r.rows("10.0.0.1", v.User)
}

// damage ends the run, and begins another with half of the portal's file overwritten.
func (r *rig) damage() (path string, text []byte) {
	r.t.Helper()
	s := *r.settings.Load()
	r.stop(true)
	path = filepath.Join(r.dir, "portal.db")
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	clear(text[:len(text)/2])
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.start(s)
	r.people.Flush()
	return path, text
}

// With the file damaged sessions go on as what they were: who let them in hears of
// their end, their cookies are known, and a volume is what the kernel says, or nothing.
func TestRecovered(t *testing.T) {
	f := &follower{}
	r := newRig(t, f)
	stop := r.runs()
	for n := byte(1); n <= 4; n++ {
		r.hear(fmt.Sprintf("10.0.0.%d", n), mac(n))
	}
	if err := r.SetAccount(LocalAccount{Name: "al"}, "sesame"); err != nil {
		t.Fatal(err)
	}
	made := r.batch(Batch{Name: "may", Count: 2, Bytes: amount(20e6), Devices: 1, Groups: []string{"guests"}}).Vouchers
	r.enters("10.0.0.1", RADIUS, "bo", "sesame")
	cookie := r.enters("10.0.0.2", Account, "al", "sesame").Cookie
	r.enters("10.0.0.3", Voucher, "", made[0].Code)
	r.enters("10.0.0.4", Voucher, "", made[1].Code)
	f.wants(t, "started bo")
	r.volume.use("voucher-1", 5e6)
	was := r.Sessions()
	stop()
	delete(r.volume.left, "voucher-2")
	r.damage()
	r.runs()
	for i, s := range r.Sessions() {
		s.Seen, was[i].Seen = time.Time{}, time.Time{}
		if diff := cmp.Diff(was[i], s, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.User, diff)
		}
	}
	if v := r.visit("10.0.0.3"); v.BytesLeft == nil || *v.BytesLeft != 15e6 {
		t.Errorf("%+v, left %v", v, r.Left())
	}
	if v := r.visit("10.0.0.2"); !v.CanExtend {
		t.Errorf("%+v", v)
	}
	r.look() // of the other voucher nobody knows what is left
	r.rows("10.0.0.4", "")
	r.hear("10.0.0.9", mac(9))
	if v, err := r.Visitor(t.Context(), From{Addr: netip.MustParseAddr("10.0.0.9"), Cookie: cookie}); err != nil || v.User != "al" {
		t.Errorf("by the cookie: %+v, %v", v, err)
	}
	r.clock.Advance(time.Minute)
	r.look()
	f.wants(t, "started bo, moved bo")
	if n, err := r.EndOf("bo", CauseServer); n != 1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	f.wants(t, "started bo, moved bo, server bo")
	bo := slices.IndexFunc(was, func(s Session) bool { return s.User == "bo" })
	if s := f.last; string(s.Class[0]) != "\x01\x02" || s.ID != was[bo].ID {
		t.Errorf("told of %+v, of %+v", s, was)
	}
}

// What is no note of a login lets nobody in as another.
func TestNoted(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.enters("10.0.0.1", Click, "", "")
	l := r.people.LoginsBy(By)[0]
	if s := noted(&l); s == nil || s.Way != Click || s.Cookie == "" {
		t.Fatalf("%s is %+v", l.Note, s)
	}
	for what, change := range map[string]func(*identity.Login){
		"user": func(l *identity.Login) { l.User = "al" }, "device": func(l *identity.Login) { l.MAC = mac(2) },
		"session": func(l *identity.Login) { l.Session = "x" }, "note": func(l *identity.Login) { l.Note = l.Note[1:] },
	} {
		other := l
		if change(&other); noted(&other) != nil {
			t.Errorf("another %s: it is believed", what)
		}
	}
	long := session{Session: Session{Class: [][]byte{make([]byte, identity.MaxNote)}}}
	if note := long.note(); note != nil {
		t.Errorf("a note of %d bytes", len(note))
	}
}

// Where the directory cannot write, nobody is let in and nothing is left of it.
func TestLoginFails(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.Keeper.cfg.Directory = failing{r.people}
	if _, err := r.enter("10.0.0.1", Click, "", ""); !errors.Is(err, identity.ErrNoState) {
		t.Errorf("got %v", err)
	}
	r.rows("10.0.0.1", "")
	r.again()
	r.rows("10.0.0.1", "")
	if len(r.Sessions()) != 0 {
		t.Error("there is a session")
	}
}

type failing struct{ *identity.Directory }

func (failing) Login(identity.Login) error { return identity.ErrNoState }
