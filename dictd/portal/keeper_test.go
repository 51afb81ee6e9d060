// SPDX-License-Identifier: MIT

package portal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
)

// A device is in at all its addresses, until it leaves, and its time ends as it should.
func TestClick(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("fd00::1", mac(1))
	r.hear("10.0.0.2", mac(2))
	r.refused(ErrUnknownDevice, "10.0.0.9", Click, "", "")
	r.refused(ErrNoWay, "10.0.0.1", "owl", "", "")
	if v := r.visit("10.0.0.9"); v.In || v.Device != "" || len(v.Ways) != 3 {
		t.Errorf("nobody is %+v", v)
	}
	v := r.enters("10.0.0.1", Click, "", "")
	if len(v.Cookie) < 40 || !v.Until.Equal(r.clock.Now().Add(time.Hour)) || v.Idle != 600 || v.Device != "02:00:00:00:00:01" || v.Way != Click || !v.CanExtend {
		t.Errorf("%+v", v)
	}
	const user = "guest-020000000001"
	r.rows("10.0.0.1", user)
	r.rows("fd00::1", user)
	r.rows("10.0.0.2", "")
	r.hear("fd00::abcd", mac(1))
	r.rows("fd00::abcd", user)
	r.clock.Advance(50 * time.Minute)
	v, err := r.Extend(t.Context(), from("fd00::1"))
	if err != nil || !v.Until.Equal(r.clock.Now().Add(time.Hour)) {
		t.Errorf("%+v, %v", v, err)
	}
	if err := r.Leave(t.Context(), from("fd00::1")); err != nil {
		t.Error(err)
	}
	r.rows("10.0.0.1", "")
	r.rows("fd00::abcd", "")
	for _, err := range []error{r.Leave(t.Context(), from("10.0.0.1")), r.Leave(t.Context(), from("10.0.0.9"))} {
		if !errors.Is(err, ErrNotIn) {
			t.Errorf("left twice: %v", err)
		}
	}
	if _, err := r.Extend(t.Context(), from("10.0.0.1")); !errors.Is(err, ErrNotIn) {
		t.Errorf("extended: %v", err)
	}
}

