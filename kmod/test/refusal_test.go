// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// tables makes a table of every kind of key, each with a field of every type.
func tables(tb testing.TB, f *family) {
	tb.Helper()
	fields := [][]byte{
		field("b", dict.Bool), field("i", dict.Int), field("l", dict.Int64), field("a4", dict.IPv4), field("a6", dict.IPv6),
		field("a", dict.Address), field("e", dict.Ether), field("s", dict.String),
	}
	for name, key := range map[string]dict.KeyType{
		"id": dict.KeyCtID, "ip4": dict.KeyIPv4, "ip6": dict.KeyIPv6, "address": dict.KeyAddress, "ether": dict.KeyEther, "mark": dict.KeyMark,
		"int": dict.KeyInt, "string": dict.KeyString,
	} {
		f.table(tb, name, key, 0, fields...)
	}
	f.table(tb, "bound", dict.KeyCtID, tableBound, fields...)
	f.table(tb, "loose", dict.KeyInt, tableOpen)
}

// byReg is the key in the first register.
func byReg(n uint32) []byte { return cat(big(lookupSReg, 1), big(lookupLen, n)) }

// lookup is a lookup of a field, of a type unless it is 0.
func lookup(typ uint16, table, field string, t dict.Type, key []byte) []byte {
	parts := cat(text(lookupTable, table), key)
	if field != "" {
		parts = append(parts, text(lookupField, field)...)
	}
	if t != 0 {
		parts = append(parts, big(lookupType, uint32(t))...)
	}
	return nest(typ, parts)
}

// items lists the values of a match.
func items(list ...[]byte) []byte {
	var out []byte
	for _, i := range list {
		out = append(out, nest(unix.NFTA_LIST_ELEM, i)...)
	}
	return nest(exprItems, out)
}

func lo(v dict.Value) []byte { return nest(itemLo, val(v)) }
func hi(v dict.Value) []byte { return nest(itemHi, val(v)) }

// tokens encodes the tokens of a glob.
func tokens(list ...uint16) []byte {
	var out []byte
	for _, t := range list {
		out = binary.NativeEndian.AppendUint16(out, t)
	}
	return attr(itemTokens, out)
}

