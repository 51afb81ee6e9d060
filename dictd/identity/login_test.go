// SPDX-License-Identifier: MIT

package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity/lease"
	"nftdict/dictd/identity/overheard"
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

// Who logs in after the clock was put back is the user, and not who did before.
func TestLoginAfterTheClockWasAhead(t *testing.T) {
	r := newRig(t, nil)
	for i, addr := range []string{"10.0.0.1", "10.0.0.2"} {
		r.hear(addr, mac(byte(i)), 0)
	}
	byAddr := func(session, user string) Login {
		l := r.in(session, user, [6]byte{})
		l.Addrs = []netip.Addr{netip.MustParseAddr("10.0.0.2")}
		return l
	}
	r.login(r.in("1", "al", mac(0)))
	r.login(byAddr("2", "al"))
	r.clock.Advance(-24 * time.Hour)
	r.login(r.in("3", "bo", mac(0)))
	r.login(byAddr("4", "bo"))
	r.clock.Advance(time.Second)
	r.login(r.in("5", "cy", mac(0)))
	for addr, want := range map[string]string{"10.0.0.1": "cy", "10.0.0.2": "bo"} {
		if h, err := r.Host(netip.MustParseAddr(addr)); err != nil || h.Username != want {
			t.Errorf("%s: user %q, want %q, %v", addr, h.Username, want, err)
		}
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

// What led to a host's name, kind and user is told, what decides first.
func TestWhy(t *testing.T) {
	r := newRig(t, nil)
	addr := netip.MustParseAddr("10.0.0.1")
	r.SetLeases([]lease.Lease{{Addr: addr, MAC: mac(1), Hostname: "leased"}})
	r.hear("10.0.0.1", mac(1), 0)
	r.Heard(&overheard.Message{Source: overheard.DHCP, MAC: mac(1), Class: "MSFT 5.0", Options: "1,2", Names: []overheard.Named{{Name: "said"}}})
	r.take(evidence{addr, mac(1), "Mozilla/5.0 (Windows NT 10.0)"})
	if err := r.Bind(mac(1), "al"); err != nil {
		t.Fatal(err)
	}
	r.login(r.in("1", "bo", mac(1), "guests"))
	got, err := r.Why(addr)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Name{{"leased", byLeaseAddr}, {"leased", byLeaseMAC}, {"said", "DHCP"}}; !slices.Equal(got.Names, want) || got.Host.Hostname != "leased" {
		t.Errorf("names %v, %s", got.Names, got.Host.Hostname)
	}
	want := []Clue{
		{clueAgent, "Mozilla/5.0 (Windows NT 10.0)", "computer/windows", 68}, {clueClass, "MSFT 5.0", "computer/windows", 65}, {clueOptions, "1,2", "", 0},
		{clueHostname, "leased", "", 0}, {clueHostname, "said", "", 0},
	}
	if !slices.Equal(got.Clues, want) || got.Host.Profile != "computer/windows" {
		t.Errorf("clues %v, %s", got.Clues, got.Host.Profile)
	}
	if len(got.Logins) != 1 || got.Logins[0].User != "bo" || got.Bound != "al" || got.Host.Username != "bo" {
		t.Errorf("logins %+v, bound %s", got.Logins, got.Bound)
	}
	if _, err := r.Why(netip.MustParseAddr("10.0.0.2")); !errors.Is(err, dict.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Rules say what they are meant to, each by its kind.
func TestProfiles(t *testing.T) {
	for _, c := range []struct{ from, text, want string }{
		{clueAgent, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile", "phone/ios"},
		{clueAgent, "Mozilla/5.0 (Linux; Android 14; Pixel 8) Mobile Safari", "phone/android"},
		{clueAgent, "Mozilla/5.0 (Linux; Android 14; SM-X700) Safari", "tablet/android"},
		{clueAgent, "Mozilla/5.0 (Linux; Android 12; BRAVIA 4K)", "tv"},
		{clueAgent, "Mozilla/5.0 (X11; Linux x86_64) Firefox", "computer/linux"},
		{clueAgent, "curl/8", ""},
		{clueClass, "MSFT 5.0 XBOX", "console"}, {clueClass, "msft 5.0", "computer/windows"}, {clueClass, "Hewlett-Packard JetDirect", "printer"},
		{clueModel, "MacBookPro18,3", "computer/macos"}, {clueModel, "AudioAccessory5,1", "speaker"},
		{clueService, "_pdl-datastream._tcp", "printer"}, {clueService, "_x._tcp", ""},
		{clueVendor, "Hangzhou Hikvision Digital Technology", "camera"}, {clueVendor, "Sonos, Inc.", "speaker"},
		{clueHostname, "android-1234", "phone/android"}, {clueHostname, "desktop-abc1234", "computer/windows"}, {clueHostname, "my-desktop-x", ""},
		{clueOptions, "1,121,3,6,15,119,252", "phone/ios"}, {clueOptions, "1,121,3,6,15,119,252,9", ""},
	} {
		if got := clue(c.from, c.text); got.Profile != c.want {
			t.Errorf("%s %q: %q, want %q", c.from, c.text, got.Profile, c.want)
		}
	}
	for i, r := range profileRules {
		if len(r.parts) == 0 || r.weight <= 0 || r.weight > 100 || r.profile == "" {
			t.Errorf("rule %d: %+v", i, r)
		}
	}
}
