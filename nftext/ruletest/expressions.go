// SPDX-License-Identifier: MIT

package ruletest

import (
	"nftdict/dict"
	"nftdict/nftext"
)

// ValueScene is rows, a packet, and rules of nft that work with values of
// dictionaries. A runner adds Objects to the rules' table, loads the rules in
// order through nft, each with a counter at its end, and sends one packet. A
// backend that has no registers refuses each rule with dict.ErrNotSupported.
type ValueScene struct {
	Name    string
	Flow    Flow
	Rows    []Row
	Objects string // sets and maps, as in a block of nft's
	Rules   []Rule // statements before the counter, and whether a packet gets to it
}

// ValueScenes returns all of them. Their rows are keyed by the connection's
// mark, since rules change the packet's.
func ValueScenes() []ValueScene {
	v4, v6 := Flows()
	row := func(cells ...Cell) []Row { return []Row{{Table: "values", Select: nftext.CtMark, Cells: cells}} }
	full := row(
		cell("i", dict.IntValue(80)), cell("l", dict.Int64Value(5_000_000_000)), cell("a4", addr("10.1.2.3")), cell("a6", addr("2001:db8:1::5")),
		cell("a", addr("2001:db8:1::5")), cell("s", dict.MustString("NETFLIX")), cell("b", dict.BoolValue(true)), cell("e", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1})))
	return []ValueScene{
		{"looked up", v4, full, valueSets, answers{key: "dict values ct mark ",
			yes: []string{
				`s @names`, `s == @names`, `s != @others`, `s @wild`, `s { "x", "NET*" } ip version 4`, `ds @nones`, `ds != @names`,
				`i @numbers`, `i != @odd`, `di != @numbers`, `l @big`, `l & 0xff == 0`, `l int64 vmap { 5000000000 : continue }`,
				`a4 @nets`, `a4 != @hosts`, `a4 vmap { 10.1.0.0/16 : continue }`, `da4 @hosts`, `a6 @six`, `a6 != @others6`, `a ipv6_addr @six`,
				`s vmap { "x" : drop, "NETFLIX" : continue }`, `s vmap @policies`, `i vmap { 1-79 : drop, 80-90 : continue }`, `di vmap { 4294967289 : continue }`,
				`i and 0xf0 == 0x50`, `i & 0x0f 0`, `i | 1 == 81`, `i ^ 81 == 1`, `a4 & 255.255.0.0 == 10.1.0.0`, `a6 and ffff:ffff:: == 2001:db8::`,
				`s . dict values ct mark i { "x" . 80, "NETFLIX" . 80 }`, `s . meta l4proto vmap { "NETFLIX" . udp : continue }`, `a4 . dict values ct mark s @pairs`,
				`l . dict values ct mark a6 { 5000000000 . 2001:db8:1::5 }`,
				`b @truths`, `db != @truths`, `b vmap { false : drop, true : continue }`, `b . meta l4proto { false . tcp, true . udp }`, `db vmap { true : drop, false : continue }`,
				`b . dict values ct mark db vmap { true . true : drop, true . false : continue }`,
				`e @macs`, `de != @macs`, `e vmap { 02:00:00:00:00:02 : drop, 02:00:00:00:00:01 : continue }`, `e @vendor`, `e . meta l4proto { 02:00:00:00:00:01 . udp }`,
				`e @macs ip saddr 10.0.0.0/8`, `e @macs udp dport 1-65535 ip version 4`, `e . dict values ct mark b vmap { 02:00:00:00:00:01 . true : continue }`,
			},
			no: []string{
				`s @others`, `s != @names`, `s != @wild`, `ds @names`, `ds != @nones`,
				`i @odd`, `i != @numbers`, `di @numbers`, `l != @big`, `l int @numbers`, `l int != @numbers`, `l & 0xff == 1`,
				`a4 != @nets`, `a4 @hosts`, `a6 @others6`, `a ipv4_addr @nets`, `a ipv4_addr != @nets`,
				`s vmap { "x" : continue }`, `s vmap { "netflix" : continue }`, `i vmap { 81-90 : continue }`, `i & 0xf0 0x40`,
				`b != @truths`, `db @truths`, `b vmap { false : continue }`, `b . meta l4proto { true . tcp }`, `b . dict values ct mark db { true . true, false . false }`,
				`e != @macs`, `de @macs`, `de @vendor`, `e vmap { 02:00:00:00:00:02 : continue }`, `e @macs ip6 saddr ::/0`, `e @macs ip saddr 99.0.0.1`,
				`s . dict values ct mark i { "x" . 80, "NETFLIX" . 81 }`, `a4 . dict values ct mark ds @pairs`,
			},
		}.rules()},
		{"concatenated behind", v4, full, valueSets, answers{
			yes: []string{`meta l4proto . dict values ct mark s { udp . "NETFLIX" }`, `ct mark . dict values ct mark a6 . meta l4proto { 0x80000041 . 2001:db8:1::5 . udp }`},
			no:  []string{`meta l4proto . dict values ct mark s { tcp . "NETFLIX" }`, `meta l4proto . dict values ct mark s { udp . "x" }`},
		}.rules()},
		{"missing", v6, nil, valueSets, answers{key: "dict values ct mark ",
			yes: []string{`ds @nones`, `di != @numbers`, `da6 != @six`},
			no:  []string{`s @names`, `s != @names`, `i @numbers`, `i != @numbers`, `a6 != @six`, `l vmap { 0 : continue }`, `s vmap { "x" : continue }`, `i & 0 == 0`},
		}.rules()},
		{"longer than nft's", v4, row(cell("s", dict.MustString("NETFLIX-documentaries")), cell("ds", dict.MustString("exactly-sixteen!"))), valueSets,
			answers{key: "dict values ct mark ",
				yes: []string{`s != @names`, `s @wild`, `ds != @names`, `s vmap { "NET*" : continue }`},
				no:  []string{`s @names`, `s != @wild`, `ds @names`, `s vmap { "NETFLIX-documen" : continue }`},
			}.rules()},
		{"written", v4, row(
			cell("i", dict.IntValue(80)), cell("l", dict.Int64Value(4_000_000_000)), cell("dl", dict.Int64Value(-1)), cell("a4", addr("10.1.2.3")), cell("s", dict.MustString("NETFLIX")),
			cell("b", dict.BoolValue(true)), cell("e", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1}))),
			valueSets, []Rule{
				{`meta mark set dict values ct mark i meta mark 80`, true},
				{`meta mark set dict values ct mark l meta mark 4000000000`, true},
				{`meta mark set 1 meta mark set dict values ct mark dl`, false}, // a mark has no sign
				{`meta mark 1`, true},
				{`meta mark set dict values ct mark di meta mark 0xfffffff9`, true},
				{`meta mark set dict values ct mark i and 0xf0 or 0x100 meta mark 0x150`, true},
				{`meta mark set dict values ct mark s map { "x" : 1, "NETFLIX" : 7 } meta mark 7`, true},
				{`meta mark set dict values ct mark ds map { "NETFLIX" : 8 }`, false},
				{`meta mark set dict values ct mark l map { 4000000000 : 9 } meta mark 9`, true},
				{`meta mark set dict values ct mark a4 map { 10.0.0.0/8 : 10 } meta mark 10`, true},
				{`meta mark set dict values ct mark s . meta l4proto map { "NETFLIX" . udp : 11 } meta mark 11`, true},
				{`meta mark set dict values ct mark b map { false : 12, true : 13 } meta mark 13`, true},
				{`meta mark set meta l4proto . dict values ct mark b map { udp . false : 14, udp . true : 15 } meta mark 15`, true},
				{`meta mark set dict values ct mark e map { 02:00:00:00:00:01 : 16 } meta mark 16`, true},
				{`meta mark set dict values ct mark e . meta l4proto map { 02:00:00:00:00:01 . udp : 17 } meta mark 17`, true},
				{`meta mark set dict values ct mark de map { 02:00:00:00:00:01 : 18 }`, false},
				{`dict values ct mark e @cards`, false},
				{`update @cards { dict values ct mark e timeout 5m }`, true},
				{`dict values ct mark e @cards`, true},
				{`dict values ct mark de @cards`, false},
				{`ether daddr set dict values ct mark e ether daddr 02:00:00:00:00:01`, true},
				{`ether daddr set dict values ct mark de ether daddr 02:00:00:00:00:01`, false},
				{`meta priority set dict values ct mark s . dict values ct mark i map { "NETFLIX" . 81 : 0:51, "NETFLIX" . 80 : 0:60 } meta priority 0:60`, true},
				{`meta priority set dict values ct mark i meta priority 0:50`, true},
				{`dict values ct mark s @seen`, false},
				{`add @seen { dict values ct mark s timeout 5m }`, true},
				{`dict values ct mark s @seen`, true},
				{`update @spent { dict values ct mark s : dict values ct mark i }`, true},
				{`meta mark set dict values ct mark s map @spent meta mark 80`, true},
				{`add @addresses { dict values ct mark a4 }`, true},
				{`dict values ct mark a4 @addresses`, true},
				{`dict values ct mark da4 @addresses`, false},
				{`udp dport set dict values ct mark i udp dport 80`, true},
				{`udp dport set dict values ct mark l`, false}, // more than 16 bits
				{`udp dport set dict values ct mark di`, false},
				{`ip saddr set dict values ct mark a4 ip saddr 10.1.2.3`, true},
				{`ip saddr set dict values ct mark a ipv4_addr`, false},
			}},
	}
}

