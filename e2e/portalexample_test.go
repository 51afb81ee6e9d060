// SPDX-License-Identifier: MIT

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"nftdict/internal/lab"
)

// guestOf is a visitor who knows the portal of the examples by its name.
func (r *rig) guestOf(family int) *visitor {
	v := r.visitor(r.t, r.Client, family)
	at := lab.GatewayLAN4.String()
	if family == 6 {
		at = "[" + lab.GatewayLAN6.String() + "]"
	}
	v.hosts = []string{portalName + ":8443:" + at}
	return v
}

// The hotspot: a button, a budget, and back to the button.
func TestExampleHotspot(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start(example(t, "hotspot.toml"))
	me := r.guestOf(6)
	me.captive("before")
	if page := me.page("/"); !strings.Contains(page.body, "Café Example") {
		t.Errorf("the page does not say where one is:\n%s", page.body)
	}
	me.enter("click", "", "")
	me.free("let in")
	r.eventually("a budget", func() error {
		if left := r.field("devices", lab.ClientMAC, "quota_remaining"); !strings.HasPrefix(left, "1999") {
			return fmt.Errorf("%q bytes are left", left)
		}
		return nil
	})
	if said := r.must("dictctl", "portal", "sessions"); !strings.Contains(said, lab.ClientMAC) {
		t.Errorf("dictctl portal sessions says %q", said)
	}
	r.must("dictctl", "portal", "kick", lab.Client4.String())
	me.captive("kicked")
}

// The hotel: a voucher of a batch that is taken back, and an account whose group may do
// more by a rule.
func TestExampleHotel(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	r.start(example(t, "hotel.toml"))
	var made struct{ Vouchers []struct{ Code string } }
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "portal", "voucher", "create", "week48", "--count", "2", "--time", "7d", "--volume", "20GB", "--prefix", "INN")), &made); err != nil || len(made.Vouchers) != 2 {
		t.Fatalf("vouchers %+v, %v", made, err)
	}
	me := r.guestOf(4)
	me.captive("before")
	me.enter("voucher", "", made.Vouchers[0].Code)
	me.free("let in by a voucher")
	r.must("dictctl", "portal", "voucher", "revoke", "week48")
	me.captive("taken back")
	me.problem(me.enter("voucher", "", made.Vouchers[1].Code), "withdrawn")

	r.operate("PUT", "/v1/portal/accounts/anna", `{"password":"correct horse","usergroups":["staff"]}`, nil)
	me.enter("account", "anna", "correct horse")
	me.free("let in with an account")
	r.must("dictctl", "nft", "add table inet filter; add chain inet filter forward { type filter hook forward priority 0; }")
	r.must("dictctl", "nft", `add rule inet filter forward dict users dict hosts ip saddr username usergroups { staff, "staff,*", "*,staff", "*,staff,*" } counter`)
	if err := r.reach(4, "http://example.org/"); err != nil {
		t.Error(err)
	}
	if listed := r.must("dictctl", "nft", "list", "chain", "inet", "filter", "forward"); strings.Contains(listed, "counter packets 0 ") {
		t.Errorf("the rule of the staff does not match:\n%s", listed)
	}
}

// The office: who its server knows.
func TestExampleOfficeRadius(t *testing.T) {
	r := newRig(t, lab.Config{})
	at := netip.MustParseAddr("198.51.100.53")
	if out, err := r.Internet.Command(t.Context(), "ip", "address", "add", at.String()+"/32", "dev", "lo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, _ := r.serveRADIUS(at, "change me", "bob Cleartext-Password := \"hello\"\n\tFilter-Id = \"visitors\"\n")
	r.start(example(t, "office-radius.toml"))
	me := r.guestOf(4)
	me.captive("before")
	r.eventually("the server answers", func() error {
		if page := me.enter("radius", "bob", "hello"); strings.Contains(page.body, `id="problem"`) {
			return fmt.Errorf("the page says\n%s", page.body)
		}
		return nil
	})
	me.free("let in")
	r.hears(s, "Acct-Status-Type = Start\n", "NAS-Identifier = \"office\"\n")
	r.eventually("the budget of his group", func() error {
		if plan := r.field("users", "bob", "quota_plan"); plan != "visitors" {
			return fmt.Errorf("his plan is %q", plan)
		}
		return nil
	})
}