// Whatever ends a session ends it, and tells why.
func TestEnds(t *testing.T) {
	r := newRig(t)
	if err := r.SetAccount(LocalAccount{Name: "al"}, "sesame"); err != nil {
		t.Fatal(err)
	}
	r.hear("10.0.0.1", mac(1))
	news := r.events.Subscribe(r.events.Position(), event.Of(event.PortalLogout))
	defer news.Close()
	for _, c := range []struct {
		cause Cause
		end   func(s Session) error
	}{
		{CauseTime, func(Session) error { r.clock.Advance(time.Hour); r.endsOver(); return nil }},
		{CauseIdle, func(Session) error {
			r.moved.move(mac(1), 10, 20)
			r.look()
			for range 2 { // what moves keeps it
				r.clock.Advance(6 * time.Minute)
				r.moved.move(mac(1), 1, 0)
				r.look()
				r.rows("10.0.0.1", "al")
			}
			r.clock.Advance(10 * time.Minute)
			r.look()
			return nil
		}},
		{CauseKicked, func(s Session) error { return r.End(s.ID, CauseKicked) }},
		{CauseServer, func(s Session) error { _, err := r.EndOf("al", CauseServer); return err }},
		{CauseReplaced, func(s Session) error {
			r.enters("10.0.0.1", Click, "", "")
			r.rows("10.0.0.1", "guest-020000000001")
			return r.Leave(t.Context(), from("10.0.0.1"))
		}},
		{CauseRevoked, func(s Session) error { return r.RemoveAccount("al") }},
	} {
		r.enters("10.0.0.1", Account, "al", "sesame")
		r.rows("10.0.0.1", "al")
		if err := c.end(r.Sessions()[0]); err != nil {
			t.Errorf("%s: %v", c.cause, err)
		}
		r.rows("10.0.0.1", "")
		some := make([]event.Event, 8)
		if n, err := news.Read(t.Context(), some); err != nil || n == 0 || some[0].Subject != "al" || some[0].Data.(News).Cause != c.cause {
			t.Errorf("%s: told %+v, %v", c.cause, some[:n], err)
		}
	}
	if err := r.End("no such", CauseKicked); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// endsOver ends those that are over, as Run does.
func (r *rig) endsOver() {
	r.endThat(func(s *session, now time.Time) Cause {
		if s.over(now) {
			return CauseTime
		}
		return ""
	})
}

// The clock ends sessions by itself.
func TestRunEnds(t *testing.T) {
	r := newRig(t)
	r.runs()
	r.hear("10.0.0.1", mac(1))
	if err := r.Set(Settings{Ways: []string{Click}, Session: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	r.enters("10.0.0.1", Click, "", "")
	r.clock.Advance(50 * time.Millisecond)
	until(t, "the end", func() bool { return len(r.Sessions()) == 0 })
	r.rows("10.0.0.1", "")
}

// Devices of an account: one more takes the place of the first, or is refused.
func TestDevices(t *testing.T) {
	r := newRig(t)
	if err := r.SetAccount(LocalAccount{Name: "al", Groups: []string{"staff"}}, "sesame"); err != nil {
		t.Fatal(err)
	}
	for i := range byte(4) {
		r.hear(fmt.Sprintf("10.0.0.%d", i+1), mac(i+1))
		r.clock.Advance(time.Second)
		if i < 3 {
			r.enters(fmt.Sprintf("10.0.0.%d", i+1), Account, "al", "sesame")
		}
	}
	r.rows("10.0.0.1", "")
	r.rows("10.0.0.2", "al")
	r.rows("10.0.0.3", "al")
	s := *r.settings.Load()
	s.Refuse = true
	if err := r.Set(s); err != nil {
		t.Fatal(err)
	}
	r.refused(ErrTooManyDevices, "10.0.0.4", Account, "al", "sesame")
	r.rows("10.0.0.2", "al")
	r.enters("10.0.0.2", Account, "al", "sesame") // who is in may log in again
	if err := r.SetAccount(LocalAccount{Name: "al", Devices: -1}, ""); err != nil {
		t.Fatal(err)
	}
	r.enters("10.0.0.4", Account, "al", "sesame")
	if n := len(r.Sessions()); n != 3 {
		t.Errorf("%d sessions", n)
	}
}

// Accounts: what is wrong, and what has ended.
func TestAccounts(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	soon := r.clock.Now().Add(30 * time.Minute)
	for _, a := range []LocalAccount{{Name: "al", Until: soon}, {Name: "bo", Session: 2 * time.Hour, Groups: []string{"staff"}}} {
		if err := r.SetAccount(a, "sesame"); err != nil {
			t.Fatal(err)
		}
	}
	r.refused(ErrWrong, "10.0.0.1", Account, "al", "simsim")
	r.refused(ErrWrong, "10.0.0.1", Account, "al", "")
	r.refused(ErrWrong, "10.0.0.1", Account, "cy", "sesame")
	if v := r.enters("10.0.0.1", Account, "al", "sesame"); !v.Until.Equal(soon) {
		t.Errorf("until %s, want %s", v.Until, soon)
	}
	r.clock.Advance(31 * time.Minute)
	if v := r.visit("10.0.0.1"); v.In {
		t.Errorf("in when it is over: %+v", v)
	}
	r.endsOver()
	r.refused(ErrExpired, "10.0.0.1", Account, "al", "sesame")
	r.refused(ErrWrong, "10.0.0.1", Account, "al", "simsim")
	if v := r.enters("10.0.0.1", Account, "bo", "sesame"); !v.Until.Equal(r.clock.Now().Add(2 * time.Hour)) {
		t.Errorf("until %s", v.Until)
	}
	if err := r.SetAccount(LocalAccount{Name: "dy"}, ""); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("without a password: %v", err)
	}
	if err := r.SetAccount(LocalAccount{Name: "a\nb"}, "x"); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("a name of two lines: %v", err)
	}
	all, err := r.Accounts()
	if err != nil || len(all) != 2 || all[0].Name != "al" || all[1].Created.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
	if err := r.RemoveAccount("cy"); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "portal.db"))
	if err != nil || len(text) == 0 || contains(text, "sesame") {
		t.Errorf("the file has a password, or cannot be read: %v", err)
	}
}

