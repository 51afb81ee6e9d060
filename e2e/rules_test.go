// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The eight rules of the announcement and the manual, as they were written,
// each acting on real traffic.
//
//	client 192.168.77.2 ---- gateway (dictd, rules) ---- internet: every site

func TestRuleApplication(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.start()
	r.forward()
	wire := labtest.Capture(t, r.Internet, "eth0")
	r.nft("add rule ip filter forward dict sessions ct id application long_string NETFLIX reject")
	r.nft("add rule ip6 filter forward dict sessions ct id application long_string NETFLIX reject with tcp reset")
	for _, family := range []int{4, 6} {
		r.reaches(family, "https://example.org/")
		r.blocked(family, "https://www.netflix.com/")
		r.reaches(family, "https://notnetflix.com/")
	}
	for name, want := range map[string]bool{"www.netflix.com": false, "example.org": true} {
		got, err := receivedPayload(wire, name)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("the internet received the name %q outside DNS: %v, want %v", name, got, want)
		}
	}
	if list := r.must("dictctl", "nft", "list", "table", "ip", "filter"); !strings.Contains(list, `dict sessions ct id application long_string "NETFLIX" reject`) {
		t.Errorf("the listing lacks the rule as it was written:\n%s", list)
	}
}

// receivedPayload reports whether a program could read name, DNS aside: from a
// datagram, or from the part of a TCP stream that came without a gap. (Packets may
// overtake each other on their way to the daemon.)
func receivedPayload(c *lab.Capture, name string) (bool, error) {
	segments, err := c.Segments(func(s lab.Segment) bool { return s.Dst.Port() != 53 })
	type stream struct{ src, dst netip.AddrPort }
	start, parts := map[stream]uint32{}, map[stream][]lab.Segment{}
	for _, s := range segments {
		id := stream{s.Src, s.Dst}
		switch {
		case !s.TCP && strings.Contains(string(s.Payload), name):
			return true, err
		case s.SYN:
			start[id] = s.Seq + 1
		case s.TCP:
			parts[id] = append(parts[id], s)
		}
	}
	for id, first := range start {
		all := parts[id]
		slices.SortStableFunc(all, func(a, b lab.Segment) int { return int(int32(a.Seq-first)) - int(int32(b.Seq-first)) })
		var text []byte
		for _, s := range all {
			if at := int(s.Seq - first); at <= len(text) && at+len(s.Payload) > len(text) {
				text = append(text, s.Payload[len(text)-at:]...)
			}
		}
		if strings.Contains(string(text), name) {
			return true, err
		}
	}
	return false, err
}

func TestRuleVendorGlob(t *testing.T) {
	r := newRig(t, lab.Config{Guest: true})
	r.forward()
	r.nft(`add rule ip filter forward dict hosts ip saddr mac-vendor long_string *NEST* reject with tcp reset`)
	r.reaches(4, "http://example.org/")
	r.set("hosts", lab.Client4.String(), "mac-vendor", "GOOGLE NEST INC.")
	r.blocked(4, "http://example.org/")
	r.set("hosts", lab.Client4.String(), "mac-vendor", "ACME")
	r.reaches(4, "http://example.org/")
}

