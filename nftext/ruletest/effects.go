// SPDX-License-Identifier: MIT

package ruletest

import (
	"math"
	"slices"

	"nftdict/dict"
	"nftdict/nftext"
)

// Scenes returns all scenes. Rows and rules of one do not disturb another: a
// runner may load all rules of a scene at once, and empties the tables between
// scenes.
func Scenes() []Scene {
	return slices.Concat(valueScenes(), []Scene{limitScene()}, keyScenes())
}

// Effects returns all effects, each to be run on empty tables.
func Effects() []Effect {
	v4, v6 := Flows()
	i := func(n int32) Cell { return cell("i", dict.IntValue(n)) }
	l := func(n int64) Cell { return cell("l", dict.Int64Value(n)) }
	alice, _ := dict.StringKey("alice")
	name := cell("username", dict.MustString("alice"))
	one := func(title, text string, before []Row, want ...Row) Effect {
		return Effect{Name: title, Flow: v4, Rows: before, Text: text, Packets: 1, Want: want}
	}
	rows := func(r ...Row) []Row { return r }
	values := func(cells ...Cell) Row { return byMark("values", cells...) }
	const key = "dict values meta mark "
	effects := []Effect{
		one("set bool", key+"b set true", nil, values(cell("b", dict.BoolValue(true)))),
		one("set int", key+"i set -5", nil, values(i(-5))),
		one("set int64", key+"l set -5000000000", nil, values(l(-5000000000))),
		one("set int in int64", key+"l int set -5", nil, values(l(-5))),
		one("set ipv4", key+"a4 set 10.0.0.1", nil, values(cell("a4", addr("10.0.0.1")))),
		one("set ipv6", key+"a6 set ::1", nil, values(cell("a6", addr("::1")))),
		one("set ether", key+"e set 02:00:00:00:00:01", nil, values(cell("e", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1})))),
		one("set string", key+`s set "a \* b"`, nil, values(cell("s", dict.MustString("a * b")))),
		one("set empty string", key+`s set ""`, nil, values(cell("s", dict.MustString("")))),
		one("set replaces", key+"i set 7", rows(values(i(5), l(6))), values(i(7), l(6))),
		one("set string replaces", key+"s set short", rows(values(cell("s", dict.MustString("a longer string")))), values(cell("s", dict.MustString("short")))),
		one("set address of the other family", key+"a set ::1", rows(values(cell("a", addr("10.0.0.1")))), values(cell("a", addr("::1")))),
		one("set ip saddr", key+"a set ip saddr", nil, values(Cell{Field: "a", From: nftext.IPSaddr})),
		one("set ip daddr", key+"a4 set ip daddr", nil, values(Cell{Field: "a4", From: nftext.IPDaddr})),
		{"set ip6 saddr", v6, nil, key + "a set ip6 saddr", 1, rows(values(Cell{Field: "a", From: nftext.IP6Saddr}))},
		{"set ip6 daddr", v6, nil, key + "a6 set ip6 daddr", 1, rows(values(Cell{Field: "a6", From: nftext.IP6Daddr}))},
		{"set ip saddr of IPv6", v6, nil, key + "a4 set ip saddr", 1, rows(values())},
		one("set ether saddr", key+"e set ether saddr", nil, values(Cell{Field: "e", From: nftext.EtherSaddr})),
		one("set ether daddr", key+"e set ether daddr", nil, values(Cell{Field: "e", From: nftext.EtherDaddr})),
		one("set ct id", key+"l set ct id", nil, values(Cell{Field: "l", From: nftext.CtID})),
		one("set ct mark", key+"l set ct mark", nil, values(l(0x80000041))),
		one("set meta mark", key+"l set meta mark", nil, values(l(41))),
		one("set length", key+"l set meta length", nil, values(Cell{Field: "l", From: nftext.MetaLength})),
		one("set length in int", key+"i set meta length", nil, values(Cell{Field: "i", From: nftext.MetaLength})),
		one("set nested string", key+"s set dict sessions ct id username", rows(Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{name}}), values(cell("s", dict.MustString("alice")))),
		one("set nested int", key+"l set dict values ct mark i", rows(Row{Table: "values", Select: nftext.CtMark, Cells: []Cell{i(-5)}}), values(l(-5))),
		one("set nested address", key+"a set dict sessions ct id client_address", rows(Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{cell("client_address", addr("::1"))}}), values(cell("a", addr("::1")))),
		one("set nested of the other family", key+"a4 set dict sessions ct id client_address", rows(Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{cell("client_address", addr("::1"))}}), values()),
		one("set nested missing", key+"s set dict sessions ct id username", nil, values()),
		one("add", key+"i add 5", rows(values(i(-3))), values(i(2))),
		one("add negative", key+"i add -5", rows(values(i(3))), values(i(-2))),
		one("sub", key+"l sub 5000000000", rows(values(l(1))), values(l(-4999999999))),
		one("add to nothing", key+"i add 5", nil, values(i(5))),
		one("sub from a missing field", key+"i sub 5", rows(values(l(1))), values(i(-5), l(1))),
		one("add to a default", key+"di add 5", nil, values(cell("di", dict.IntValue(-2)))),
		one("add saturates", key+"i add 5", rows(values(i(math.MaxInt32-2))), values(i(math.MaxInt32))),
		one("sub saturates", key+"i sub 5", rows(values(i(math.MinInt32+2))), values(i(math.MinInt32))),
		one("add int64 saturates", key+"l add 5", rows(values(l(math.MaxInt64-2))), values(l(math.MaxInt64))),
		one("sub int64 saturates", key+"l sub 5", rows(values(l(math.MinInt64+2))), values(l(math.MinInt64))),
		one("sub the least", key+"l sub -9223372036854775808", rows(values(l(1))), values(l(math.MaxInt64))),
		one("add ct mark to int saturates", key+"i add ct mark", rows(values(i(0x7fffffff-0x40))), values(i(math.MaxInt32))),
		one("add length", key+"l add meta length", nil, values(Cell{Field: "l", From: nftext.MetaLength})),
		one("add nested", key+"l add dict values ct mark i", rows(values(l(7)), Row{Table: "values", Select: nftext.CtMark, Cells: []Cell{i(-5)}}), values(l(2))),
		one("add nested int64 to int saturates", key+"i add dict values ct mark l", rows(values(i(7)), Row{Table: "values", Select: nftext.CtMark, Cells: []Cell{l(1 << 40)}}), values(i(math.MaxInt32))),
		{"add for every packet", v4, rows(values(i(1))), key + "i add 2", 5, rows(values(i(11)))},
		one("set by nested key", "dict users dict sessions ct id username quota_remaining sub 5",
			rows(Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{name}}, Row{Table: "users", Key: alice, Cells: []Cell{cell("quota_remaining", dict.Int64Value(7))}}),
			Row{Table: "users", Key: alice, Cells: []Cell{cell("quota_remaining", dict.Int64Value(2))}}),
		one("set by nested key that is missing", "dict users dict sessions ct id username quota_remaining set 5", nil, Row{Table: "users", Key: alice}),
		one("set by ct id", `dict sessions ct id application set "NETFLIX"`, nil, Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{cell("application", dict.MustString("NETFLIX"))}}),
		one("set by address", "dict hosts ip saddr mac_address ether_addr set ether saddr", nil, Row{Table: "hosts", Select: nftext.IPSaddr, Cells: []Cell{{Field: "mac_address", From: nftext.EtherSaddr}}}),
		one("flush", "dict values meta mark flush", rows(values(i(5), cell("s", dict.MustString("x"))), Row{Table: "values", Key: dict.Mark(1), Cells: []Cell{i(6)}}),
			values(), Row{Table: "values", Key: dict.Mark(1), Cells: []Cell{i(6)}}),
		one("flush nothing", "dict sessions ct id flush", nil, Row{Table: "sessions", Select: nftext.CtID}),
		one("flush by nested key", "dict users dict sessions ct id username flush",
			rows(Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{name}}, Row{Table: "users", Key: alice, Cells: []Cell{cell("quota_exceeded", dict.BoolValue(true))}}),
			Row{Table: "users", Key: alice}, Row{Table: "sessions", Select: nftext.CtID, Cells: []Cell{name}}),
		one("set in an open table", "dict loose meta mark x int set 5", rows(byMark("loose", cell("x", dict.MustString("five")))), byMark("loose", cell("x", dict.IntValue(5)))),
		one("add in an open table to another type", "dict loose meta mark x int add 5", rows(byMark("loose", cell("x", dict.Int64Value(9)))), byMark("loose", cell("x", dict.IntValue(5)))),
	}
	return effects
}
