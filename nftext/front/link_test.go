// SPDX-License-Identifier: MIT

package front

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRunLinks: what the kernel has of rules with MAC addresses is without what
// nft puts there for its own reading of frames, and with it where the user reads them.
func TestRunLinks(t *testing.T) {
	ns := newNetwork(t)
	const (
		value    = "immediate reg 1 0x0808c7d1 0x00000808"
		iiftype  = "meta load iiftype => reg 1|cmp eq reg 1 0x00000001"
		nfproto  = "meta load nfproto => reg 1|cmp eq reg 1 0x00000002"
		saddr    = "payload load 4b @ network header + 12 => reg 1|cmp eq reg 1 0x0100000a"
		ethertyp = "payload load 2b @ link header + 12 => reg 1|cmp eq reg 1 0x00000008"
		source   = "payload load 6b @ link header + 6 => reg 1|cmp eq reg 1 0x00000002 0x00000100"
	)
	for rule, want := range map[string][]string{
		"inet dict sessions ct id v_mac @macs":                                         {value, "lookup reg 1 set macs"},
		"inet dict sessions ct id v_mac @macs ip saddr 10.0.0.1":                       {value, "lookup reg 1 set macs", nfproto, saddr},
		"inet dict sessions ct id v_mac @macs reject with icmp host-unreachable":       {nfproto, value, "lookup reg 1 set macs", "reject type 0 code 1"},
		"ip dict sessions ct id v_mac @macs ip saddr 10.0.0.1":                         {value, "lookup reg 1 set macs", saddr},
		"inet tcp dport . dict sessions ct id v_mac @pairs":                            {"meta load l4proto => reg 1|cmp eq reg 1 0x00000006", "payload load 2b @ transport header + 2 => reg 1", "immediate reg 9 0x0808c7d1 0x00000808", "lookup reg 1 set pairs"},
		"inet dict sessions ct id v_mac . ip saddr @others":                            {nfproto, value, "payload load 4b @ network header + 12 => reg 10", "lookup reg 1 set others"},
		"inet dict sessions ct id v_mac @macs counter ether saddr 02:00:00:00:00:01":   {value, "lookup reg 1 set macs", "counter pkts 0 bytes 0", iiftype, source},
		"inet dict sessions ct id v_mac @macs ip saddr 10.0.0.1 counter ether type ip": {value, "lookup reg 1 set macs", iiftype, ethertyp, saddr, "counter pkts 0 bytes 0", ethertyp},
		"inet dict sessions ct id v_mac @macs ether type ip counter":                   {value, "lookup reg 1 set macs", iiftype, ethertyp, "counter pkts 0 bytes 0"},
		"inet meta iiftype ether dict sessions ct id v_mac @macs ip saddr 10.0.0.1":    {iiftype, value, "lookup reg 1 set macs", ethertyp, saddr},
		"inet ether saddr 02:00:00:00:00:01 counter dict sessions ct id v_mac @macs":   {iiftype, source, "counter pkts 0 bytes 0", value, "lookup reg 1 set macs"},
		"inet ether saddr . dict sessions ct id v_mac @both":                           {iiftype, "payload load 6b @ link header + 6 => reg 1", "immediate reg 10 0x0808c7d1 0x00000808", "lookup reg 1 set both"},
		// However it is spelled, it is not taken for the value.
		"inet ether  saddr . dict sessions ct id v_mac @both":                                            {iiftype, "payload load 6b @ link header + 6 => reg 1", "immediate reg 10 0x0808c7d1 0x00000808", "lookup reg 1 set both"},
		"bridge ether \\\n saddr . dict sessions ct id v_mac @both":                                      {"payload load 6b @ link header + 6 => reg 1", "immediate reg 10 0x0808c7d1 0x00000808", "lookup reg 1 set both"},
		"bridge @ll,48,48 . dict sessions ct id v_mac { 1 . 0:0:0:0:0:1, 2 . 0:0:0:0:0:1 }":              {"payload load 6b @ link header + 6 => reg 1", "immediate reg 10 0x0808c7d1 0x00000808", "lookup reg 1 set __set0"},
		"inet ether daddr set dict sessions ct id v_mac":                                                 {iiftype, value, "payload write reg 1 => 6b @ link header + 0 csum_type 0 csum_off 0 csum_flags"},
		"inet dict sessions ct id v_mac @macs dict sessions ct id v_mac @macs":                           {value, "lookup reg 1 set macs", value, "lookup reg 1 set macs"},
		"netdev dict sessions ct id v_mac @macs ip saddr 10.0.0.1 counter ether saddr 02:00:00:00:00:01": {value, "lookup reg 1 set macs", "meta load protocol => reg 1|cmp eq reg 1 0x00000008", saddr, "counter pkts 0 bytes 0", iiftype, source},
		"inet dict sessions ct id v_mac @macs @ll,48,48 0x020000000001":                                  {value, "lookup reg 1 set macs", source},
		"bridge dict sessions ct id v_mac @macs ip saddr 10.0.0.1":                                       {value, "lookup reg 1 set macs", "meta load protocol => reg 1|cmp eq reg 1 0x00000008", saddr},
		"bridge ether saddr 02:00:00:00:00:01 counter dict sessions ct id v_mac @macs":                   {source, "counter pkts 0 bytes 0", value, "lookup reg 1 set macs"},
	} {
		family, rule, _ := strings.Cut(rule, " ")
		text := "flush ruleset\ntable " + family + ` t {
	set macs { type ether_addr; }
	set pairs { type inet_service . ether_addr; }
	set others { type ether_addr . ipv4_addr; }
	set both { type ether_addr . ether_addr; }
	chain c {
		` + rule + `
	}
}
`
		if s := ns.run(t, text, "-f", "-"); s != (said{}) {
			t.Errorf("%s: %s", rule, s.Err)
			continue
		}
		var have []string
		for line := range strings.Lines(ns.plain(t, "", "--debug=netlink", "list", "chain", family, "t", "c").Out) {
			if expr, ok := strings.CutPrefix(line, "  [ "); ok {
				have = append(have, strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(expr), " ]"), " 0x0"))
			}
		}
		if d := cmp.Diff(strings.Split(strings.Join(want, "|"), "|"), have); d != "" {
			t.Errorf("%s %s (-want +have):\n%s", family, rule, d)
		}
	}
}

