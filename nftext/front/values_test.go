// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// valueRules are rules with values as they are listed, in a table of names,
// numbers and addresses.
var valueRules = []string{
	`dict sessions ct id v_int vmap { 1 : drop, 100 : jump d }`,
	`tcp dport 80 dict sessions ct id v_name vmap { "YOUTUBE" : jump d }`,
	`dict sessions ct id v_name vmap { "NET*" : drop }`,
	`dict sessions ct id v_name @names drop`,
	`dict sessions ct id v_name != @names drop`,
	`dict sessions ct id v_name . tcp dport @pairs drop`,
	`ip saddr . dict sessions ct id v_name vmap { 10.0.0.1 . "x" : drop }`,
	`dict sessions ct id v_name . dict sessions ct id v_int vmap { "x" . 5 : drop }`,
	`dict sessions ct id v_name . dict sessions ct id v_name vmap { "x" . "y" : drop }`,
	`ip saddr 10.0.0.1 tcp dport 80 counter packets 0 bytes 0 dict sessions ct id v_int vmap @verdicts`,
	`meta mark set dict sessions ct id v_int`,
	`meta mark set dict sessions ct id v_int accept`,
	`ct mark set dict sessions ct id v_int`,
	`meta mark set dict sessions ct id v_name map { "VOIP" : 0x00000001 }`,
	`meta mark set dict sessions ct id v_name map @marks`,
	`meta mark set dict sessions ct id v_int map { 5 : 0x00000001 }`,
	`meta mark set dict sessions ct id v_name . dict sessions ct id v_int map { "a" . 0x00000005 : 0x00000001 }`,
	`ct mark set dict sessions ct id v_int . ip saddr map { 0x00000005 . 10.0.0.1 : 0x00000001 }`,
	`meta mark set dict sessions ct id v_int meta mark set dict sessions ct id v_int`,
	`meta mark set jhash dict sessions ct id v_name mod 5`,
	`tcp dport set dict sessions ct id v_port`,
	`ip id set dict sessions ct id v_port`,
	`meta priority set dict sessions ct id v_int`,
	`dict sessions ct id v_ip4 vmap { 10.0.0.1 : drop, 10.1.0.0/16 : accept }`,
	`dict sessions ct id v_ip4 @v4 drop`,
	`dict sessions ct id v_ip6 @v6 drop`,
	`dict sessions ct id v_ip6 . tcp dport vmap { ::1 . 80 : drop }`,
	`dict sessions ct id v_big vmap { 5 : drop }`,
	`dict sessions ct id v_ip4 . dict sessions ct id v_big vmap { 10.0.0.1 . 0x5 : drop } meta mark set dict sessions ct id v_int map { 5 : 0x00000001 }`,
	`add @seen { dict sessions ct id v_name timeout 5m }`,
	`update @seen { dict sessions ct id v_name timeout 5m } drop`,
	`add @marks { dict sessions ct id v_name : dict sessions ct id v_int }`,
	`add @v4d { dict sessions ct id v_ip4 }`,
	`dict sessions ct id application 7 dict sessions ct id v_int vmap { 1 : drop } dict sessions ct id application set 9`,
	`dict sessions ct id v_bool vmap { false : accept, true : drop }`,
	`dict sessions ct id v_bool . tcp dport { true . 80, false . 81 } drop`,
	`ip saddr . dict sessions ct id v_bool vmap { 10.0.0.1 . true : drop }`,
	`dict sessions ct id v_bool . dict sessions ct id v_bool vmap { true . false : drop }`,
	`dict sessions ct id v_bool @truth drop`,
	`meta mark set dict sessions ct id v_bool map { false : 0x00000002, true : 0x00000001 }`,
	`meta mark set tcp dport . dict sessions ct id v_bool map { 80 . true : 0x00000001 }`,
	`ip saddr . tcp dport { 10.0.0.1 . 80 } dict sessions ct id v_bool vmap { true : drop }`,
	`meta ipsec exists dict sessions ct id v_bool vmap { true : drop } rt ipsec missing`,
	`dict sessions ct id v_mac vmap { 02:00:00:00:00:01 : drop }`,
	`dict sessions ct id v_mac @macs drop`,
	`dict sessions ct id v_mac != @macs drop`,
	`dict sessions ct id v_mac . dict sessions ct id v_mac vmap { 02:00:00:00:00:01 . 02:00:00:00:00:02 : drop }`,
	`dict sessions ct id v_mac . ip saddr { 02:00:00:00:00:01 . 10.0.0.1 } drop`,
	`dict sessions ct id v_mac . dict sessions ct id v_bool vmap { 02:00:00:00:00:01 . true : drop }`,
	`dict sessions ct id v_mac @macs ip saddr 10.0.0.1 udp dport 5 drop`,
	`dict sessions ct id v_mac @macs icmp type echo-request drop`,
	`dict sessions ct id v_mac @macs reject with icmp host-unreachable`,
	`tcp dport . dict sessions ct id v_mac vmap { 80 . 02:00:00:00:00:01 : drop }`,
	`ip saddr 10.0.0.1 dict sessions ct id v_mac @macs ip daddr 10.0.0.1`,
	`ether saddr 02:00:00:00:00:01 counter packets 0 bytes 0 dict sessions ct id v_mac @macs`,
	`dict sessions ct id v_mac @macs ip saddr 10.0.0.1 counter packets 0 bytes 0 ether daddr 02:00:00:00:00:02 ether saddr 02:00:00:00:00:01 ip daddr 10.0.0.1`,
	`dict sessions ct id v_mac @macs ether type arp counter packets 0 bytes 0`,
	`dict sessions ct id v_mac @macs ether type ip counter packets 0 bytes 0`,
	`ether saddr . dict sessions ct id v_mac { 02:00:00:00:00:01 . 02:00:00:00:00:02 } drop`,
	`meta mark set dict sessions ct id v_mac map { 02:00:00:00:00:01 : 0x00000001 }`,
	`meta mark set dict sessions ct id v_mac . tcp dport map { 02:00:00:00:00:01 . 80 : 0x00000001 }`,
	`ether daddr set dict sessions ct id v_mac`,
	`update @macsd { dict sessions ct id v_mac timeout 5m }`,
	`dict sessions ct id v_int vmap { 1 : jump d } comment "dict sessions ct id v_int"`,
}