// valueSets are the objects that the scenes look up in.
const valueSets = `
	set names { type ifname; elements = { "NETFLIX", "YOUTUBE" }; }
	set others { type ifname; elements = { "x" }; }
	set nones { type ifname; elements = { "none" }; }
	set wild { type ifname; flags interval; elements = { "NET*" }; }
	set numbers { typeof meta cpu; elements = { 80, 81 }; }
	set odd { typeof meta cpu; elements = { 81, 83 }; }
	set big { typeof @th,0,64; elements = { 5000000000 }; }
	set nets { type ipv4_addr; flags interval; elements = { 10.1.0.0/16 }; }
	set hosts { type ipv4_addr; elements = { 10.9.9.9 }; }
	set six { type ipv6_addr; elements = { 2001:db8:1::5 }; }
	set others6 { type ipv6_addr; elements = { ::1 }; }
	set truths { type boolean; elements = { exists }; }
	set macs { type ether_addr; elements = { 02:00:00:00:00:01, 02:00:00:00:00:03 }; }
	set vendor { type ether_addr; flags interval; elements = { 02:00:00:00:00:00-02:00:00:00:00:ff }; }
	set cards { type ether_addr; flags dynamic,timeout; timeout 1m; }
	set pairs { type ipv4_addr . ifname; elements = { 10.1.2.3 . "NETFLIX" }; }
	map policies { type ifname : verdict; elements = { "NETFLIX" : continue, "x" : drop }; }
	set seen { type ifname; flags dynamic,timeout; timeout 1m; }
	set addresses { type ipv4_addr; flags dynamic; size 100; }
	map spent { type ifname : mark; flags dynamic; size 100; }
`