func TestTruths(t *testing.T) {
	for text, want := range map[string][]string{
		"⟦v⟧ vmap { true : drop, false : accept }":                                {"true", "false"},
		"⟦v⟧ vmap { true: drop, false:accept }":                                   {"true", "false"},
		"tcp dport . ⟦v⟧ { 80 . true, 81 . true comment \"true\" } true":          {"true", "true"},
		"⟦v⟧ . iifname { true . true }":                                           {"true"},
		"iifname . ⟦v⟧ . ip6 saddr vmap { true . false . ::1 : jump true }":       {"false"},
		"ether saddr . ⟦v⟧ { 02:00:00:00:00:01 . true, ff::1 . false }":           {"true", "false"},
		"@th,0,16 . ⟦v⟧ { 5 . true }":                                             {"true"},
		"⟦v⟧ . @th,0,16 { true . 5 }":                                             {"true"},
		"ip saddr . tcp dport { 1.1.1.1 . 80 } ⟦v⟧ vmap { true : drop }":          {"true"},
		"ip saddr . tcp dport @s ⟦v⟧ vmap { true : drop }":                        {"true"},
		"meta mark set jhash ip saddr . tcp dport mod 5 ⟦v⟧ vmap { true : drop }": {"true"},
		"⟦v⟧ vmap {\n\ttrue : drop, # true\n\tfalse : accept\n}":                  {"true", "false"},
		"⟦v⟧ @s iifname { true }":                                                 nil,
		"⟦v⟧ $s iifname { true }":                                                 nil,
		"update @s { ⟦v⟧ } iifname { true }":                                      nil,
		"⟦v⟧ counter iifname { true }":                                            nil,
		"⟦v⟧\niifname { true }":                                                   nil,
	} {
		before, rest, _ := strings.Cut(text, "⟦")
		value, behind, _ := strings.Cut(rest, "⟧")
		src := before + value + behind
		var have []string
		for _, w := range truths([]byte(src), 0, len(before), len(before)+len(value), "true", "false") {
			have = append(have, src[w.start:w.end])
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s (-want +have):\n%s", text, d)
		}
	}
}

