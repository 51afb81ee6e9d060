// SPDX-License-Identifier: MIT

package identity

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nftdict/dict"
)

// guest is a login by which a portal lets a device in for an hour.
func (r *rig) guest(session, user string, m [6]byte) Login {
	l := r.in(session, user, m)
	l.By, l.LetIn = "portal", true
	return l
}

const (
	outHost = ": mac_address=02:00:00:00:00:01 interface=lan0"
	inHost  = outHost + " username=guest captive_portal_authenticated=true"
)

// All addresses of a device are let in, those that it takes later, too; whoever takes
// one of them over is not.
func TestLetIn(t *testing.T) {
	r := newRig(t, func(c *Config) { c.LetIn = true })
	r.hear("10.0.0.1", mac(1), 0)
	r.hear("fd00::1", mac(1), 0)
	r.login(r.guest("1", "guest", mac(1)))
	r.want(dict.Hosts, "10.0.0.1"+inHost, "fd00::1"+inHost)
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0 username=guest captive_portal_authenticated=true")
	r.hear("fd00::2", mac(1), 0)
	r.hear("10.0.0.1", mac(2), 0)
	r.Flush()
	r.want(dict.Hosts, "fd00::1"+inHost, "fd00::2"+inHost, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0")
	// Somebody else's login says who uses the device, and changes nothing of that.
	l := r.in("2", "bo", mac(1))
	l.Since = l.Since.Add(time.Second)
	r.login(l)
	if !r.In(mac(1)) || r.In(mac(2)) {
		t.Error("let in is not who logged in")
	}
	r.logoutOf("ap", "2", 1)
	r.logoutOf("portal", "1", 1)
	r.want(dict.Hosts, "10.0.0.1: mac_address=02:00:00:00:00:02 interface=lan0", "fd00::1"+outHost, "fd00::2"+outHost)
	r.want(dict.Devices, "02:00:00:00:00:01: interface=lan0", "02:00:00:00:00:02: interface=lan0")
	if len(r.LoginsBy("portal")) != 0 {
		t.Error("there is a login left")
	}
}

// Who is in stays so over a restart, and what a killed daemon was about to take back
// is taken back by the next, with a portal or without.
func TestLetInSurvives(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	r := newRig(t, func(c *Config) { c.LetIn, c.State = true, s })
	store := r.store
	again := func(portal bool) *rig {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		next := newRig(t, func(c *Config) { c.LetIn, c.State, c.Store, c.Clock = portal, s, store, r.clock.Now })
		next.store = store
		next.Flush()
		return next
	}
	r.hear("10.0.0.1", mac(1), 0)
	r.login(r.guest("1", "guest", mac(1)))
	r.login(r.guest("2", "guest", mac(2)))
	next := again(true)
	next.want(dict.Hosts, "10.0.0.1"+inHost)
	if all := next.LoginsBy("portal"); len(all) != 2 || !all[0].LetIn {
		t.Errorf("logins %+v", all)
	}
	// Killed between the file and the rows.
	if _, err := s.logout(func(l *Login) bool { return l.Session == "1" }); err != nil {
		t.Fatal(err)
	}
	next = again(false)
	next.want(dict.Hosts, "10.0.0.1"+outHost)
	next.want(dict.Devices, "02:00:00:00:00:01: interface=lan0")
	if all := next.LoginsBy("portal"); len(all) != 0 {
		t.Errorf("logins without a portal: %+v", all)
	}
	// What is nobody's now may be written by others, and stays.
	yes := dict.Cell{Field: inField, Value: dict.BoolValue(true)}
	if err := store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(netip.MustParseAddr("10.0.0.1")), Cells: []dict.Cell{yes}}); err != nil {
		t.Fatal(err)
	}
	if next.cfg.State.letsIn() {
		again(false) // the tombstones leave with the file's closing
	}
	next = again(false)
	next.want(dict.Hosts, "10.0.0.1"+outHost+" captive_portal_authenticated=true")
}

// A login ends when its time has come, not with the next round.
func TestLetInEndsInTime(t *testing.T) {
	r := newRig(t, func(c *Config) { c.LetIn, c.Clock = true, time.Now })
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- r.Run(ctx) }()
	defer func() { stop(); <-ran }()
	r.hear("10.0.0.1", mac(1), 0)
	ends := func() {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); r.In(mac(1)) || len(r.LoginsBy("portal")) > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("it goes on")
			}
		}
	}
	for i := range 3 { // when no other end is waited for, and when a later one is
		late := r.guest(fmt.Sprint("late", i), "guest", mac(1))
		late.Until = time.Now().Add(time.Hour)
		r.login(late)
		soon := r.guest(fmt.Sprint("soon", i), "guest", mac(2))
		soon.Until = time.Now().Add(20 * time.Millisecond)
		r.login(soon)
		late.Until = time.Now().Add(40 * time.Millisecond) // it was told to end sooner
		r.login(late)
		ends()
	}
	r.Flush()
	r.want(dict.Hosts, "10.0.0.1"+outHost)
}

// Nobody stays in because the file cannot be written.
func TestLetInEndsWithoutDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	r := newRig(t, func(c *Config) { c.LetIn, c.State = true, s })
	r.hear("10.0.0.1", mac(1), 0)
	r.login(r.guest("1", "guest", mac(1)))
	if err := errors.Join(s.Close(), os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Hour)
	r.hear("10.0.0.1", mac(1), 0)
	r.Tend()
	r.Flush()
	if row, err := r.store.Get(dict.Hosts, dict.AddrKey(netip.MustParseAddr("10.0.0.1"))); err != nil {
		t.Error(err)
	} else if _, in := row.Get(inField); in || r.In(mac(1)) {
		t.Errorf("row %v", row)
	}
}

// A portal lets devices in, not addresses.
func TestLetInRefuses(t *testing.T) {
	r := newRig(t, nil)
	l := r.guest("1", "guest", [6]byte{})
	l.Addrs = append(l.Addrs, netip.MustParseAddr("10.0.0.1"))
	if err := r.Login(l); !errors.Is(err, dict.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
