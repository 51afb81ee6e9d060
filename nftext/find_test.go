// SPDX-License-Identifier: MIT

package nftext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/nftext"
)

// TestFind marks the terms of each text with ⟦ and ⟧.
func TestFind(t *testing.T) {
	for name, text := range map[string]string{
		"command line":       "add rule ip filter forward ⟦dict sessions ct id application long_string NETFLIX⟧ reject",
		"insert":             "insert rule filter forward position 3 ⟦dict sessions ct id final true⟧ accept",
		"index":              "add rule inet filter forward index 0 ⟦dict sessions ct id flush⟧",
		"replace":            "replace rule ip t c handle 7 ⟦dict sessions ct id final true⟧ drop",
		"implied rule":       "add filter forward ⟦dict sessions ct id final true⟧ drop",
		"implied add":        "inet filter forward ⟦dict sessions ct id final true⟧ drop",
		"commands":           "add table t; add rule t c ⟦dict ct id flush⟧; list ruleset\nadd rule t c ⟦dict ct id flush⟧\n",
		"two terms":          "add rule t c ⟦dict ct id x 5⟧ ⟦dict ct id flush⟧ accept",
		"matches around":     "add rule t c tcp dport 80 ⟦dict hosts ip saddr captive-portal-authenticated bool false⟧ dnat to 127.0.0.1:80",
		"state":              "add rule t c ct state new ⟦dict hosts ip saddr mac_address ether_addr set ether saddr⟧",
		"after a set":        "add rule t c tcp dport { 80, 443 } ⟦dict ct id x 5⟧",
		"after quotes":       `add rule t c iifname "eth0" ⟦dict ct id x 5⟧`,
		"after a statement":  "add rule t c counter ⟦dict ct id x 5⟧ log prefix \"dict ct id x 5\" drop",
		"after an operator":  "add rule t c tcp flags & (fin|syn) == syn ⟦dict ct id x 5⟧",
		"after parentheses":  "add rule t c tcp flags (fin|syn) ⟦dict ct id x 5⟧",
		"after an assigning": "add rule t c meta mark set ct mark ⟦dict ct id x 5⟧ ct mark set mark ⟦dict ct id x 5⟧",
		"after a list":       "add rule t c ct event set new,mark ⟦dict ct id x 5⟧ ct state new,established ⟦dict ct id x 5⟧",
		"after flags":        "add rule t c log flags skuid ⟦dict ct id x 5⟧ ct event set new or label ⟦dict ct id x 5⟧ masquerade random ⟦dict ct id x 5⟧",
		"after a number":     "add rule t c meta mark 5 ⟦dict ct id x 5⟧",
		"after limit":        "add rule t c limit rate 5/second burst 5 packets ⟦dict ct id x 5⟧",
		"after a named set":  "add rule t c ip saddr @bad ⟦dict ct id x 5⟧ ip daddr $x ⟦dict ct id x 5⟧",
		"after a vmap":       "add rule t c ip protocol vmap { tcp : jump a, udp : jump b } ⟦dict ct id x 5⟧",
		"a set within":       "add rule t c ⟦dict sessions ct id application { A, B,\n # dict ct id x 5\n C }⟧ drop",
		"glob":               `add rule t c ⟦dict hosts ip saddr mac-vendor "*;NEST}*"⟧ drop`,
		"continued":          "add rule t c \\\n  ⟦dict sessions ct id \\\n application X⟧ drop",
		"comment":            "# dict ct id x 5\nadd rule t c # dict ct id x 5\nadd rule t c ⟦dict ct id x 5⟧ # dict ct id x 5",
		"hash-bang":          "#!/usr/sbin/nft -f\nflush ruleset\n",
		"rule comment":       `add rule t c accept comment "dict ct id x 5"`,
		"odd quote":          `add rule t c log prefix "a\" ⟦dict ct id x 5⟧ drop`,

		"table dict":     "table ip dict { }\nadd table dict\nlist table dict",
		"chain dict":     "table ip t { chain dict { ⟦dict ct id x 5⟧ drop } }",
		"rule in dict":   "add rule ip dict dict ⟦dict t ct id x 5⟧ drop",
		"set dict":       "table t { set dict { type ipv4_addr; elements = { 1.2.3.4 } }\n chain c { ip saddr @dict drop } }",
		"map of verdict": "table t { map dict { type mark : verdict; elements = { 5 : jump dict } } }",
		"interface":      "add rule t c iifname dict ip saddr host drop",
		"interfaces":     "add rule t c oifname { eth0, dict } accept; add rule t c iifname != dict drop",
		"service":        "add rule t c tcp dport dict accept; add rule t c udp sport { ssh, dict } accept",
		"user":           "add rule t c meta skuid dict ct mark x counter",
		"jump":           "add rule t c jump dict\nadd rule t c goto dict",
		"counter name":   "add counter t dict; add rule t c counter name dict",
		"concatenation":  "add rule t c iifname . oifname { dict . dict } drop",
		"define":         "define dict = 5\nadd rule t c meta mark $dict drop",
		"in braces":      "add rule t c meter m { ip saddr limit rate 5/second dict ct id x 5 } accept",
		"open brace":     "table t {\n chain c {\n tcp dport { 80\n counter dict sessions ct id final true\n }\n}",
		"element":        "add element t s { dict }",
		"flowtable":      "table t { flowtable dict { hook ingress priority 0; devices = { dict, eth1 }; } chain c { flow add @dict } }",
		"device":         "add chain netdev t c { type filter hook ingress device dict priority 0; policy accept; ⟦dict ct mark x 5⟧ drop; }",
		"other words":    "add rule t c jump dict2; add rule t dict-x dictx",
		"delete":         "delete rule ip dict dict handle 5; flush chain ip dict dict; rename chain t dict dict2",

		"file": `table inet filter {
	comment "dict ct id x 5"
	chain forward {
		type filter hook forward priority filter; policy accept;
		comment "dict ct id x 5"
		⟦dict sessions ct id application "NETFLIX"⟧ reject with tcp reset
		ip saddr 10.0.0.0/8 ⟦dict users dict sessions ct id username long_string quota-exceeded bool true⟧ reject; counter
		jump { ⟦dict ct id x 5⟧ drop; tcp dport dict accept; }
	}
	chain prerouting { type nat hook prerouting priority -100; ⟦dict ct id flush⟧; }
}
table ip6 x { chain c { ⟦dict ct id flush⟧
} }
`,
		"unbalanced":  "table t { chain c { ⟦dict ct id x 5⟧ drop",
		"overclosed":  "} } add rule t c ⟦dict ct id x 5⟧",
		"half a name": "add rule t",
		"nothing":     "",
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			var plain strings.Builder
			for rest := text; ; {
				before, after, ok := strings.Cut(rest, "⟦")
				plain.WriteString(before)
				if !ok {
					break
				}
				term, behind, _ := strings.Cut(after, "⟧")
				want = append(want, term)
				plain.WriteString(term)
				rest = behind
			}
			spans, err := nftext.Find(plain.String())
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, s := range spans {
				have = append(have, plain.String()[s.Start:s.End])
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s\n(-want +have):\n%s", plain.String(), diff)
			}
		})
	}
}