// Who guesses is let guess slowly, and nobody else has to wait for him.
func TestTooFast(t *testing.T) {
	r := newRig(t)
	if err := r.SetAccount(LocalAccount{Name: "al", Devices: -1}, "sesame"); err != nil {
		t.Fatal(err)
	}
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	for range 10 {
		r.refused(ErrWrong, "10.0.0.1", Voucher, "", "2222-2222-22222")
	}
	_, err := r.enter("10.0.0.1", Account, "al", "sesame")
	var why *Refusal
	if !errors.As(err, &why) || why.Code != CodeTooFast || why.After <= 0 || why.After > time.Minute {
		t.Fatalf("got %v", err)
	}
	r.enters("10.0.0.2", Account, "al", "sesame")
	r.clock.Advance(why.After)
	r.enters("10.0.0.1", Account, "al", "sesame")
	// One account, guessed at from many devices.
	for i := range byte(21) {
		addr := fmt.Sprintf("10.0.1.%d", i)
		r.hear(addr, mac(100+i))
		want := ErrWrong
		if i == 20 {
			want = ErrTooFast
		}
		r.refused(want, addr, Account, "al", "simsim")
	}
	r.enters("10.0.0.2", Click, "", "")
}

// A limit has room for so many and no more.
func TestLimitIsBounded(t *testing.T) {
	l, now := newLimit(1, time.Second), time.Unix(1e9, 0)
	for i := range 3 * maxKeys {
		l.take(fmt.Sprint(i), now)
	}
	if len(l.tries) > maxKeys {
		t.Errorf("%d keys", len(l.tries))
	}
}

// A device with a new MAC goes on by its cookie; that of another, or of one that is over,
// is worth nothing.
func TestCookie(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	v := r.enters("10.0.0.1", Click, "", "")
	r.clock.Advance(10 * time.Minute)
	with := from("10.0.0.2")
	with.Cookie = v.Cookie[1:] + "A"
	if v, err := r.Visitor(t.Context(), with); err != nil || v.In {
		t.Errorf("by another's cookie: %+v, %v", v, err)
	}
	with.Cookie = v.Cookie
	next, err := r.Visitor(t.Context(), with)
	if err != nil || !next.In || !next.Until.Equal(v.Until) || next.User != v.User {
		t.Errorf("%+v, %v", next, err)
	}
	r.rows("10.0.0.1", "")
	r.rows("10.0.0.2", v.User)
	r.again()
	r.rows("10.0.0.1", "")
	r.rows("10.0.0.2", v.User)
	r.clock.Advance(time.Hour)
	r.endsOver()
	if v, err := r.Visitor(t.Context(), with); err != nil || v.In {
		t.Errorf("by a cookie that is over: %+v, %v", v, err)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "portal.db"))
	if err != nil || contains(text, v.Cookie) {
		t.Errorf("the file has a cookie, or cannot be read: %v", err)
	}
}

// Two devices that have one cookie take the session from each other no more often than
// they could log in.
func TestCookieIsLimited(t *testing.T) {
	r := newRig(t)
	addrs := []string{"10.0.0.1", "10.0.0.2"}
	for i, addr := range addrs {
		r.hear(addr, mac(byte(i+1)))
	}
	cookie := r.enters(addrs[0], Click, "", "").Cookie
	visit := func(addr string) bool {
		f := from(addr)
		f.Cookie = cookie
		v, err := r.Visitor(t.Context(), f)
		if err != nil {
			t.Error(err)
		}
		return v.In
	}
	for i := range 4 * r.logins.burst {
		visit(addrs[(i+1)%2])
	}
	if n := int(r.Stats().Rebound); n == 0 || n > 2*r.logins.burst {
		t.Errorf("went on at another MAC %d times", n)
	}
	r.clock.Advance(time.Minute)
	for _, addr := range addrs {
		if !visit(addr) {
			t.Errorf("%s is not let in later", addr)
		}
	}
}
