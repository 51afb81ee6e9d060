// SPDX-License-Identifier: MIT

package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
	"nftdict/nftext"
)

func parse(t *testing.T, specs ...plan.Spec) []*plan.Plan {
	t.Helper()
	plans, err := plan.Parse(specs, plan.Defaults{Zone: time.UTC, Throttle: 0x71})
	if err != nil {
		t.Fatal(err)
	}
	return plans
}

// text prints chains with their rules, those of IPv6 left out.
func text(t *testing.T, o Options, plans ...*plan.Plan) string {
	t.Helper()
	var b strings.Builder
	for _, c := range Build(plans, o).Chains {
		if strings.Contains(c.Name, ".ip6") {
			continue
		}
		fmt.Fprintf(&b, "%s:\n", c.Name)
		for _, r := range c.Rules {
			if line := r.String(); !strings.Contains(line, "ip6") {
				fmt.Fprintf(&b, "\t%s\n", line)
			}
		}
	}
	return b.String()
}

func TestBuild(t *testing.T) {
	if Build(nil, Options{}) != nil {
		t.Error("rules without plans")
	}
	got := text(t, Options{Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/24")}, Packets: 64}, parse(t,
		plan.Spec{Name: "a", For: []string{"users"}, Volume: "1", Period: "day"},
		plan.Spec{Name: "b", For: []string{"user x"}, Volume: "1", Period: "day", Direction: "in", Then: "throttle", Except: plan.Except{Applications: []string{"DNS"}}},
		plan.Spec{Name: "tv", For: []string{"device 02:00:00:00:00:0a"}, Applications: []string{"A", "B*"}, Categories: []string{"video"}, Time: "1h", Period: "day", Then: "drop", Except: plan.Except{Categories: []string{"mail"}}},
	)...)
	want := `quota.reset:
	meta l4proto tcp reject with tcp reset
	reject with icmpx admin-prohibited
quota.refuse:
	ct bytes > 65536 drop
	goto quota.reset
quota.end.a:
	goto quota.refuse
quota.end.b:
	meta mark set 0x00000071 meta priority set 1:20
quota.end.tv:
	drop
quota.end.users.ip.from.b:
	dict sessions ct id application "DNS" return
	dict sessions ct id final missing ct packets <= 64 dict users dict hosts ip saddr username quota_grace > 0 dict users dict hosts ip saddr username quota_grace sub meta length return
	goto quota.end.b
quota.by.users.ip.from:
	dict users dict hosts ip saddr username quota_plan "a" goto quota.end.a
	dict users dict hosts ip saddr username quota_plan "b" goto quota.end.users.ip.from.b
	goto quota.refuse
quota.spent.users.ip.from:
	dict users dict hosts ip saddr username quota_exceeded true goto quota.by.users.ip.from
	dict users dict hosts ip saddr username quota_exceeded set true goto quota.by.users.ip.from
quota.end.users.ip.to.b:
	dict sessions ct id application "DNS" return
	dict sessions ct id final missing ct packets <= 64 dict users dict hosts ip daddr username quota_grace > 0 dict users dict hosts ip daddr username quota_grace sub meta length return
	goto quota.end.b
quota.by.users.ip.to:
	dict users dict hosts ip daddr username quota_plan "a" goto quota.end.a
	dict users dict hosts ip daddr username quota_plan "b" goto quota.end.users.ip.to.b
	goto quota.refuse
quota.spent.users.ip.to:
	dict users dict hosts ip daddr username quota_exceeded true goto quota.by.users.ip.to
	dict users dict hosts ip daddr username quota_exceeded set true goto quota.by.users.ip.to
quota.check.users.ip:
	dict users dict hosts ip saddr username quota_remaining <= 0 goto quota.spent.users.ip.from
	dict users dict hosts ip daddr username quota_remaining <= 0 goto quota.spent.users.ip.to
quota.end.devices.ip.from.tv:
	dict sessions ct id application_category "mail" return
	dict sessions ct id final missing ct packets <= 64 dict devices dict hosts ip saddr mac_address quota_tv_grace > 0 dict devices dict hosts ip saddr mac_address quota_tv_grace sub meta length return
	dict sessions ct id final missing ct packets <= 64 drop
	goto quota.end.tv
quota.spent.devices.ip.from.tv:
	dict devices dict hosts ip saddr mac_address quota_tv_exceeded true goto quota.end.devices.ip.from.tv
	dict devices dict hosts ip saddr mac_address quota_tv_exceeded set true goto quota.end.devices.ip.from.tv
quota.end.devices.ip.to.tv:
	dict sessions ct id application_category "mail" return
	dict sessions ct id final missing ct packets <= 64 dict devices dict hosts ip daddr mac_address quota_tv_grace > 0 dict devices dict hosts ip daddr mac_address quota_tv_grace sub meta length return
	dict sessions ct id final missing ct packets <= 64 drop
	goto quota.end.tv
quota.spent.devices.ip.to.tv:
	dict devices dict hosts ip daddr mac_address quota_tv_exceeded true goto quota.end.devices.ip.to.tv
	dict devices dict hosts ip daddr mac_address quota_tv_exceeded set true goto quota.end.devices.ip.to.tv
quota.check.devices.ip.tv:
	dict devices dict hosts ip saddr mac_address quota_tv_remaining <= 0 goto quota.spent.devices.ip.from.tv
	dict devices dict hosts ip daddr mac_address quota_tv_remaining <= 0 goto quota.spent.devices.ip.to.tv
quota.check.tv:
	meta nfproto ipv4 jump quota.check.devices.ip.tv
quota.check.some.tv:
	dict sessions ct id application { "A", "B*" } goto quota.check.tv
	dict sessions ct id application_category "video" goto quota.check.tv
quota.charge.users.ip:
	dict users dict hosts ip saddr username quota_plan "a" dict users dict hosts ip saddr username quota_remaining > 0 dict users dict hosts ip saddr username quota_remaining sub meta length
	dict users dict hosts ip daddr username quota_remaining > 0 dict users dict hosts ip daddr username quota_remaining sub meta length
quota.charge.devices.ip.tv:
	dict devices dict hosts ip saddr mac_address quota_tv_remaining > 0 dict devices dict hosts ip saddr mac_address quota_tv_bytes add meta length
	dict devices dict hosts ip daddr mac_address quota_tv_remaining > 0 dict devices dict hosts ip daddr mac_address quota_tv_bytes add meta length
quota.charge.tv:
	meta nfproto ipv4 jump quota.charge.devices.ip.tv
quota.charge.some.tv:
	dict sessions ct id application { "A", "B*" } goto quota.charge.tv
	dict sessions ct id application_category "video" goto quota.charge.tv
quota.end.users.ether.from.b:
	dict sessions ct id application "DNS" return
	dict sessions ct id final missing ct packets <= 64 dict users dict devices ether saddr username quota_grace > 0 dict users dict devices ether saddr username quota_grace sub meta length return
	goto quota.end.b
quota.by.users.ether.from:
	dict users dict devices ether saddr username quota_plan "a" goto quota.end.a
	dict users dict devices ether saddr username quota_plan "b" goto quota.end.users.ether.from.b
	goto quota.refuse
quota.spent.users.ether.from:
	dict users dict devices ether saddr username quota_exceeded true goto quota.by.users.ether.from
	dict users dict devices ether saddr username quota_exceeded set true goto quota.by.users.ether.from
quota.unknown.check.users.ether:
	dict users dict devices ether saddr username quota_remaining <= 0 goto quota.spent.users.ether.from
quota.end.devices.ether.from.tv:
	dict sessions ct id application_category "mail" return
	dict sessions ct id final missing ct packets <= 64 dict devices ether saddr quota_tv_grace > 0 dict devices ether saddr quota_tv_grace sub meta length return
	dict sessions ct id final missing ct packets <= 64 drop
	goto quota.end.tv
quota.spent.devices.ether.from.tv:
	dict devices ether saddr quota_tv_exceeded true goto quota.end.devices.ether.from.tv
	dict devices ether saddr quota_tv_exceeded set true goto quota.end.devices.ether.from.tv
quota.unknown.check.devices.ether.tv:
	dict devices ether saddr quota_tv_remaining <= 0 goto quota.spent.devices.ether.from.tv
quota.unknown.check.tv:
	jump quota.unknown.check.devices.ether.tv
quota.unknown.check.some.tv:
	dict sessions ct id application { "A", "B*" } goto quota.unknown.check.tv
	dict sessions ct id application_category "video" goto quota.unknown.check.tv
quota.unknown.charge.users.ether:
	dict users dict devices ether saddr username quota_plan "a" dict users dict devices ether saddr username quota_remaining > 0 dict users dict devices ether saddr username quota_remaining sub meta length
quota.unknown.charge.devices.ether.tv:
	dict devices ether saddr quota_tv_remaining > 0 dict devices ether saddr quota_tv_bytes add meta length
quota.unknown.charge.tv:
	jump quota.unknown.charge.devices.ether.tv
quota.unknown.charge.some.tv:
	dict sessions ct id application { "A", "B*" } goto quota.unknown.charge.tv
	dict sessions ct id application_category "video" goto quota.unknown.charge.tv
quota.unknown:
	jump quota.unknown.check.users.ether
	jump quota.unknown.check.some.tv
	jump quota.unknown.charge.users.ether
	jump quota.unknown.charge.some.tv
quota.forward:
	ip saddr 192.0.2.0/24 return
	ip daddr 192.0.2.0/24 return
	meta nfproto ipv4 jump quota.check.users.ip
	jump quota.check.some.tv
	meta nfproto ipv4 dict hosts ip saddr mac_address missing dict hosts ip saddr username missing jump quota.unknown
	meta nfproto ipv4 jump quota.charge.users.ip
	jump quota.charge.some.tv
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Plans that end alike need no look at whose plan it is.
func TestAlike(t *testing.T) {
	got := text(t, Options{}, parse(t,
		plan.Spec{Name: "a", For: []string{"hosts"}, Volume: "1", Period: "day", Then: "class 7"},
		plan.Spec{Name: "b", For: []string{"host 10.0.0.1"}, Volume: "1", Period: "week", Then: "class 7"},
	)...)
	if strings.Contains(got, "quota_plan") || !strings.Contains(got, "quota.end.a:\n\tmeta mark set 0x00000007\n") {
		t.Errorf("got\n%s", got)
	}
}

// Lists that are too long for one term become several.
func TestAmong(t *testing.T) {
	var values []string
	for i := range 200 {
		values = append(values, fmt.Sprintf("APPLICATION %d \"%s\"", i, strings.Repeat("x", i/2)))
	}
	seen := 0
	for _, term := range rules.Among("dict sessions ct id application", values) {
		parsed, n, err := nftext.Parse(term)
		if err != nil || n != len(term) || len(parsed.String()) > nftext.MaxText {
			t.Fatalf("%s: %v", term, err)
		}
		seen += strings.Count(term, "APPLICATION")
	}
	if seen != len(values) {
		t.Errorf("%d of %d values", seen, len(values))
	}
}

// Names of chains and fields stay within what the kernel and the tables take.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("n", 32)
	for _, c := range Build(parse(t, plan.Spec{Name: name, For: []string{"devices"}, Volume: "1", Period: "day", Separate: true}), Options{}).Chains {
		if len(c.Name) > 127 {
			t.Errorf("chain %s", c.Name)
		}
	}
}