const valueTable = `table inet t {
	set names {
		type ifname
		elements = { "a" }
	}

	set pairs {
		type ifname . inet_service
	}

	set v4 {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8 }
	}

	set v4d {
		type ipv4_addr
		size 65535
		flags dynamic
	}

	set v6 {
		type ipv6_addr
	}

	set truth {
		type boolean
		elements = { exists }
	}

	set macs {
		type ether_addr
		elements = { 02:00:00:00:00:01 }
	}

	set macsd {
		type ether_addr
		size 65535
		flags dynamic,timeout
	}

	set seen {
		type ifname
		size 65535
		flags dynamic,timeout
	}

	map marks {
		type ifname : mark
		size 65535
		flags dynamic
	}

	map verdicts {
		typeof meta length : verdict
	}

	chain d {
	}

	chain c {
		RULES
	}
}
`

func TestRunValues(t *testing.T) {
	ns := newNetwork(t)
	for _, rule := range valueRules {
		text := strings.Replace(valueTable, "RULES", rule, 1)
		if s := ns.run(t, "flush ruleset\n"+text, "-f", "-"); s != (said{}) {
			t.Errorf("%s: %s", rule, s.Err)
			continue
		}
		s := ns.run(t, "", "list", "ruleset")
		if d := cmp.Diff(text, s.Out); d != "" || s.Err != "" {
			t.Errorf("%s (-want +got):\n%s%s", rule, d, s.Err)
		}
		if s = ns.run(t, "flush ruleset\n"+s.Out, "-f", "-"); s != (said{}) {
			t.Errorf("%s, again: %s", rule, s.Err)
		}
	}
	all := strings.Replace(valueTable, "RULES", strings.Join(valueRules, "\n\t\t"), 1)
	if s := ns.run(t, "flush ruleset\n"+all, "-f", "-"); s != (said{}) {
		t.Errorf("all: %s", s.Err)
	}
	if d := cmp.Diff(all, ns.run(t, "", "list", "ruleset").Out); d != "" {
		t.Errorf("all (-want +got):\n%s", d)
	}
}

// valueMessage returns the message that nft makes of a rule with those values,
// and their placeholders: tcp dport . VALUES @set.
func valueMessage(table *terms, seq uint32, classes ...Class) []byte {
	var exprs []byte
	var carriers []carrier
	for i, class := range classes {
		e := table.entry(termKey{kind: Value, text: fakeText(class), carrier: carrier{class: class, n: i}})
		exprs = appendPlaceholder(exprs, e)
		carriers = append(carriers, e.carrier)
	}
	load := appendAttr32(nil, unix.NFTA_META_DREG, unix.NFT_REG_1)
	exprs = appendElement(exprs, "meta", appendAttr32(load, unix.NFTA_META_KEY, unix.NFT_META_MARK))
	for i, c := range carriers {
		exprs = appendCarrier(exprs, c, uint32(unix.NFT_REG_2+i), table.base)
	}
	return ruleMessage(seq, appendElement(exprs, "lookup", nil))
}

