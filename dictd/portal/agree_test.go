// SPDX-License-Identifier: MIT

package portal

import (
	"errors"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/identity"
)

// What others did to logins of the portal does not last.
func TestAgree(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	r.hear("10.0.0.2", mac(2))
	v := r.enters("10.0.0.1", Click, "", "")
	if _, err := r.people.Logout(By, ""); err != nil {
		t.Fatal(err)
	}
	err := r.people.Login(identity.Login{By: By, Session: "forged", User: "eve", MAC: mac(2), LetIn: true, Since: r.clock.Now(), Until: r.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r.save()
	r.rows("10.0.0.1", v.User)
	r.rows("10.0.0.2", "")
}

// What is left of a volume is known from the file, where nobody else knows.
func TestVolumeIsRestored(t *testing.T) {
	r := newRig(t)
	r.hear("10.0.0.1", mac(1))
	code := r.batch(Batch{Name: "may", Count: 1, Bytes: amount(20e6)}).Vouchers[0].Code
	r.enters("10.0.0.1", Voucher, "", code)
	r.volume.use("voucher-1", 5e6)
	r.save()
	r.volume.use("voucher-1", 1e6)
	r.again() // what is counted is there still
	if v := r.visit("10.0.0.1"); *v.BytesLeft != 14e6 {
		t.Errorf("left %d", *v.BytesLeft)
	}
	r.volume.left["voucher-1"] = 1e18 // it is another plan's
	r.again()
	if v := r.visit("10.0.0.1"); *v.BytesLeft != 15e6 {
		t.Errorf("left %d", *v.BytesLeft)
	}
}

// Devices that somebody made up keep nobody out.
func TestFull(t *testing.T) {
	r := newRig(t)
	if err := r.SetAccount(LocalAccount{Name: "al"}, "sesame"); err != nil {
		t.Fatal(err)
	}
	r.Keeper.most = 3
	addrs := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}
	for i, addr := range addrs {
		r.hear(addr, mac(byte(i+1)))
	}
	r.enters(addrs[0], Account, "al", "sesame")
	r.enters(addrs[1], Click, "", "")
	r.enters(addrs[2], Click, "", "")
	if _, err := r.enter(addrs[3], Click, "", ""); !errors.Is(err, identity.ErrTooMany) {
		t.Errorf("got %v", err)
	}
	r.clock.Advance(time.Minute)
	r.moved.move(mac(2), 1, 1)
	r.look()
	r.enters(addrs[3], Click, "", "")
	r.rows(addrs[0], "al")
	r.rows(addrs[1], "guest-020000000002")
	r.rows(addrs[2], "")
	r.enters(addrs[3], Click, "", "") // who is in needs no other's place
	if n := len(r.Sessions()); n != 3 {
		t.Errorf("%d sessions", n)
	}
}

// Names of guests and vouchers are nobody else's.
func TestOwnNames(t *testing.T) {
	r := newRig(t, &follower{})
	r.hear("10.0.0.1", mac(1))
	for _, name := range []string{"voucher-1", "guest-020000000002"} {
		r.refused(ErrRefused, "10.0.0.1", RADIUS, name, "sesame")
		if err := r.SetAccount(LocalAccount{Name: name}, "sesame"); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("account %s: %v", name, err)
		}
	}
	r.enters("10.0.0.1", RADIUS, "al", "sesame")
}