// TestFindWaits lists what waits for a value that may be a bare word: there,
// dict is that value.
func TestFindWaits(t *testing.T) {
	for _, expression := range []string{
		"iif", "oif", "iifname", "oifname", "meta iifname", "iiftype", "iifgroup", "oifgroup", "meta iifkind", "meta ibrname", "meta obrname",
		"meta sdif", "meta sdifname", "ip saddr", "ip daddr", "ip6 saddr", "ip protocol", "ip6 nexthdr", "ip dscp", "ip ecn", "tcp dport", "tcp sport",
		"th dport", "udp dport", "tcp flags", "tcp flags &", "icmp type", "icmp code", "icmpv6 type", "dccp type", "ether type", "arp operation", "arp htype",
		"arp saddr ip", "arp daddr ether", "meta mark", "mark", "meta skuid", "meta skgid", "skuid", "meta priority", "meta protocol", "meta l4proto", "meta pkttype",
		"meta cgroup", "meta rtclassid", "rt classid", "rt nexthop", "ct state", "ct status", "ct direction", "ct mark", "ct helper", "ct label", "ct l3proto",
		"ct protocol", "ct zone", "ct event", "ct original saddr", "ct original ip saddr", "ct original proto-src", "ct id", "fib saddr type", "fib daddr oif", "fib daddr oifname",
		"fib saddr . iif oif", "osf name", "osf version", "socket mark", "socket cgroupv2 level 1", "ipsec in reqid", "jump", "goto", "counter name", "quota name",
		"limit name", "synproxy name", "ct helper set", "ct timeout set", "ct expectation set", "ct label set", "meta mark set", "ct mark set", "dup to",
		"fwd to", "dup to 1.1.1.1 device", "log prefix", "log level", "dnat to", "snat ip to", "redirect to", "tproxy to", "xt match", "xt target", "@th,0,16", "iifname !=", "iifname ==", "iifname . oifname eth0 .",
	} {
		for _, rest := range []string{" dict ct id x 5", " dict accept", " dict"} {
			if spans, err := nftext.Find("add rule inet t c " + expression + rest); len(spans) > 0 || err != nil {
				t.Errorf("%s%s: have %d terms, %v", expression, rest, len(spans), err)
			}
		}
	}
}

