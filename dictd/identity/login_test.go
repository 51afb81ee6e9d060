// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"nftdict/dict"
)

// in is a login of a device for an hour.
func (r *rig) in(session, user string, m [6]byte, groups ...string) Login {
	now := r.clock.Now()
	return Login{By: "ap", Session: session, User: user, MAC: m, Groups: groups, Since: now, Until: now.Add(time.Hour)}
}

func (r *rig) login(l Login) {
	r.t.Helper()
	if err := r.Login(l); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) logoutOf(by, session string, want int) {
	r.t.Helper()
	if n, err := r.Logout(by, session); n != want || err != nil {
		r.t.Errorf("ended %d, %v, want %d", n, err, want)
	}
}

// Who is logged in uses the device; then it is again whose it was.
func TestLogin(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	for _, err := range []error{r.Bind(mac(1), "al"), r.SetUser("bo", []string{"staff"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wants := func(user, groups string) {
		t.Helper()
		if got := r.told["10.0.0.1"]; got.Username != user || got.Groups != groups {
			t.Errorf("told %+v", got)
		}
		r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0 username="+user)
		r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 username="+user)
	}
	r.login(r.in("1", "bo", mac(1), "guests"))
	wants("bo", "guests,staff")
	r.clock.Advance(time.Minute)
	r.login(r.in("2", "cy", mac(1)))
	wants("cy", "")
	r.want(dict.Users, "al:", "bo: usergroups=guests,staff", "cy:")
	r.login(r.in("1", "bo", mac(1))) // goes on: neither newer nor without its groups
	wants("cy", "")
	r.want(dict.Users, "al:", "bo: usergroups=guests,staff", "cy:")
	r.logoutOf("ap", "2", 1)
	wants("bo", "guests,staff")
	r.want(dict.Users, "al:", "bo: usergroups=guests,staff")
	// What is late of one that has ended does not bring it back.
	if err := r.Login(r.in("2", "cy", mac(1))); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
	r.logoutOf("ap", "9", 0)
	if err := r.Login(r.in("9", "cy", mac(1))); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
	// Whoever begins anew has nobody left, and may call sessions as before.
	r.logoutOf("another", "", 0)
	wants("bo", "guests,staff")
	r.logoutOf("ap", "", 1)
	wants("al", "")
	r.want(dict.Users, "al:", "bo: usergroups=staff")
	r.login(r.in("2", "cy", mac(1)))
	wants("cy", "")
	// Nothing more is told.
	r.clock.Advance(59 * time.Minute)
	r.hear("10.0.0.1", mac(1), 0)
	r.Tend()
	wants("cy", "")
	r.clock.Advance(time.Minute)
	r.Tend()
	r.Flush()
	wants("al", "")
	r.login(r.in("2", "cy", mac(1))) // and then it is
	wants("cy", "")
}

// A login without a device is that of its addresses, known or not.
func TestLoginByAddress(t *testing.T) {
	r := newRig(t, nil)
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("fd00::1", mac(1), 0)
	l := r.in("1", "bo", [6]byte{})
	l.Addrs = []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.8.0.1")}
	r.login(l)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0 username=bo", "fd00::1: mac_address=02:00:00:00:00:01 interface=lan0 username=bo", "10.8.0.1: username=bo")
	if r.told["10.8.0.1"].Username != "bo" || r.told["fd00::1"].Username != "bo" {
		t.Errorf("told %v", r.told)
	}
	if _, user, known := r.Party(netip.MustParseAddr("10.8.0.1")); !known || user != "bo" {
		t.Errorf("party %q, %v", user, known)
	}
	r.logoutOf("ap", "1", 1)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0", "fd00::1: mac_address=02:00:00:00:00:01 interface=lan0")
	if len(r.told) != 0 {
		t.Errorf("told %v", r.told)
	}
}

// Logins are there after a restart, and what a killed daemon was about to end is
// ended by the next.
func TestLoginSurvives(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(c *Config) { c.State = open(t, dir) })
	r.hear("10.0.0.1", mac(1), 0)
	r.login(r.in("1", "bo", mac(1), "staff"))
	l := r.in("2", "cy", [6]byte{})
	l.Addrs = []netip.Addr{netip.MustParseAddr("10.8.0.1")}
	r.login(l)
	for range 10 { // told again and again, for longer than it was first said to last
		r.clock.Advance(20 * time.Minute)
		r.login(r.in("1", "bo", mac(1)))
		r.hear("10.0.0.1", mac(1), 0)
		l.Until = r.clock.Now().Add(time.Hour)
		r.login(l)
		r.Tend()
	}
	again := func() *rig {
		if err := r.cfg.State.Close(); err != nil {
			t.Fatal(err)
		}
		next := newRig(t, func(c *Config) { c.Store, c.State, c.Clock = r.store, open(t, dir), r.clock.Now })
		next.store, next.clock = r.store, r.clock
		next.Tend()
		next.Flush()
		return next
	}
	r = again()
	const device = "10.0.0.1: mac_address=02:00:00:00:00:01 interface=lan0"
	r.want(dict.Hosts, device+" username=bo", "10.8.0.1: username=cy")
	r.want(dict.Users, "bo: usergroups=staff", "cy:")
	if _, err := r.cfg.State.logout(func(*Login) bool { return true }); err != nil { // and killed
		t.Fatal(err)
	}
	r = again()
	r.want(dict.Hosts, device)
	r.want(dict.Users)
	if doubted := r.Doubted(); len(doubted) != 2 {
		t.Errorf("in doubt are %v", doubted)
	}
}

func TestLoginRefuses(t *testing.T) {
	r := newRig(t, nil)
	many := r.in("1", "bo", mac(1))
	many.Addrs = make([]netip.Addr, maxAddresses+1)
	group := r.in("1", "bo", mac(1))
	group.Groups = make([]string, maxGroups+1)
	zone := r.in("1", "bo", [6]byte{})
	zone.Addrs = []netip.Addr{netip.MustParseAddr("fe80::1%lan0")}
	for i, l := range []Login{r.in("1", "", mac(1)), r.in("1", "bo\n", mac(1)), r.in("1", "bo", [6]byte{}), r.in("1", "bo", [6]byte{1}), many, group, zone} {
		if err := r.Login(l); err == nil {
			t.Errorf("%d: %+v", i, l)
		}
	}
	for i := range maxEnded + 10 {
		r.cfg.State.noteEnded(loginKey{"ap", fmt.Sprint(i)}, r.clock.Now())
	}
	if n := len(r.cfg.State.logins.ended); n > maxEnded {
		t.Errorf("%d ended ones are kept", n)
	}
}
