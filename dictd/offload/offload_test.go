// SPDX-License-Identifier: MIT

package offload

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/internal/testns"
	"nftdict/dictd/quota/plan"
	"nftdict/dictd/rules"
)

func TestChoose(t *testing.T) {
	links := []link{
		{1, "lo", unix.ARPHRD_LOOPBACK, ""}, {2, "eth0", unix.ARPHRD_ETHER, ""}, {3, "eth1", unix.ARPHRD_ETHER, "veth"},
		{4, "br0", unix.ARPHRD_ETHER, "bridge"}, {5, "eth0.7", unix.ARPHRD_ETHER, "vlan"}, {6, "ppp0", unix.ARPHRD_PPP, ""}, {7, "bond0", unix.ARPHRD_ETHER, "bond"},
	}
	for _, c := range []struct {
		patterns []string
		want     string
	}{
		{nil, "bond0 eth0 eth1"},
		{[]string{"eth?"}, "eth0 eth1"},
		{[]string{"eth*"}, "eth0 eth0.7 eth1"},
		{[]string{"ppp0", "br0", "wlan*"}, "br0 ppp0"},
	} {
		if got := strings.Join(choose(links, c.patterns), " "); got != c.want {
			t.Errorf("%q: %s, want %s", c.patterns, got, c.want)
		}
	}
	for _, bad := range []string{"", "[a", strings.Repeat("x", 65)} {
		if err := CheckPattern(bad); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// text writes the rules of chains as they print.
func text(p *rules.Policy) string {
	var b strings.Builder
	for _, c := range p.Chains {
		for _, r := range c.Rules {
			b.WriteString(c.Name + ": " + r.String() + "\n")
		}
	}
	return b.String()
}

func TestLayout(t *testing.T) {
	plans, err := plan.Parse([]plan.Spec{
		{Name: "slow", For: []string{"users"}, Volume: "1GB", Period: "day", Then: "throttle"},
		{Name: "tv", For: []string{"group kids"}, Applications: []string{"YOUTUBE"}, Time: "1h", Period: "day"},
	}, plan.Defaults{Throttle: 0x71})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Priority: 300, Keep: Keep{Applications: []string{"DNS", "SIP"}, Categories: []string{"games*"}, Users: []string{"bob"}, Marks: []Mark{{0x10, 0xf0}}}}
	c.Meter(plans)
	has := func(table, field string) bool { return field == FieldKeep && table != dict.Groups }
	for _, hardware := range []bool{false, true} {
		p := layout(&c, hardware, has)
		got := text(p)
		for _, want := range []string{
			`dict sessions ct id application { "DNS", "SIP" } return`, `dict sessions ct id application_category "games*" return`,
			`dict hosts ip daddr username "bob" return`, `dict hosts ip6 saddr username "bob" return`,
			`dict devices dict hosts ip6 saddr mac_address no_offload true return`, `dict sessions ct id no_offload true return`,
			`forward: ct state ! established return`,
			`dict sessions ct id final true dict sessions ct id no_offload set true return`,
			`dict hosts ip saddr mac_address missing dict hosts ip saddr username missing dict hosts ip daddr mac_address missing dict hosts ip daddr username missing return`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("hardware %v: no %q in\n%s", hardware, want, got)
			}
		}
		if strings.Contains(got, "dict groups") {
			t.Errorf("a field that is not there:\n%s", got)
		}
		if n := strings.Count(got, " quota_size exists") + strings.Count(got, " quota_tv_size exists"); hardware != (n > 0) {
			t.Errorf("hardware %v: %d rules about budgets in\n%s", hardware, n, got)
		}
		settled := p.Chains[0].Rules
		if last := settled[len(settled)-1].String(); last != "dict sessions ct id final true flow add @fast" {
			t.Errorf("the last rule is %q", last)
		}
		if !slices.Contains(c.Keep.Marks, Mark{0x71, 1<<32 - 1}) {
			t.Errorf("who is throttled has no mark in %v", c.Keep.Marks)
		}
	}
}

func TestParseWhom(t *testing.T) {
	for _, c := range []struct{ kind, name, want string }{
		{"ct", "0x10", "ct 16"}, {"host", "::ffff:10.0.0.1", "host 10.0.0.1"}, {"device", "02:00:00:00:77:0A", "device 02:00:00:00:77:0a"},
		{"user", "bob", "user bob"}, {"all", "", "all"}, {"application", "NETFLIX", "application NETFLIX"},
	} {
		if w, err := ParseWhom(c.kind, c.name); err != nil || w.String() != c.want {
			t.Errorf("%s %s: %v, %v", c.kind, c.name, w, err)
		}
	}
	for _, c := range [][2]string{{"ct", "-1"}, {"ct", "4294967296"}, {"host", "fe80::1%eth0"}, {"host", ""}, {"user", ""}, {"all", "x"}, {"planet", "mars"}, {"strangers", ""}, {"device", "x"}} {
		if w, err := ParseWhom(c[0], c[1]); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%q: %v, %v", c, w, err)
		}
	}
}

// Where nothing can be had that is what is said, and nothing is left.
func TestKeeperWithoutCompiler(t *testing.T) {
	ns := testns.New(t)
	k, err := Open(Options{Table: "dictd", NetNS: ns.FD(), Schema: dicttest.NewStandard(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.Set(Config{Enable: true}); !errors.Is(err, dict.ErrNotSupported) {
		t.Errorf("without a compiler: %v", err)
	}
	if s := k.Status(); s.State != "failed" || s.Error == "" || s.Table != "inet dictd_offload fast" {
		t.Errorf("%+v", s)
	}
	if list := ns.Run(t, "nft", "list", "ruleset"); strings.Contains(list, "dictd") {
		t.Errorf("left behind:\n%s", list)
	}
	if err := k.Set(Config{}); err != nil {
		t.Error(err)
	}
	if s := k.Status(); s.State != "off" || s.Error != "" {
		t.Errorf("%+v", s)
	}
	if _, err := ask(ns.FD(), []string{"lo", "none"}); err != nil {
		t.Error(err)
	}
}