func TestFindError(t *testing.T) {
	src := "table t {\n\tchain c {\n\t\tcounter dict sessions ct id application = x\n"
	_, err := nftext.Find(src)
	e, ok := err.(*nftext.SyntaxError)
	if !ok {
		t.Fatalf("have %v, want a SyntaxError", err)
	}
	if want := strings.Index(src, "= x"); e.Offset != want || e.Line != 3 || e.Column != 43 {
		t.Errorf("have offset %d, %d:%d, want %d, 3:43", e.Offset, e.Line, e.Column, want)
	}
}

// TestFindBehind lists what nft would compute a placeholder with: of a constant
// and a number it makes another constant, which no term stands for any more.
func TestFindBehind(t *testing.T) {
	for _, c := range []struct{ behind, found string }{
		{` ^ 1`, "^"}, {` & 0xff`, "&"}, {`|1`, "|"}, {` << 8`, "<"}, {" \\\n >> 8", ">"}, {` xor 1`, "xor"}, {` and 1`, "and"},
		{` or "a"`, "or"}, {` lshift 1`, "lshift"}, {` , "b"`, ","}, {` - "b"`, "-"}, {`/24`, "/24"}, {` . tcp dport`, "."}, {` == 5`, "="},
	} {
		for _, term := range []string{`dict t ct id f "x"`, `dict t ct id f != { A }`, `dict t ct id f set "x"`, `dict t ct id f exists`} {
			src := "table bridge t { chain c { counter " + term + c.behind + " drop } }"
			spans, err := nftext.Find(src)
			e, ok := err.(*nftext.SyntaxError)
			if !ok {
				t.Errorf("%s: have %d terms, error %v", src, len(spans), err)
				continue
			}
			if want := strings.LastIndex(src, c.behind+" drop") + strings.Index(c.behind, c.found); e.Offset != want {
				t.Errorf("%s: have an error at %d, want %d: %v", src, e.Offset, want, err)
			}
		}
	}
	for _, behind := range []string{"", ";", "\n", " # ^ 1", "}", " accept", " ip saddr 1.2.3.4", " @th,0,8 5", " set add ip saddr @s", ` "x"`} {
		if _, err := nftext.Find(`add rule t c dict t ct id f "x"` + behind); err != nil {
			t.Errorf("%q: %v", behind, err)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("table t { chain c { dict ct id x 5 drop; tcp dport dict accept } }")
	f.Add("add rule t c dict sessions ct id application { A, \"B\" } drop # dict\n\\\n;}{\"")
	for _, l := range readRules(f) {
		f.Add("add rule t c " + l.rule)
	}
	f.Add("define a = { A, \"B\" }\nredefine b = $a, C;undefine a; table t { include \"x\"; define c = $b\nchain c { dict t ct id f { $c, $b }; jump { dict t ct id f $b } } }")
	f.Add("add rule t c dict t ct id f . dict t ct id g @s meta mark set dict t ct id f . ip saddr map { 1 : 2 } add @s { dict t ct id f timeout 5m : dict t ct id g }")
	f.Add("add rule t c dict t ct id flush tcp dport 80 dnat to dict t ct id f:80 redirect to :dict t ct id f and 5 ct mark set dict t ct id f & 5")
	f.Fuzz(func(t *testing.T, src string) {
		spans, err := nftext.Find(src)
		if e, ok := err.(*nftext.SyntaxError); err != nil && (!ok || e.Offset < 0 || e.Offset > len(src)) {
			t.Fatalf("error %v out of place", err)
		}
		end, statement := 0, 0
		for _, s := range spans {
			if s.Term.Kind() != nftext.KindValue {
				statement = s.End // no value before belongs to the same statement
			} else if s.Statement > s.Start || s.Statement != statement && s.Statement < end {
				t.Fatalf("value at %d of a statement at %d, behind %d", s.Start, s.Statement, end)
			} else {
				statement = s.Statement
			}
			if s.Start < end || s.End <= s.Start || s.End > len(src) {
				t.Fatalf("span %d..%d after %d", s.Start, s.End, end)
			}
			if end = s.End; !strings.HasPrefix(src[s.Start:], "dict") {
				t.Fatalf("span %q", src[s.Start:s.End])
			}
			checkRoundTrip(t, s.Term)
		}
	})
}