func fakeText(class Class) string {
	for name, c := range fakeClasses {
		if c == class {
			return "dict sessions ct id v_" + name
		}
	}
	return ""
}

func TestValuesBatch(t *testing.T) {
	table := newTerms()
	all := []Class{Integer, Integer16, Integer64, IPv4, IPv6, Name, Bool, Ether}
	for _, a := range all {
		for _, b := range all {
			sent := valueMessage(table, 1, a, b)
			var got []Target
			out, _, err := table.compileBatch(sent, newCodes(fakeCodec{compiled: &got}).compile)
			if err != nil {
				t.Errorf("%d . %d: %v", a, b, err)
				continue
			}
			want := []Target{
				{Family: unix.NFPROTO_INET, Table: "t", Chain: "chain", Class: a, Register: unix.NFT_REG_2},
				{Family: unix.NFPROTO_INET, Table: "t", Chain: "chain", Class: b, Register: unix.NFT_REG_3},
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%d . %d: targets (-want +got):\n%s", a, b, d)
			}
			// A dump shows each value with a placeholder and a carrier of its own.
			back, seen, err := table.decompileReply(out, fakeCodec{}, nil)
			if err != nil || seen == nil || seen.kind != Value {
				t.Fatalf("%d . %d: %v, %+v", a, b, err, seen)
			}
			again, _, err := table.compileBatch(back, fakeCompile(t))
			if d := cmp.Diff(out, again); err != nil || d != "" {
				t.Errorf("%d . %d: %v (-first +second time):\n%s", a, b, err, d)
			}
		}
	}
}

func TestValuesBatchRefuses(t *testing.T) {
	table := newTerms()
	entry := func(n int) *term {
		return table.entry(termKey{kind: Value, text: fakeText(Name), carrier: carrier{class: Name, n: n}})
	}
	own := appendCarrier(nil, carrier{class: Name}, unix.NFT_REG_1, table.base)
	placeholder := appendPlaceholder(nil, entry(0))
	for name, exprs := range map[string][]byte{
		"without a carrier":  placeholder,
		"with another's":     append(bytes.Clone(placeholder), appendCarrier(nil, carrier{class: Name, n: 1}, unix.NFT_REG_1, table.base)...),
		"behind its carrier": append(bytes.Clone(own), placeholder...),
		"twice":              append(append(bytes.Clone(placeholder), placeholder...), own...),
		"and the user's own": append(append(bytes.Clone(placeholder), own...), own...),
		"in a match's form":  appendElement(nil, "cmp", []byte(entry(0).token)),
	} {
		if out, _, err := table.compileBatch(ruleMessage(1, exprs), fakeCompile(t)); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
	// Without a placeholder it is the user's.
	sent := ruleMessage(1, own)
	if out, _, err := table.compileBatch(sent, fakeCompile(t)); err != nil || !bytes.Equal(out, sent) {
		t.Errorf("the user's own: %v, %q", err, out)
	}
	// What fails to compile is what no kernel takes.
	out, _, err := table.compileBatch(valueMessage(table, 1, Integer), func(Target, string) ([]byte, error) { return nil, errPlace })
	if err != nil || !bytes.Contains(out, appendRefused(nil)) {
		t.Errorf("failed: %v, %q", err, out)
	}
}

// The byte order that nft 1.1 gives a number from a packet is none for a value.
func TestValuesByteOrder(t *testing.T) {
	table := newTerms()
	e := table.entry(termKey{kind: Value, text: fakeText(Integer), carrier: carrier{class: Integer, raw: true}})
	rule := func(turned bool, register uint32) []byte {
		b := appendCarrier(appendPlaceholder(nil, e), e.carrier, unix.NFT_REG_1, table.base)
		if turned {
			data := appendAttr32(appendAttr32(nil, unix.NFTA_BYTEORDER_SREG, register), unix.NFTA_BYTEORDER_DREG, register)
			b = appendElement(b, "byteorder", data)
		}
		return ruleMessage(1, appendElement(b, "lookup", nil))
	}
	want, _, err := table.compileBatch(rule(false, 0), fakeCompile(t))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := table.compileBatch(rule(true, unix.NFT_REG_1), fakeCompile(t))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-without +with):\n%s", err, d)
	}
	if got, _, err := table.compileBatch(rule(true, unix.NFT_REG_2), fakeCompile(t)); err != nil || !bytes.Contains(got, []byte("byteorder")) {
		t.Errorf("another register's: %v, %q", err, got)
	}
}