func TestRuleCaptivePortal(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.forward()
	const rule = "tcp dport 80 dict hosts ip saddr captive-portal-authenticated bool false dnat to 127.0.0.1:80"
	// As it was announced it stands in forward, where no kernel translates.
	out, err := r.try("dictctl", append([]string{"nft", "add", "rule", "ip", "filter", "forward"}, strings.Fields(rule)...)...)
	if err == nil {
		t.Fatal("dnat in a forward chain was accepted")
	}
	if !strings.Contains(out, "prerouting") || !strings.Contains(out, "nat") {
		t.Errorf("the refusal does not name the remedy, a nat chain at prerouting:\n%s", out)
	}
	if list := r.must("dictctl", "nft", "list", "table", "ip", "filter"); strings.Contains(list, "dnat") {
		t.Errorf("a refused rule is there:\n%s", list)
	}

	r.portal("the portal")
	if err := r.Gateway.Sysctl("net.ipv4.conf.lan0.route_localnet", "1"); err != nil {
		t.Fatal(err)
	}
	r.nft("add table ip nat")
	r.nft("add chain ip nat prerouting { type nat hook prerouting priority dstnat ; }")
	r.nft("add rule ip nat prerouting " + rule)
	page := func() string {
		b := r.Browser()
		body, err := b.Get(context.Background(), "http://example.org/")
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if got := page(); got != "the portal" {
		t.Errorf("a host that nobody wrote got %q, want the portal", got)
	}
	r.set("hosts", lab.Client4.String(), "captive-portal-authenticated", "true")
	if got := page(); got == "the portal" {
		t.Error("a host that logged in is still sent to the portal")
	}
	r.set("hosts", lab.Client4.String(), "captive-portal-authenticated", "false")
	if got := page(); got != "the portal" {
		t.Errorf("a host that logged out got %q, want the portal", got)
	}
}

func TestRuleDeviceQuota(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.forward()
	r.nft("add rule ip filter forward dict devices ether saddr quota-remaining int 0 reject with tcp reset")
	r.reaches(4, "http://example.org/")
	r.set("devices", lab.ClientMAC, "quota-remaining", "5")
	r.reaches(4, "http://example.org/")
	r.set("devices", lab.ClientMAC, "quota-remaining", "0")
	r.blocked(4, "http://example.org/")
}

func TestRuleNested(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.forward()
	r.nft("add rule ip filter forward dict users dict sessions ct id username long_string quota-exceeded bool true reject with tcp reset")
	visit := r.steady("example.org")
	if err := visit.get(); err != nil {
		t.Fatal(err)
	}
	id := r.connection(80)
	r.set("sessions", id, "username", "alice")
	if err := visit.get(); err != nil {
		t.Errorf("alice is refused before her quota is exceeded: %v", err)
	}
	r.set("users", "alice", "quota-exceeded", "true")
	if err := visit.get(); err == nil {
		t.Error("alice's open connection goes on after her quota is exceeded")
	}
	r.set("users", "alice", "quota-exceeded", "false")
	r.reaches(4, "http://example.org/")
}

func TestRuleCountry(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.forward()
	r.nft("add rule ip filter forward dict sessions ct id server_country long_string NL reject with tcp reset")
	visit := r.steady("example.org")
	for i, step := range []struct {
		country string
		pass    bool
	}{{"", true}, {"BE", true}, {"NL", false}} {
		if step.country != "" {
			r.set("sessions", r.connection(80), "server_country", step.country)
		}
		if err := visit.get(); (err == nil) != step.pass {
			t.Errorf("step %d, country %q: error %v, want pass %v", i, step.country, err, step.pass)
		}
	}
}

func TestRuleLearnsAddress(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.nft("add table ip filter")
	r.nft("add chain ip filter prerouting { type filter hook prerouting priority 0 ; }")
	r.nft("add rule ip filter prerouting ct state new dict hosts ip saddr mac_address ether_addr set ether saddr")
	if got := r.field("hosts", lab.Client4.String(), "mac_address"); got != "" {
		t.Fatalf("mac_address is %q before any packet", got)
	}
	r.reaches(4, "http://example.org/")
	if got := r.field("hosts", lab.Client4.String(), "mac_address"); got != lab.ClientMAC {
		t.Errorf("mac_address is %q, want %q", got, lab.ClientMAC)
	}
}

func TestRuleUserGroup(t *testing.T) {
	r := newRig(t, lab.Config{})
	r.forward()
	r.nft(`add rule ip filter forward dict users dict sessions ct id username long_string user_group long_string *sales* reject with tcp reset`)
	visit := r.steady("example.org")
	if err := visit.get(); err != nil {
		t.Fatal(err)
	}
	r.set("sessions", r.connection(80), "username", "bob")
	r.set("users", "bob", "user_group", "engineering")
	if err := visit.get(); err != nil {
		t.Errorf("a user of another group is refused: %v", err)
	}
	r.set("users", "bob", "user_group", "eu-sales-north")
	if err := visit.get(); err == nil {
		t.Error("a user of the group passes")
	}
}

var conntrackID = regexp.MustCompile(`dport=(\d+) .* id=(\d+)`)

// connection returns the id of the gateway's one live connection to a port,
// as conntrack shows it.
func (r *rig) connection(port int) string {
	r.t.Helper()
	var ids []string
	out := r.must("conntrack", "-L", "-o", "id")
	for line := range strings.Lines(out) {
		m := conntrackID.FindStringSubmatch(line)
		if m != nil && m[1] == fmt.Sprint(port) && !strings.Contains(line, "TIME_WAIT") && !strings.Contains(line, "CLOSE") {
			ids = append(ids, m[2])
		}
	}
	if len(ids) != 1 {
		r.t.Fatalf("%d connections to port %d, want one:\n%s", len(ids), port, out)
	}
	return ids[0]
}
