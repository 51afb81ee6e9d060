// SPDX-License-Identifier: MIT

package ruletest

import (
	"net/netip"
	"slices"
	"strings"

	"nftdict/dict"
	"nftdict/nftext"
)

// answers are the rules of a scene by what they answer. Each text is what
// stands behind the key.
type answers struct {
	key     string // `dict TABLE KEY `
	yes, no []string
}

func (a answers) rules() []Rule {
	var rules []Rule
	for _, s := range a.yes {
		rules = append(rules, Rule{a.key + s, true})
	}
	for _, s := range a.no {
		rules = append(rules, Rule{a.key + s, false})
	}
	return rules
}

func addr(s string) dict.Value { return dict.AddrValue(netip.MustParseAddr(s)) }

// byMark is a row of the flow's packet mark.
func byMark(table string, cells ...Cell) Row {
	return Row{Table: table, Select: nftext.MetaMark, Cells: cells}
}

func cell(field string, v dict.Value) Cell { return Cell{Field: field, Value: v} }

// valueScenes are the operators on the types: a row where every field has a
// value, rows at the limits, a row where every field is missing, no row.
func valueScenes() []Scene {
	v4, v6 := Flows()
	const key = "dict values meta mark "
	row := byMark("values",
		cell("b", dict.BoolValue(true)), cell("i", dict.IntValue(-5)), cell("l", dict.Int64Value(5_000_000_000)),
		cell("a4", addr("10.1.2.3")), cell("a6", addr("2001:db8:1::5")), cell("a", addr("10.1.2.3")),
		cell("e", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1})), cell("s", dict.MustString("www.netflix.com")),
		cell("db", dict.BoolValue(true)), cell("di", dict.IntValue(1)), cell("dl", dict.Int64Value(-1)),
		cell("da4", addr("10.0.0.1")), cell("da6", addr("::1")), cell("da", addr("::1")),
		cell("de", dict.EtherValue([6]byte{0xfe, 0, 0, 0, 0, 1})), cell("ds", dict.MustString("")))
	full := answers{key: key,
		yes: []string{
			"b true", "b bool 1", "b != false", "b { true, false }", "b exists", "b bool exists",
			"i -5", "i int -5", "i == -0x5", "i != -4", "i < -4", "i < 0", "i < 2147483647", "i <= -5", "i > -6", "i > -2147483648", "i >= -5",
			"i -10--1", "i -5-5", "i -5--5", "i != -4-10", "i { 1, -5 }", "i { -7--5, 9 }", "i != { 1, 5 }", "i exists",
			"l 5000000000", "l int64 5000000000", "l != 705032704", "l int != 705032704", "l < 5000000001", "l <= 5000000000", "l > 4999999999", "l > 705032704", "l > -1", "l int >= 5",
			"l 4999999999-5000000001", "l { 1, 5000000000 }", "l != 1-2147483647", "l exists",
			"a4 10.1.2.3", "a4 ipv4_addr 10.1.2.3", "a4 10.0.0.0/8", "a4 10.1.2.0/24", "a4 10.1.2.2/31", "a4 10.1.2.3/32", "a4 10.1.2.255/24", "a4 10.1.2.1/30", "a4 8.0.0.0/6", "a4 0.0.0.0/0", "a4 != 10.1.2.4", "a4 != 10.1.3.0/24",
			"a4 10.1.2.0-10.1.2.3", "a4 9.255.255.255-10.255.0.0", "a4 { 1.1.1.1, 10.1.0.0/16 }", "a4 != { 1.1.1.1, 10.2.0.0/16 }",
			"a4 < 10.1.2.4", "a4 < 200.0.0.0", "a4 <= 10.1.2.3", "a4 > 10.1.2.2", "a4 > 3.255.255.255", "a4 >= 10.1.2.3", "a4 exists",
			"a6 2001:db8:1::5", "a6 ipv6_addr 2001:db8:1::5", "a6 2001:db8::/32", "a6 2001:db8:1::4/127", "a6 2001:db8:1::7/126", "a6 2001:db8:1:0:8000::/64", "a6 2001:db8::/45", "a6 2001:db8:1::5/128", "a6 ::/0", "a6 != ::5", "a6 != 2001:db8:2::/48",
			"a6 2001:db8:1::-2001:db8:1::ffff", "a6 2001:db8:1::5-2001:db8:1::5", "a6 { ::1, 2001:db8::/32 }", "a6 < 2001:db8:1::6", "a6 < ff00::", "a6 <= 2001:db8:1::5", "a6 > 2001:db8:1::4", "a6 > 1fff:ffff::", "a6 >= 2001:db8:1::5", "a6 exists",
			"a 10.1.2.3", "a address 10.0.0.0/8", "a ipv4_addr != 10.1.2.4", "a exists", "a ipv4_addr exists", "a ipv6_addr missing", "a < 11.0.0.0",
			"e 02:00:00:00:00:01", "e ether_addr 02:00:00:00:00:01", "e != 02:00:00:00:00:02", "e != 01:00:00:00:00:02", "e { 02:00:00:00:00:02, 02:00:00:00:00:01 }", "e exists",
			`s "www.netflix.com"`, "s long_string www.netflix.com", `s != "www.netflix.co"`, `s != "netflix"`, `s { "a", "www.netflix.com" }`, `s != { "a", "b" }`, "s exists",
			`s "*"`, `s "*netflix*"`, `s "www.*"`, `s "*.com"`, `s "www.netflix.???"`, `s "[a-w]ww.netflix.co[!a-l]"`, `s "w*w.netflix.com"`, `s "*w*.*.*o*"`, `s != "*NETFLIX*"`, `s != "????"`, `s { "x*", "*flix.com" }`, `s != { "x*", "a" }`,
			"db true", "di 1", "dl -1", "da4 10.0.0.1", "da6 ::1", "da ::1", "de fe:00:00:00:00:01", `ds ""`, `ds "*"`, `ds != "none"`, "db exists",
		},
		no: []string{
			"b false", "b != true", "b { false }", "b missing",
			"i 5", "i -4", "i != -5", "i < -5", "i < -2147483648", "i <= -6", "i > -5", "i > 0", "i >= -4", "i -4-5", "i -10--6", "i != -5-0", "i { 1, 5 }", "i != { -5 }", "i missing",
			"l 705032704", "l -5000000000", "l != 5000000000", "l < 5000000000", "l < 705032705", "l <= 4999999999", "l > 5000000000", "l >= 5000000001", "l 1-4999999999", "l { 1, 2 }", "l missing",
			"a4 10.1.2.4", "a4 3.2.1.10", "a4 10.1.2.4/30", "a4 10.1.2.1/31", "a4 10.1.4.0/23", "a4 11.0.0.0/8", "a4 12.0.0.0/6", "a4 != 10.1.2.3", "a4 != 10.0.0.0/8", "a4 != 0.0.0.0/0", "a4 10.1.2.4-10.1.2.9", "a4 { 1.1.1.1, 2.0.0.0/8 }", "a4 < 10.1.2.3", "a4 < 3.255.255.255", "a4 <= 10.1.2.2", "a4 > 10.1.2.3", "a4 > 200.0.0.0", "a4 >= 10.1.2.4", "a4 missing",
			"a6 2001:db8:1::6", "a6 2001:db8:2::/48", "a6 2001:db8:1::3/126", "a6 2001:db8:1:1::/64", "a6 2001:db8:8::/45", "a6 != 2001:db8::/32", "a6 != ::/0", "a6 2001:db8:1::6-2001:db8:1::9", "a6 ::-::5", "a6 { ::1, ::5 }", "a6 < 2001:db8:1::5", "a6 <= 2001:db8:1::4", "a6 > 2001:db8:1::5", "a6 > ff00::", "a6 >= 2001:db8:1::6", "a6 missing",
			"a 10.1.2.4", "a ::ffff:10.1.2.3", "a ::/0", "a != ::1", "a > ::", "a missing", "a ipv6_addr exists", "a ipv4_addr missing",
			"e 02:00:00:00:00:02", "e 01:00:00:00:00:02", "e != 02:00:00:00:00:01", "e { 02:00:00:00:00:03, 02:00:00:00:00:02 }", "e missing",
			`s "www.netflix.co"`, `s "www.netflix.comm"`, `s "WWW.NETFLIX.COM"`, `s "netflix"`, `s ""`, `s != "www.netflix.com"`, `s { "a", "b" }`, `s != { "a", "www.netflix.com" }`, "s missing",
			`s "netflix*"`, `s "*netflix"`, `s "*.org"`, `s "www?netflix?co"`, `s "[!w]*"`, `s "*[0-9]*"`, `s "w\*w.netflix.com"`, `s "\*"`, `s != "*"`, `s != "*flix*"`, `s { "x*", "*y" }`,
			"db false", "di -7", "dl 1099511627776", "da4 10.9.9.9", "da6 2001:db8::9", "da 10.9.9.9", "de 02:09:09:09:09:09", `ds "none"`, `ds "?*"`, "db missing",
		}}
	// Nothing holds for a missing field but missing, and what the default says.
	bare := answers{key: key,
		yes: []string{
			"b missing", "i missing", "l missing", "a4 missing", "a6 missing", "a missing", "e missing", "s missing", "db missing", "ds missing", "a ipv4_addr missing",
			"db false", "db != true", "di -7", "di < 0", "dl 1099511627776", "dl > 1099511627775", "da4 10.0.0.0/8", "da6 2001:db8::/32", "da 10.9.9.9", "da ipv4_addr 10.9.0.0/16", "de 02:09:09:09:09:09", "ds none", `ds "n?n*"`,
		},
		no: []string{
			"b exists", "i exists", "l exists", "a4 exists", "a6 exists", "a exists", "e exists", "s exists", "db exists", "ds exists",
			"b true", "b false", "b != true", "b != false", "i 0", "i != 0", "i < 1", "i > -1", "i <= 0", "i >= 0", "i -10-10", "i != -10-10", "i { 0 }", "i != { 0 }",
			"l 0", "l != 0", "l < 1", "l >= 0", "a4 0.0.0.0", "a4 0.0.0.0/0", "a4 != 0.0.0.0", "a4 < 255.255.255.255", "a6 ::", "a6 ::/0", "a6 != ::", "a 0.0.0.0/0", "a != ::",
			"e 00:00:00:00:00:00", "e != 00:00:00:00:00:00", `s ""`, `s "*"`, `s != "x"`, `s != "*x"`, `s { "" }`,
			"db true", "di 0", "dl < 0", "da4 != 10.9.9.9", "da ::/0", "da != ::1", "de != 02:09:09:09:09:09", `ds ""`, `ds != "none"`,
		}}
	long := strings.Repeat("a", dict.MaxString)
	low := byMark("values",
		cell("i", dict.IntValue(-1<<31)), cell("l", dict.Int64Value(-1<<63)), cell("a4", addr("0.0.0.0")), cell("a6", addr("::")),
		cell("a", addr("::ffff:10.1.2.3")), cell("e", dict.EtherValue([6]byte{})), cell("s", dict.MustString("")), cell("b", dict.BoolValue(false)))
	high := byMark("values",
		cell("i", dict.IntValue(1<<31-1)), cell("l", dict.Int64Value(1<<63-1)), cell("a4", addr("255.255.255.255")), cell("a6", addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
		cell("a", addr("ffff::")), cell("e", dict.EtherValue([6]byte{255, 255, 255, 255, 255, 255})), cell("s", dict.MustString(long)))
	return []Scene{
		{"values", v4, []Row{row}, full.rules()},
		{"values over IPv6", v6, []Row{row}, full.rules()},
		{"no row", v4, nil, bare.rules()},
		{"no fields", v4, []Row{{Table: "values", Select: nftext.MetaMark}}, bare.rules()},
		{"another row", v4, []Row{{Table: "values", Key: dict.Mark(v4.Mark + 1), Cells: slices.Clone(row.Cells)}}, bare.rules()},
		{"least", v4, []Row{low}, answers{key: key,
			yes: []string{"i -2147483648", "i <= -2147483648", "i < -2147483647", "i -2147483648--1", "l -9223372036854775808", "l < 0", "l <= -9223372036854775808", "l < -9223372036854775807",
				"a4 0.0.0.0", "a4 <= 0.0.0.0", "a4 0.0.0.0-0.0.0.1", "a6 ::", "a6 <= ::", "a ::ffff:10.1.2.3", "a ::ffff:0:0/96", "a ipv4_addr missing", "e 00:00:00:00:00:00", `s ""`, `s "*"`, "b false", "b != true"},
			no: []string{"i < -2147483648", "i > -2147483648", "i >= 0", "l < -9223372036854775808", "l > 0", "a4 < 0.0.0.0", "a4 > 0.0.0.0", "a6 < ::", "a 10.1.2.3", "a 0.0.0.0/0", `s "?"`, `s "?*"`, `s != ""`, "b true"},
		}.rules()},
		{"greatest", v4, []Row{high}, answers{key: key,
			yes: []string{"i 2147483647", "i >= 2147483647", "i > 2147483646", "l 9223372036854775807", "l > 0", "l >= 9223372036854775807", "a4 255.255.255.255", "a4 >= 255.255.255.255", "a4 > 127.0.0.1", "a6 >= ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a6 > ::",
				"a > fffe::", "e ff:ff:ff:ff:ff:ff", `s "` + long + `"`, `s "` + strings.Repeat("?", dict.MaxString) + `"`, `s "*a` + strings.Repeat("*a", 30) + `"`, `s != "` + long[1:] + `"`, `s "*` + long[1:] + `"`},
			no: []string{"i > 2147483647", "i < 0", "l > 9223372036854775807", "l < 0", "a4 > 255.255.255.255", "a4 < 127.0.0.1", "a6 > ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
				`s "` + long[1:] + `"`, `s "` + long[1:] + `b"`, `s "` + strings.Repeat("?", dict.MaxString-1) + `"`, `s "` + strings.Repeat("*a", 60) + `*b"`, `s != "` + long + `"`},
		}.rules()},
	}
}
