// SPDX-License-Identifier: MIT

package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuild(t *testing.T) {
	if Build(Options{HTTP: 8880}) != nil {
		t.Error("rules without interfaces")
	}
	var b strings.Builder
	for _, c := range Build(Options{
		Interfaces: []string{"lan0", "lan1"}, Priority: -150, HTTP: 8880, HTTPS: 8443, Named: true,
		Garden: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}, DNS: []netip.Prefix{netip.MustParsePrefix("192.0.2.53/32")},
	}).Chains {
		fmt.Fprintf(&b, "%s:\n", c.Name)
		for _, r := range c.Rules {
			if line := r.String(); !strings.Contains(line, "ip6 ") {
				fmt.Fprintf(&b, "\t%s\n", line)
			}
		}
	}
	want := `portal.from:
	dict devices ether saddr captive_portal_authenticated true return
	meta nfproto ipv4 dict hosts ip saddr captive_portal_authenticated true dict hosts ip saddr mac_address missing return
	meta l4proto icmp ct state related ct original ip daddr 192.0.2.0-192.0.2.255 return
	meta l4proto icmp ct state related ct original ip daddr 192.0.2.53 return
	meta l4proto icmp ct state related dict sessions ct id walled_garden true return
	meta l4proto ipv6-icmp ct state related dict sessions ct id walled_garden true return
	ip daddr 192.0.2.0/24 return
	ip daddr 192.0.2.53 meta l4proto udp th dport 53 return
	ip daddr 192.0.2.53 meta l4proto tcp th dport 53 return
	dict sessions ct id walled_garden true return
	meta l4proto tcp reject with tcp reset
	reject with icmpx admin-prohibited
portal.to:
	meta nfproto ipv4 dict hosts ip daddr captive_portal_authenticated true return
	meta l4proto icmp ct state related ct original ip daddr 192.0.2.0-192.0.2.255 return
	meta l4proto icmp ct state related ct original ip daddr 192.0.2.53 return
	meta l4proto icmp ct state related dict sessions ct id walled_garden true return
	meta l4proto ipv6-icmp ct state related dict sessions ct id walled_garden true return
	ct state ! established drop
	ip saddr 192.0.2.0/24 return
	ip saddr 192.0.2.53 meta l4proto udp th sport 53 return
	ip saddr 192.0.2.53 meta l4proto tcp th sport 53 return
	dict sessions ct id walled_garden true return
	meta nfproto ipv4 dict hosts ip daddr mac_address missing dict hosts ip daddr username missing return
	drop
portal.ask:
	dict devices ether saddr captive_portal_authenticated true return
	meta nfproto ipv4 dict hosts ip saddr captive_portal_authenticated true dict hosts ip saddr mac_address missing return
	ip daddr 192.0.2.0/24 return
	dict sessions ct id walled_garden true return
	meta l4proto tcp redirect to :8880
portal.forward:
	iifname { "lan0", "lan1" } jump portal.from
	oifname { "lan0", "lan1" } jump portal.to
portal.redirect:
	iifname { "lan0", "lan1" } tcp dport 80 jump portal.ask
portal.input:
	tcp dport { 8880, 8443 } iifname != { "lo", "lan0", "lan1" } reject with tcp reset
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, c := range Build(Options{Interfaces: []string{"lan0"}, HTTP: 80}).Chains {
		for _, r := range c.Rules {
			if line := r.String(); strings.Contains(line, "walled_garden") || strings.Contains(line, "dport 53") {
				t.Errorf("%s: %s: nobody has asked for it", c.Name, line)
			}
		}
	}
}