// times repeats.
func times[T any](n int, v T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// nested nests lookups by their keys, to a depth.
func nested(depth int) []byte {
	key := byReg(4)
	for range depth - 1 {
		key = lookup(lookupNested, "int", "i", dict.Int, key)
	}
	return lookup(exprLookup, "int", "i", dict.Int, key)
}

// TestRuleErrors: every way in which a rule can be wrong is refused with the
// errno that tells which; and what is refused leaves no trace.
func TestRuleErrors(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	tables(t, f)
	h.chain(t)
	r := newRuleset(t, unix.NFPROTO_IPV4)

	one := dict.IntValue(1)
	op := func(n uint32) []byte { return big(exprOp, n) }
	i4 := lookup(exprLookup, "int", "i", dict.Int, byReg(4))
	at := func(field string, t dict.Type) []byte { return lookup(exprLookup, "int", field, t, byReg(4)) }
	eq := big(exprCmp, cmpEq)
	str := dict.MustString("x")
	load := func(field string, t dict.Type, n uint32) []byte {
		return cat(op(opLoad), at(field, t), big(exprDReg, 2), big(exprLen, n))
	}
	match := func(field string, t dict.Type, cmp uint32, list ...[]byte) []byte {
		return cat(op(opMatch), at(field, t), big(exprCmp, cmp), items(list...))
	}
	set := func(field string, t dict.Type, v ...[]byte) []byte {
		return cat(op(opSet), at(field, t), cat(v...))
	}
	value := func(v dict.Value) []byte { return nest(exprValue, val(v)) }
	sreg := func(reg, n uint32) []byte { return cat(big(exprSReg, reg), big(exprLen, n)) }
	source := func(field string, t dict.Type) []byte { return lookup(exprSource, "int", field, t, byReg(4)) }
	key := func(table string, key []byte) []byte {
		return cat(op(opMatch), lookup(exprLookup, table, "i", dict.Int, key), big(exprCmp, cmpExists))
	}
	flag := attr(lookupCt)
	cases := []struct {
		name string
		data []byte
		want unix.Errno
	}{
		// The operation.
		{"no operation", cat(i4, eq), unix.EINVAL},
		{"operation 0", cat(op(0), i4), unix.EOPNOTSUPP},
		{"operation 8", cat(op(8), i4), unix.EOPNOTSUPP},
		{"operation of 2 bytes", cat(attr(exprOp, []byte{0, 2}), i4), unix.ERANGE}, // as nf_tables has it
		{"no lookup", cat(op(opMatch), big(exprCmp, cmpExists)), unix.EINVAL},
		{"empty lookup", cat(op(opMatch), nest(exprLookup), big(exprCmp, cmpExists)), unix.EINVAL},
		{"lookup that is no nest", cat(op(opMatch), attr(exprLookup, text(lookupTable, "int")), big(exprCmp, cmpExists)), unix.EINVAL},
		{"text too long", cat(op(opMatch), i4, big(exprCmp, cmpExists), text(exprText, strings.Repeat("x", 481))), unix.EINVAL},
		{"text of 480", cat(op(opMatch), i4, big(exprCmp, cmpExists), text(exprText, strings.Repeat("x", 480))), 0},

		// The row.
		{"no table", cat(op(opMatch), nest(exprLookup, byReg(4), text(lookupField, "i"), big(lookupType, 2)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"unknown table", cat(op(opMatch), lookup(exprLookup, "nobody", "i", dict.Int, byReg(4)), big(exprCmp, cmpExists)), unix.ENOENT},
		{"table that is no name", cat(op(opMatch), lookup(exprLookup, "a b", "i", dict.Int, byReg(4)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"no field", cat(op(opMatch), lookup(exprLookup, "int", "", 0, byReg(4)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"unknown field", cat(op(opMatch), lookup(exprLookup, "int", "nothing", dict.Int, byReg(4)), big(exprCmp, cmpExists)), unix.ENODATA},
		{"field that is no name", cat(op(opMatch), lookup(exprLookup, "int", "a b", dict.Int, byReg(4)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"new field of an open table", cat(op(opMatch), lookup(exprLookup, "loose", "new", dict.Int, byReg(4)), big(exprCmp, cmpExists)), 0},
		{"type 0", cat(op(opMatch), nest(exprLookup, text(lookupTable, "int"), text(lookupField, "i"), big(lookupType, 0), byReg(4)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"type 9", cat(op(opMatch), lookup(exprLookup, "int", "i", 9, byReg(4)), big(exprCmp, cmpExists)), unix.EINVAL},
		{"wrong type", cat(op(opMatch), at("i", dict.Int64), big(exprCmp, cmpExists)), unix.EPROTOTYPE},
		{"type of one family of addresses", cat(op(opMatch), at("a", dict.IPv4), big(exprCmp, cmpExists)), 0},
		{"any type", cat(op(opMatch), at("i", 0), big(exprCmp, cmpExists)), 0},

		// The key.
		{"no key", key("int", nil), unix.EINVAL},
		{"two keys", key("id", cat(byReg(4), flag)), unix.EINVAL},
		{"register without length", key("int", big(lookupSReg, 1)), unix.EINVAL},
		{"length without register", key("id", cat(flag, big(lookupLen, 4))), unix.EINVAL},
		{"register 0", key("int", cat(big(lookupSReg, 0), big(lookupLen, 4))), unix.EINVAL}, // the verdict's
		{"register 24", key("int", cat(big(lookupSReg, 24), big(lookupLen, 4))), unix.ERANGE},
		{"register of 1 byte", key("int", cat(attr(lookupSReg, []byte{1}), big(lookupLen, 4))), unix.EINVAL},
		{"past the last register", key("string", cat(big(lookupSReg, 23), big(lookupLen, 8))), unix.ERANGE},
		{"number of 6 bytes", key("int", byReg(6)), unix.EKEYREJECTED},
		{"mark of 16 bytes", key("mark", byReg(16)), unix.EKEYREJECTED},
		{"ipv4 of 16 bytes", key("ip4", byReg(16)), unix.EKEYREJECTED},
		{"ipv6 of 4 bytes", key("ip6", byReg(4)), unix.EKEYREJECTED},
		{"address of 6 bytes", key("address", byReg(6)), unix.EKEYREJECTED},
		{"address of 4 bytes", key("address", byReg(4)), 0},
		{"address of 16 bytes", key("address", byReg(16)), 0},
		{"ether of 4 bytes", key("ether", byReg(4)), unix.EKEYREJECTED},
		{"string of 0 bytes", key("string", byReg(0)), unix.EKEYREJECTED},
		{"string of 65 bytes", key("string", byReg(65)), unix.EKEYREJECTED},
		{"conntrack id in a register", key("id", byReg(4)), unix.EKEYREJECTED},
		{"connection in a table of numbers", key("int", flag), unix.EKEYREJECTED},
		{"connection", key("id", flag), 0},
		{"connection in a bound table", key("bound", flag), 0},
		{"nested string in a table of numbers", key("int", lookup(lookupNested, "int", "s", dict.String, byReg(4))), unix.EKEYREJECTED},
		{"nested number in a table of strings", key("string", lookup(lookupNested, "int", "i", dict.Int, byReg(4))), unix.EKEYREJECTED},
		{"nested number as a conntrack id", key("bound", lookup(lookupNested, "int", "i", dict.Int, byReg(4))), unix.EKEYREJECTED},
		{"nested without a type", key("string", lookup(lookupNested, "int", "s", 0, byReg(4))), unix.EKEYREJECTED},
		{"nested without a field", key("string", lookup(lookupNested, "int", "", 0, byReg(4))), unix.EINVAL},
		{"nested in no table", key("string", lookup(lookupNested, "nobody", "s", dict.String, byReg(4))), unix.ENOENT},
		{"nested in no field", key("string", lookup(lookupNested, "int", "nothing", dict.String, byReg(4))), unix.ENODATA},
		{"nested ether in ipv4", key("ip4", lookup(lookupNested, "int", "e", dict.Ether, byReg(4))), unix.EKEYREJECTED},
		{"nested address in address", key("address", lookup(lookupNested, "int", "a", dict.Address, byReg(4))), 0},
		{"nested address in ipv4", key("ip4", lookup(lookupNested, "int", "a", dict.Address, byReg(4))), unix.EKEYREJECTED},
		{"nested twice", cat(op(opMatch), nested(3), big(exprCmp, cmpExists)), 0},
		{"nested thrice", cat(op(opMatch), nested(4), big(exprCmp, cmpExists)), unix.E2BIG},

		// Values to registers.
		{"load", load("i", dict.Int, 4), 0},
		{"load without register", cat(op(opLoad), i4, big(exprLen, 4)), unix.EINVAL},
		{"load without length", cat(op(opLoad), i4, big(exprDReg, 1)), unix.EINVAL},
		{"load with a comparison", cat(load("i", dict.Int, 4), eq), unix.EINVAL},
		{"load bool of 4", load("b", dict.Bool, 4), unix.EPROTOTYPE},
		{"load int of 8", load("i", dict.Int, 8), 0},
		{"load int of 1", load("i", dict.Int, 1), unix.EPROTOTYPE},
		{"load int of 3", load("i", dict.Int, 3), unix.EPROTOTYPE},
		{"load int64 of 4", load("l", dict.Int64, 4), 0},
		{"load int64 of 16", load("l", dict.Int64, 16), unix.EPROTOTYPE},
		{"load ipv4 of 16", load("a4", dict.IPv4, 16), unix.EPROTOTYPE},
		{"load ipv6 of 4", load("a6", dict.IPv6, 4), unix.EPROTOTYPE},
		{"load ether of 8", load("e", dict.Ether, 8), unix.EPROTOTYPE},
		{"load string of 0", load("s", dict.String, 0), unix.EPROTOTYPE},
		{"load string of 65", load("s", dict.String, 65), unix.EPROTOTYPE},
		{"load address of either family", load("a", dict.Address, 16), unix.EPROTOTYPE},
		{"load of any type", load("i", 0, 4), unix.EPROTOTYPE},
		{"load into the verdict", cat(op(opLoad), i4, big(exprDReg, 0), big(exprLen, 4)), unix.EINVAL},
		{"load into register 24", cat(op(opLoad), i4, big(exprDReg, 24), big(exprLen, 4)), unix.ERANGE},
		{"load past the last register", cat(op(opLoad), at("s", dict.String), big(exprDReg, 4), big(exprLen, 64)), unix.ERANGE},
		{"load string of 64", cat(op(opLoad), at("s", dict.String), big(exprDReg, 1), big(exprLen, 64)), 0},

		// Comparisons.
		{"match", match("i", dict.Int, cmpEq, lo(one)), 0},
		{"match without comparison", cat(op(opMatch), i4, items(lo(one))), unix.EINVAL},
		{"comparison 0", match("i", dict.Int, 0, lo(one)), unix.EOPNOTSUPP},
		{"comparison 9", match("i", dict.Int, 9, lo(one)), unix.EOPNOTSUPP},
		{"equal without items", cat(op(opMatch), i4, eq), unix.EINVAL},
		{"equal with no items", match("i", dict.Int, cmpEq), unix.EINVAL},
		{"exists with items", match("i", dict.Int, cmpExists, lo(one)), unix.EINVAL},
		{"match with a value", cat(match("i", dict.Int, cmpEq, lo(one)), value(one)), unix.EINVAL},
		{"match with a register", cat(match("i", dict.Int, cmpEq, lo(one)), big(exprDReg, 1)), unix.EINVAL},
		{"match of any type", match("i", 0, cmpEq, lo(one)), unix.EPROTOTYPE},
		{"match of either family", match("a", dict.Address, cmpEq, lo(dict.AddrValue(v4))), unix.EPROTOTYPE},
		{"item of another type", match("i", dict.Int, cmpEq, lo(str)), unix.EPROTOTYPE},
		{"int item for int64", match("l", dict.Int64, cmpEq, lo(one)), unix.EPROTOTYPE},
		{"end of another type", match("i", dict.Int, cmpEq, cat(lo(one), hi(str))), unix.EPROTOTYPE},
		{"two values below", match("i", dict.Int, cmpLt, lo(one), lo(one)), unix.EINVAL},
		{"range below", match("i", dict.Int, cmpLt, cat(lo(one), hi(one))), unix.EINVAL},
		{"string below", match("s", dict.String, cmpLt, lo(str)), unix.EOPNOTSUPP},
		{"bool at least", match("b", dict.Bool, cmpGe, lo(dict.BoolValue(true))), unix.EOPNOTSUPP},
		{"ether above", match("e", dict.Ether, cmpGt, lo(dict.EtherValue([6]byte{}))), unix.EOPNOTSUPP},
		{"address below", match("a6", dict.IPv6, cmpLe, lo(dict.AddrValue(v6))), 0},
		{"range of strings", match("s", dict.String, cmpEq, cat(lo(str), hi(str))), unix.EOPNOTSUPP},
		{"range of bools", match("b", dict.Bool, cmpEq, cat(lo(dict.BoolValue(false)), hi(dict.BoolValue(true)))), unix.EOPNOTSUPP},
		{"range the wrong way round", match("i", dict.Int, cmpEq, cat(lo(one), hi(dict.IntValue(-1)))), unix.ERANGE},
		{"range of addresses the wrong way round", match("a6", dict.IPv6, cmpEq, cat(lo(dict.AddrValue(v6)), hi(dict.AddrValue(none6)))), unix.ERANGE},
		{"range of one", match("i", dict.Int, cmpNe, cat(lo(one), hi(one))), 0},
		{"item without anything", match("i", dict.Int, cmpEq, nil), unix.EINVAL},
		{"item without a start", match("i", dict.Int, cmpEq, hi(one)), unix.EINVAL},
		{"item with an empty start", match("i", dict.Int, cmpEq, nest(itemLo)), unix.EINVAL},
		{"item with two starts", match("i", dict.Int, cmpEq, nest(itemLo, val(one), val(one))), unix.EINVAL},
		{"item with a short value", match("i", dict.Int, cmpEq, nest(itemLo, attr(2, []byte{1, 2}))), unix.EINVAL},
		{"item with a long string", match("s", dict.String, cmpEq, nest(itemLo, attr(8, []byte(strings.Repeat("x", 129))))), unix.ERANGE},
		{"item that is not UTF-8", match("s", dict.String, cmpEq, nest(itemLo, attr(8, []byte{0xff}))), unix.EINVAL},
		{"item that is no item", cat(op(opMatch), i4, eq, nest(exprItems, nest(9, lo(one)))), unix.EINVAL},
		{"32 items", match("i", dict.Int, cmpEq, times(32, lo(one))...), 0},
		{"33 items", match("i", dict.Int, cmpEq, times(33, lo(one))...), unix.E2BIG},

		// Globs.
		{"glob", match("s", dict.String, cmpEq, cat(tokens('a', tokenAny, tokenStar, tokenClass), attr(itemClasses, make([]byte, 32)))), 0},
		{"glob of a number", match("i", dict.Int, cmpEq, tokens('a')), unix.EPROTOTYPE},
		{"glob and value", match("s", dict.String, cmpEq, cat(tokens('a'), lo(str))), unix.EINVAL},
		{"glob and end", match("s", dict.String, cmpEq, cat(tokens('a'), hi(str))), unix.EINVAL},
		{"classes without tokens", match("s", dict.String, cmpEq, cat(lo(str), attr(itemClasses, make([]byte, 32)))), unix.EINVAL},
		{"half a token", match("s", dict.String, cmpEq, attr(itemTokens, []byte{'a', 0, 'b'})), unix.EINVAL},
		{"half a class", match("s", dict.String, cmpEq, cat(tokens(tokenClass), attr(itemClasses, make([]byte, 16)))), unix.EINVAL},
		{"class that is not there", match("s", dict.String, cmpEq, cat(tokens(tokenClass+1), attr(itemClasses, make([]byte, 32)))), unix.EINVAL},
		{"128 tokens", match("s", dict.String, cmpEq, tokens(times(128, uint16('a'))...)), 0},
		{"129 tokens", match("s", dict.String, cmpEq, tokens(times(129, uint16('a'))...)), unix.E2BIG},

		{"16 KiB of globs", match("s", dict.String, cmpEq, times(30, cat(tokens(times(128, uint16('a'))...), attr(itemClasses, make([]byte, 512))))...), unix.E2BIG},

		// Statements.
		{"set", set("i", dict.Int, value(one)), 0},
		{"set without a value", set("i", dict.Int), unix.EINVAL},
		{"set with two values", set("i", dict.Int, value(one), sreg(1, 4)), unix.EINVAL},
		{"set with a value and a length", set("i", dict.Int, value(one), big(exprLen, 4)), unix.EINVAL},
		{"set with a comparison", set("i", dict.Int, value(one), eq), unix.EINVAL},
		{"set of any type", set("i", 0, value(one)), unix.EPROTOTYPE},
		{"set another type", set("i", dict.Int, value(str)), unix.EPROTOTYPE},
		{"set int64 to an int", set("l", dict.Int64, value(one)), unix.EPROTOTYPE},
		{"set an empty value", set("i", dict.Int, nest(exprValue)), unix.EINVAL},
		{"set register without a length", set("i", dict.Int, big(exprSReg, 1)), unix.EINVAL},
		{"set int of 8 bytes", set("i", dict.Int, sreg(1, 8)), unix.EPROTOTYPE},
		{"set int64 of 4 bytes", set("l", dict.Int64, sreg(1, 4)), 0},
		{"set ether of 4 bytes", set("e", dict.Ether, sreg(1, 4)), unix.EPROTOTYPE},
		{"set address of a register", set("a", dict.Address, sreg(1, 4)), unix.EPROTOTYPE},
		{"set register 24", set("i", dict.Int, sreg(24, 4)), unix.ERANGE},
		{"set string from a number", set("s", dict.String, source("i", dict.Int)), unix.EPROTOTYPE},
		{"set int from int64", set("i", dict.Int, source("l", dict.Int64)), unix.EPROTOTYPE},
		{"set int64 from int", set("l", dict.Int64, source("i", dict.Int)), 0},
		{"set from no table", set("i", dict.Int, lookup(exprSource, "nobody", "i", dict.Int, byReg(4))), unix.ENOENT},
		{"set from no field", set("i", dict.Int, source("nothing", dict.Int)), unix.ENODATA},
		{"set from a key of another type", set("i", dict.Int, lookup(exprSource, "ether", "i", dict.Int, byReg(4))), unix.EKEYREJECTED},
		{"add to a string", cat(op(opAdd), at("s", dict.String), value(str)), unix.EOPNOTSUPP},
		{"add to a bool", cat(op(opAdd), at("b", dict.Bool), value(dict.BoolValue(true))), unix.EOPNOTSUPP},
		{"sub from an address", cat(op(opSub), at("a4", dict.IPv4), value(dict.AddrValue(v4))), unix.EOPNOTSUPP},
		{"add int64 to int", cat(op(opAdd), at("i", dict.Int), source("l", dict.Int64)), 0},
		{"add a string to int", cat(op(opAdd), at("i", dict.Int), source("s", dict.String)), unix.EPROTOTYPE},
		{"add the length", cat(op(opAdd), at("i", dict.Int), big(exprPacket, packetLength)), 0},
		{"sub the length", cat(op(opSub), at("l", dict.Int64), big(exprPacket, packetLength)), 0},
		{"set to the length", set("l", dict.Int64, big(exprPacket, packetLength)), unix.EOPNOTSUPP},
		{"add the length to a string", cat(op(opAdd), at("s", dict.String), big(exprPacket, packetLength)), unix.EOPNOTSUPP},
		{"add the length and a number", cat(op(opAdd), at("i", dict.Int), value(one), big(exprPacket, packetLength)), unix.EINVAL},
		{"add the length of a register", cat(op(opAdd), at("i", dict.Int), big(exprPacket, packetLength), big(exprLen, 4)), unix.EINVAL},
		{"add what no packet has", cat(op(opAdd), at("i", dict.Int), big(exprPacket, 0)), unix.EOPNOTSUPP},
		{"add what comes after the length", cat(op(opAdd), at("i", dict.Int), big(exprPacket, 2)), unix.EOPNOTSUPP},
		{"add 2 bytes of a packet", cat(op(opAdd), at("i", dict.Int), attr(exprPacket, []byte{0, 1})), unix.ERANGE},
		{"match the length", cat(match("i", dict.Int, cmpEq, lo(one)), big(exprPacket, packetLength)), unix.EINVAL},
		{"flush by the length", cat(op(opFlush), lookup(exprLookup, "int", "", 0, byReg(4)), big(exprPacket, packetLength)), unix.EINVAL},
		{"flush", cat(op(opFlush), lookup(exprLookup, "int", "", 0, byReg(4))), 0},
		{"flush a field", cat(op(opFlush), i4), unix.EINVAL},
		{"flush with a type", cat(op(opFlush), lookup(exprLookup, "int", "", dict.Int, byReg(4))), unix.EINVAL},
		{"flush with a value", cat(op(opFlush), lookup(exprLookup, "int", "", 0, byReg(4)), value(one)), unix.EINVAL},
		{"flush no table", cat(op(opFlush), lookup(exprLookup, "nobody", "", 0, byReg(4))), unix.ENOENT},
		{"attach", cat(op(opAttach), lookup(exprLookup, "bound", "", 0, flag)), 0},
		{"attach to a table that is not bound", cat(op(opAttach), lookup(exprLookup, "id", "", 0, flag)), unix.EOPNOTSUPP},
		{"attach a number", cat(op(opAttach), lookup(exprLookup, "int", "", 0, byReg(4))), unix.EOPNOTSUPP},
	}
	// All in one transaction, of which nothing may stay; then the good ones.
	keys := stock(t, r.family, &expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Len: 16})
	var all, good []message
	for _, c := range cases {
		m := r.rule("c", keys, dictExpr(c.data))
		all = append(all, m)
		if c.want == 0 {
			good = append(good, m)
		}
	}
	errs, err := r.results(all...)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		var errno unix.Errno
		errors.As(errs[i], &errno)
		if errno != c.want {
			t.Errorf("%s: %v, want %v", c.name, fmt.Sprint(errno), c.want)
		}
	}
	if n := len(r.list(t, "c")); n != 0 {
		t.Errorf("%d rules are left of a transaction that was refused", n)
	}
	unused(t, f)
	if err := r.batch(good...); err != nil {
		t.Error(err)
	}
	if n := len(r.list(t, "c")); n != len(good) {
		t.Errorf("%d rules, want %d", n, len(good))
	}
	if err := r.batch(r.without("c", 0)); err != nil {
		t.Error(err)
	}
	unused(t, f)
	for _, p := range f.tablesTold(t) {
		name, _ := find(t, p, attrTable)
		f.must(t, cmdTableDel, text(attrTable, name.text()))
	}
}

// unused checks that no rule is left that uses any table.
func unused(tb testing.TB, f *family) {
	tb.Helper()
	for _, p := range f.tablesTold(tb) {
		name, _ := find(tb, p, attrTable)
		if users, _ := find(tb, p, attrUsers); users.num() != 0 {
			tb.Errorf("table %s has %d users left", name.text(), users.num())
		}
	}
}