// A dump in which the user's own rule has the expressions of carriers takes others.
func TestValuesDumpSpare(t *testing.T) {
	table := newTerms()
	c := fakeCodec{}
	value, err := c.compileValue(Target{Class: Name, Register: unix.NFT_REG_1})
	if err != nil {
		t.Fatal(err)
	}
	var own []byte
	for n := range carriers(Name) - 1 {
		own = appendCarrier(own, carrier{class: Name, n: n}, unix.NFT_REG_2, table.base)
	}
	back, seen, err := table.decompileReply(ruleMessage(1, append(own, value.Exprs...)), c, nil)
	if err != nil || seen.carrier.n != carriers(Name)-1 {
		t.Errorf("%+v, %v, %q", seen, err, back)
	}
	own = append(own, append(bytes.Clone(value.Exprs), value.Exprs...)...)
	if _, _, err := table.decompileReply(ruleMessage(1, own), c, nil); !errors.Is(err, errValues) {
		t.Errorf("too many: %v", err)
	}
}

func TestValuesHide(t *testing.T) {
	table := newTerms()
	for src, want := range map[string]string{
		"add rule t c meta mark set dict s ct id v_int":              "add rule t c ibrname # meta mark set @th,62464,32 ",
		"add rule t c dnat to dict s ct id v_ip4:80":                 "add rule t c ibrname # dnat to ct reply ip daddr :80",
		"add rule t c dict s ct id v_name . dict s ct id v_name @s":  "add rule t c ibrname # ibrname # meta obrname . meta ibrname @s",
		"add rule b c obrname x dict s ct id v_name obrname y":       "add rule b c obrname x ibrname # meta ibrname obrname y",
		"add rule t c tcp dport . dict \\\n s ct id v_name @s":       "add rule t c ibrname # tcp dport . \\\nmeta obrname @s",
		"dict s ct id v_big vmap @a\nadd dict s ct id v_big vmap @b": "ibrname # @th,62464,64 vmap @a\nadd ibrname # @th,62464,64 vmap @b",
	} {
		out, _, err := hideAll(table, src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got := regexp.MustCompile(string(table.mark)+`\w{5}`).ReplaceAllString(string(out), "#")
		words := func(s string) string {
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
		}
		if d := cmp.Diff(words(want), words(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", src, d)
		}
	}
}

func FuzzValuesBatch(f *testing.F) {
	table := newTerms()
	table.mark, table.base = []byte("dfuzz0"), 1<<30 // so that a corpus keeps its meaning
	f.Add(valueMessage(table, 1, Integer))
	f.Add(valueMessage(table, 1, Name, IPv4))
	f.Add(append(valueMessage(table, 1, Integer64), valueMessage(table, 2, IPv6, Integer16, Integer)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, _, err := table.compileBatch(b, fakeCompile(t))
		if err != nil {
			return
		}
		if e, _ := table.find(out); e != nil {
			t.Errorf("a placeholder is left in %q", out)
		}
		if _, _, err := table.decompileReply(out, fakeCodec{}, nil); err != nil && !errors.Is(err, errValues) && !errors.Is(err, errAttr) && !errors.Is(err, errMessage) {
			t.Errorf("dump: %v", err)
		}
	})
}

// TestStockLists: why numbers of 64 bits are refused in a concatenation that is the
// key of a map in braces, within a statement: nft lists elements that were not
// loaded, its own too. An nft that does not should be let have them.
func TestStockLists(t *testing.T) {
	ns := newNetwork(t)
	const rule = "meta mark set @th,0,64 . ip saddr map { 5 . 10.0.0.1 : 0x00000001 }"
	if s := ns.plain(t, "table ip t {\n\tchain c {\n\t\t"+rule+"\n\t}\n}\n", "-f", "-"); s != (said{}) {
		t.Fatal(s)
	}
	if s := ns.plain(t, "", "list", "ruleset"); !strings.Contains(s.Out, "meta mark set @th,0,64 . ip saddr map { 0 . 0.0.0.0 : 0x00000001 }") {
		t.Errorf("listed as\n%s", s.Out)
	}
}
