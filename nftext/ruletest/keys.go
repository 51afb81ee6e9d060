// SPDX-License-Identifier: MIT

package ruletest

import (
	"slices"

	"nftdict/dict"
	"nftdict/nftext"
)

// keyScenes are the selectors beside the types of keys, nested keys, packets
// that have not what a selector reads, and the open tables.
func keyScenes() []Scene {
	v4, v6 := Flows()
	text := func(s string) dict.Value { return dict.MustString(s) }
	user := cell("username", text("alice"))
	yes := func(texts ...string) []Rule { return answers{yes: texts}.rules() }
	no := func(texts ...string) []Rule { return answers{no: texts}.rules() }

	everyKey := []Row{
		{Table: "sessions", Select: nftext.CtID, Cells: []Cell{cell("application", text("NETFLIX")), user}},
		{Table: "devices", Select: nftext.EtherSaddr, Cells: []Cell{cell("hostname", text("saddr"))}},
		{Table: "devices", Select: nftext.EtherDaddr, Cells: []Cell{cell("hostname", text("daddr"))}},
		{Table: "values", Select: nftext.CtMark, Cells: []Cell{cell("i", dict.IntValue(2))}},
		{Table: "values", Select: nftext.MetaMark, Cells: []Cell{cell("i", dict.IntValue(3))}},
		{Table: "numbers", Select: nftext.MetaIif, Cells: []Cell{cell("i", dict.IntValue(4))}},
		{Table: "numbers", Select: nftext.MetaLength, Cells: []Cell{cell("s", text("length"))}},
	}
	both := yes(
		`dict sessions ct id application "NETFLIX"`,
		`dict devices ether saddr hostname "saddr"`,
		`dict devices ether daddr hostname "daddr"`,
		"dict values ct mark i 2",
		"dict values meta mark i 3",
		"dict numbers iif i 4",
		`dict numbers meta length s "length"`,
	)
	both = append(both, no(
		`dict sessions ct id application "YOUTUBE"`,
		`dict devices ether saddr hostname "daddr"`,
		"dict values ct mark i 3",
		"dict values meta mark i 2",
		"dict values meta mark i missing",
	)...)
	fourRows := []Row{
		{Table: "hosts", Select: nftext.IPSaddr, Cells: []Cell{cell("hostname", text("source"))}},
		{Table: "hosts", Select: nftext.IPDaddr, Cells: []Cell{cell("hostname", text("destination"))}},
		{Table: "four", Select: nftext.IPSaddr, Cells: []Cell{cell("i", dict.IntValue(1))}},
		{Table: "four", Select: nftext.IPDaddr, Cells: []Cell{cell("i", dict.IntValue(2))}},
	}
	sixRows := []Row{
		{Table: "hosts", Select: nftext.IP6Saddr, Cells: []Cell{cell("hostname", text("source"))}},
		{Table: "hosts", Select: nftext.IP6Daddr, Cells: []Cell{cell("hostname", text("destination"))}},
		{Table: "six", Select: nftext.IP6Saddr, Cells: []Cell{cell("i", dict.IntValue(1))}},
		{Table: "six", Select: nftext.IP6Daddr, Cells: []Cell{cell("i", dict.IntValue(2))}},
	}
	// Where the packet has not what the selector reads, nothing holds: no
	// default, not even missing.
	noFour := no("dict hosts ip saddr captive_portal_authenticated false", "dict hosts ip saddr hostname missing", "dict four ip daddr i missing", "dict hosts ip daddr hostname exists")
	noSix := no("dict hosts ip6 saddr captive_portal_authenticated false", "dict hosts ip6 saddr hostname missing", "dict six ip6 daddr i missing", "dict hosts ip6 daddr hostname exists")

	scenes := []Scene{
		{"keys v4", v4, slices.Concat(everyKey, fourRows), slices.Concat(both, noSix,
			yes(`dict hosts ip saddr hostname "source"`, `dict hosts ip daddr hostname "destination"`, "dict four ip saddr i 1", "dict four ip daddr i 2",
				"dict hosts ip saddr captive_portal_authenticated false", "dict hosts ip saddr username missing"),
			no(`dict hosts ip saddr hostname "destination"`, "dict four ip saddr i 2", "dict hosts ip saddr hostname missing"))},
		{"keys v6", v6, slices.Concat(everyKey, sixRows), slices.Concat(both, noFour,
			yes(`dict hosts ip6 saddr hostname "source"`, `dict hosts ip6 daddr hostname "destination"`, "dict six ip6 saddr i 1", "dict six ip6 daddr i 2",
				"dict hosts ip6 saddr captive_portal_authenticated false"),
			no(`dict hosts ip6 saddr hostname "destination"`, "dict six ip6 saddr i 2"))},
	}
	scenes = append(scenes, nestedScenes(v4, everyKey)...)
	return append(scenes, openScenes(v4)...)
}