// TestRunLinksDoubt: a rule of which it is not certain which address is the value
// is not loaded.
func TestRunLinksDoubt(t *testing.T) {
	ns := newNetwork(t)
	for _, rule := range []string{
		"@ll, 48, 48 . dict sessions ct id v_mac { 1 . 0:0:0:0:0:1, 2 . 0:0:0:0:0:1 }",
		"dict sessions ct id v_mac . @ll, 48, 48 { 0:0:0:0:0:1 . 1, 0:0:0:0:0:1 . 2 }",
	} {
		got, err := ns.try(t, "table bridge t {\n\tchain c {\n\t\t"+rule+"\n\t}\n}\n", "-f", "-")
		if got.Exit == 0 && err == nil {
			t.Errorf("%s: loaded", rule)
		}
		if s := ns.plain(t, "", "list", "ruleset"); s != (said{}) {
			t.Errorf("%s: %+v", rule, s)
		}
	}
}

// TestRunLinksRaw: the type in the frame as bytes without a name is what nft adds for
// an Ether's carrier, and takes away again; a rule with both is refused.
func TestRunLinksRaw(t *testing.T) {
	ns := newNetwork(t)
	const table = "table inet t {\n\tset macs { type ether_addr; }\n\tset both { type ether_addr . ether_addr; }\n\tchain c {\n\t\t%s\n\t}\n}\n"
	for _, rule := range []string{
		"dict sessions ct id v_mac @macs @ll,96,16 0x0800",
		"@ll , 96,16 0x86dd dict sessions ct id v_mac @macs",
		"@ll,80,\\\n32 0 counter dict sessions ct id v_mac @macs",
	} {
		got, err := ns.try(t, fmt.Sprintf(table, rule), "-f", "-")
		if got.Exit == 0 || err != nil || !strings.Contains(got.Err, "write ether type") {
			t.Errorf("%s: %+v, %v", rule, got, err)
		}
	}
	const elsewhere = "dict sessions ct id v_mac @macs @ll,112,16 0x0800"
	if s := ns.run(t, fmt.Sprintf(table, elsewhere), "-f", "-"); s != (said{}) {
		t.Errorf("%s: %+v", elsewhere, s)
	}
	raw := `{"nftables": [{"add": {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [` +
		`{"match": {"op": "==", "left": {"payload": {"base": "ll", "offset": 96, "len": 16}}, "right": 2048}},` +
		`{"match": {"op": "==", "left": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "v_mac"}}, "right": "@macs"}}]}}}]}`
	if got, err := ns.try(t, raw, "-j", "-f", "-"); got.Exit == 0 || err != nil || !strings.Contains(got.Err, "write ether type") {
		t.Errorf("as JSON: %+v, %v", got, err)
	}
}

// TestRunLinksAsJSON: where the user's own words have a carrier in another statement,
// a listing as JSON loads again as the same.
func TestRunLinksAsJSON(t *testing.T) {
	ns := newNetwork(t)
	const table = "table inet t {\n\tset both { type ether_addr . ether_addr; }\n\tchain c {\n\t\tdict sessions ct id v_mac . dict sessions ct id v_mac @both ether saddr 02:00:00:00:00:01\n\t}\n}\n"
	if s := ns.run(t, table, "-f", "-"); s != (said{}) {
		t.Fatalf("%+v", s)
	}
	want, text := ns.run(t, "", "-j", "list", "ruleset").Out, ns.run(t, "", "list", "ruleset").Out
	ns.plain(t, "", "flush", "ruleset")
	if s := ns.run(t, want, "-j", "-f", "-"); s != (said{}) {
		t.Fatalf("%s: %+v", want, s)
	}
	if have := ns.run(t, "", "list", "ruleset").Out; have != text {
		t.Errorf("is %s, want %s", have, text)
	}
}