func nestedScenes(v4 Flow, rows []Row) []Scene {
	name := func(s string) dict.Key {
		k, _ := dict.StringKey(s)
		return k
	}
	text := func(s string) dict.Value { return dict.MustString(s) }
	session := func(cells ...Cell) Row { return Row{Table: "sessions", Select: nftext.CtID, Cells: cells} }
	return []Scene{
		{"nested", v4, append(slices.Clone(rows[1:]),
			session(cell("username", text("alice")), Cell{Field: "client_address", From: nftext.IPSaddr}, cell("client_port", dict.IntValue(4000))),
			Row{Table: "users", Key: name("alice"), Cells: []Cell{cell("quota_exceeded", dict.BoolValue(true)), cell("usergroups", text("hr,sales,it"))}},
			Row{Table: "users", Key: name("bob"), Cells: []Cell{cell("quota_exceeded", dict.BoolValue(false))}},
			Row{Table: "hosts", Select: nftext.IPSaddr, Cells: []Cell{{Field: "mac_address", From: nftext.EtherDaddr}}},
			Row{Table: "names", Key: name("alice"), Cells: []Cell{cell("next", text("carol"))}},
			Row{Table: "names", Key: name("carol"), Cells: []Cell{cell("i", dict.IntValue(7))}},
			Row{Table: "values", Key: dict.Mark(4000), Cells: []Cell{cell("b", dict.BoolValue(true))}},
		), slices.Concat(
			answers{yes: []string{
				"dict users dict sessions ct id username long_string quota-exceeded bool true",
				"dict users dict sessions ct id username quota_exceeded != false",
				"dict users dict sessions ct id username long_string user_group long_string *sales*",
				"dict users dict sessions ct id username quota_size missing",
				"dict hosts dict sessions ct id client_address mac_address exists",
				"dict hosts dict sessions ct id client_address ipv4_addr captive_portal_authenticated false",
				`dict devices dict hosts ip saddr mac_address hostname "daddr"`,
				"dict names dict names dict sessions ct id username next i 7",
				"dict values dict sessions ct id client_port b true",
			}, no: []string{
				"dict users dict sessions ct id username quota_exceeded false",
				"dict users dict sessions ct id username quota_exceeded missing",
				`dict users dict sessions ct id username usergroups "sales"`,
				"dict users dict sessions ct id application quota_exceeded missing",
				"dict users dict sessions ct id application quota_exceeded exists",
				"dict hosts dict sessions ct id client_address ipv6_addr captive_portal_authenticated false",
				"dict hosts dict sessions ct id server_address captive_portal_authenticated false",
				"dict hosts dict sessions ct id server_address username missing",
				"dict names dict names dict sessions ct id username next i 8",
				"dict names dict names dict sessions ct id application next i missing",
			}}.rules())},
		{"nested without a session", v4, nil, answers{no: []string{
			"dict users dict sessions ct id username quota_exceeded true",
			"dict users dict sessions ct id username quota_exceeded != true",
			"dict users dict sessions ct id username quota_exceeded missing",
			"dict hosts dict sessions ct id client_address captive_portal_authenticated false",
		}}.rules()},
		{"nested by a number that is no key", v4, []Row{session(cell("client_port", dict.IntValue(-1)), cell("session_id", dict.Int64Value(1<<32+41))), byMark("values", cell("b", dict.BoolValue(true)))}, answers{no: []string{
			"dict values dict sessions ct id client_port b missing",
			"dict values dict sessions ct id session_id b true",
			"dict values dict sessions ct id session_id b missing",
		}}.rules()},
		{"nested by an empty string", v4, []Row{session(cell("username", text("")))}, answers{no: []string{
			"dict users dict sessions ct id username quota_exceeded missing",
		}}.rules()},
		{"nested default", v4, []Row{{Table: "names", Key: name("none"), Cells: []Cell{cell("i", dict.IntValue(1))}}}, answers{yes: []string{
			"dict names dict values meta mark ds i 1",
		}}.rules()},
	}
}

// openScenes are tables where each value has its own type: another type is
// missing.
func openScenes(v4 Flow) []Scene {
	id := func(cells ...Cell) Row { return Row{Table: nftext.DefaultTable, Select: nftext.CtID, Cells: cells} }
	return []Scene{
		{"open", v4, []Row{
			id(cell("application", dict.MustString("NETFLIX")), cell("n", dict.IntValue(5))),
			byMark("loose", cell("i", dict.IntValue(5)), cell("l", dict.Int64Value(5)), cell("b", dict.BoolValue(true)),
				cell("s", dict.MustString("5")), cell("a", addr("10.0.0.1")), cell("e", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1}))),
		}, slices.Concat(
			answers{key: "dict ct id ", yes: []string{`application "NETFLIX"`, "application exists", "n int 5", "n int < 6", "other missing", "n int64 missing"},
				no: []string{`application "YOUTUBE"`, "n int64 5", "n int != 5", "other exists", "application missing"}}.rules(),
			answers{key: "dict loose meta mark ", yes: []string{"i int 5", "l int64 5", "b true", `s "5"`, "a 10.0.0.1", "a address exists", "e 02:00:00:00:00:01", "i int exists", "i string missing", "a ipv6_addr missing"},
				no: []string{"i int64 5", "i int64 != 6", "l int 5", `i "5"`, `i "*"`, "s int 5", "b int 1", "a ::1", "a ipv6_addr exists", `e "x"`, "i int missing", "i int64 exists"}}.rules())},
		{"open without a row", v4, nil, slices.Concat(
			answers{key: "dict ct id ", yes: []string{"application missing", "n int missing"}, no: []string{`application "*"`, "n int 0", "n int != 0"}}.rules())},
	}
}
