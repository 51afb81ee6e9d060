// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// loadTo puts a field's value into a register of nft's old, wide kind.
func loadTo(table, field string, t dict.Type, reg, n uint32) []byte {
	return dictExpr(big(exprOp, opLoad), lookup(exprLookup, table, field, t, byReg(4)), big(exprDReg, reg), big(exprLen, n))
}

// TestLoad: a value of each type gets into a register as nft's own expressions
// expect it, and they work on it: comparisons, masks, sets, maps, verdict maps
// and marks. What was loaded is dumped as it was.
func TestLoad(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	f.table(t, "values", dict.KeyMark, 0, field("b", dict.Bool), field("i", dict.Int), field("l", dict.Int64), field("a4", dict.IPv4), field("a6", dict.IPv6),
		field("a", dict.Address), field("e", dict.Ether), field("s", dict.String), field("long", dict.String), field("longer", dict.String), field("empty", dict.String),
		field("d", dict.Int, nest(fieldDefault, val(dict.IntValue(-7)))), field("none", dict.Int),
		field("port", dict.Int), field("mark", dict.Int64), field("full", dict.Int))
	long := strings.Repeat("0123456789abcdef", 4)
	mac := [6]byte{2, 0, 0, 0, 0, 1}
	if err := f.put(t, "values", row(intKey(0), cell("b", dict.BoolValue(true)), cell("i", dict.IntValue(-2)), cell("l", dict.Int64Value(-5_000_000_000)),
		cell("a4", dict.AddrValue(v4)), cell("a6", dict.AddrValue(v6)), cell("a", dict.AddrValue(v6)), cell("e", dict.EtherValue(mac)), cell("s", dict.MustString("eth0")),
		cell("long", dict.MustString(long)), cell("longer", dict.MustString(long+"0")), cell("empty", dict.MustString("")),
		cell("port", dict.IntValue(8080)), cell("mark", dict.Int64Value(0xfffffffe)), cell("full", dict.IntValue(65536)))); err != nil {
		t.Fatal(err)
	}
	nft(t, `table ip t {
		set addresses { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.3 } }
		set ranges { type ipv4_addr; flags interval; elements = { 10.0.0.0/24 } }
		set others { type ipv4_addr; elements = { 10.0.0.2 } }
		set macs { type ether_addr; elements = { 02:00:00:00:00:01 } }
		set six { type ipv6_addr; elements = { 2001:db8::1 } }
		set devs { type ifname; elements = { "eth0", "eth1" } }
		map marks { type ipv4_addr : mark; elements = { 10.0.0.1 : 0x29 } }
		map verdicts { type ipv4_addr : verdict; elements = { 10.0.0.1 : jump hit, 10.0.0.2 : drop } }
		chain hit { counter; }
		chain c { type filter hook output priority 0; }
	}`)
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	// A set whose keys fill all registers.
	if err := conn.AddSet(&nftables.Set{Table: h.table, Name: "longs", KeyType: nftables.SetDatatype{Name: "long", Bytes: 64}}, []nftables.SetElement{{Key: []byte(long)}}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	native := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	is := func(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 2, Data: data} }
	isNot := func(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpNeq, Register: 2, Data: data} }
	in := func(set string) expr.Any { return &expr.Lookup{SourceRegister: 2, SetName: set} }
	pad := func(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }
	var want [][]byte
	var matches []bool
	var messages []message
	var names []string
	counter := stock(t, r.family, &expr.Counter{})
	for _, c := range []struct {
		name  string
		field string
		typ   dict.Type
		n     uint32
		then  []expr.Any
		match bool
	}{
		{"bool", "b", dict.Bool, 1, []expr.Any{is([]byte{1})}, true},
		{"bool is not", "b", dict.Bool, 1, []expr.Any{is([]byte{0})}, false},
		{"int", "i", dict.Int, 4, []expr.Any{is(native(0xfffffffe))}, true},
		{"int64", "l", dict.Int64, 8, []expr.Any{is(binary.NativeEndian.AppendUint64(nil, ^uint64(5_000_000_000-1)))}, true},
		{"int in 8 bytes", "i", dict.Int, 8, []expr.Any{is(binary.NativeEndian.AppendUint64(nil, ^uint64(1)))}, true},
		{"int in 2 bytes", "port", dict.Int, 2, []expr.Any{is(binary.NativeEndian.AppendUint16(nil, 8080))}, true},
		{"int that 2 bytes do not hold", "full", dict.Int, 2, nil, false},
		{"int below 0 in 2 bytes", "i", dict.Int, 2, nil, false},
		{"int64 in 4 bytes", "mark", dict.Int64, 4, []expr.Any{is(native(0xfffffffe))}, true},
		{"int64 that 4 bytes do not hold", "l", dict.Int64, 4, nil, false},
		{"int64 in 2 bytes", "mark", dict.Int64, 2, nil, false},
		{"ipv4", "a4", dict.IPv4, 4, []expr.Any{is(v4.AsSlice())}, true},
		{"ipv4 above", "a4", dict.IPv4, 4, []expr.Any{&expr.Cmp{Op: expr.CmpOpGt, Register: 2, Data: []byte{10, 0, 0, 0}}}, true},
		{"ipv4 below", "a4", dict.IPv4, 4, []expr.Any{&expr.Cmp{Op: expr.CmpOpLt, Register: 2, Data: []byte{10, 0, 0, 1}}}, false},
		{"ipv4 range", "a4", dict.IPv4, 4, []expr.Any{&expr.Range{Op: expr.CmpOpEq, Register: 2, FromData: []byte{10, 0, 0, 0}, ToData: []byte{10, 0, 0, 9}}}, true},
		{"ipv4 masked", "a4", dict.IPv4, 4, []expr.Any{
			&expr.Bitwise{SourceRegister: 2, DestRegister: 2, Len: 4, Mask: []byte{255, 0, 0, 0}, Xor: make([]byte, 4)}, is([]byte{10, 0, 0, 0})}, true},
		{"ipv6", "a6", dict.IPv6, 16, []expr.Any{is(v6.AsSlice())}, true},
		{"ipv6 of either family", "a", dict.IPv6, 16, []expr.Any{is(v6.AsSlice())}, true},
		{"ipv4 of either family", "a", dict.IPv4, 4, []expr.Any{isNot(v4.AsSlice())}, false},
		{"ether", "e", dict.Ether, 6, []expr.Any{is(mac[:])}, true},
		{"string", "s", dict.String, 16, []expr.Any{is(pad("eth0", 16))}, true},
		{"string of its length", "s", dict.String, 4, []expr.Any{is([]byte("eth0"))}, true},
		{"string that is too long", "s", dict.String, 3, []expr.Any{is([]byte("et\xff"))}, true},
		{"string that is too long in no set", "longer", dict.String, 16, []expr.Any{&expr.Lookup{SourceRegister: 2, SetName: "devs", Invert: true}}, true},
		{"empty string", "empty", dict.String, 16, []expr.Any{is(make([]byte, 16))}, true},
		{"string of 64 bytes", "long", dict.String, 64, []expr.Any{is([]byte(long[:16]))}, true}, // nft compares no more
		{"string of 65 bytes", "longer", dict.String, 64, []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: "longs", Invert: true}}, true},
		{"string of 64 bytes in a set", "long", dict.String, 64, []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: "longs"}}, true},
		{"default", "d", dict.Int, 4, []expr.Any{is(native(0xfffffff9))}, true},
		{"nothing", "none", dict.Int, 4, []expr.Any{isNot(native(1))}, false},
		{"ipv4 in set", "a4", dict.IPv4, 4, []expr.Any{in("addresses")}, true},
		{"ipv4 in interval set", "a4", dict.IPv4, 4, []expr.Any{in("ranges")}, true},
		{"ipv4 in another set", "a4", dict.IPv4, 4, []expr.Any{in("others")}, false},
		{"ipv4 not in another set", "a4", dict.IPv4, 4, []expr.Any{&expr.Lookup{SourceRegister: 2, SetName: "others", Invert: true}}, true},
		{"ether in set", "e", dict.Ether, 6, []expr.Any{in("macs")}, true},
		{"ipv6 in set", "a6", dict.IPv6, 16, []expr.Any{in("six")}, true},
		{"string in set", "s", dict.String, 16, []expr.Any{in("devs")}, true},
		{"map", "a4", dict.IPv4, 4, []expr.Any{&expr.Lookup{SourceRegister: 2, DestRegister: 3, IsDestRegSet: true, SetName: "marks"}, &expr.Cmp{Op: expr.CmpOpEq, Register: 3, Data: native(0x29)}}, true},
		{"vmap", "a4", dict.IPv4, 4, []expr.Any{&expr.Lookup{SourceRegister: 2, DestRegister: 0, IsDestRegSet: true, SetName: "verdicts"}}, false}, // it goes to another chain
		{"set mark", "i", dict.Int, 4, []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 2}, &expr.Meta{Key: expr.MetaKeyMARK, Register: 3}, &expr.Cmp{Op: expr.CmpOpEq, Register: 3, Data: native(0xfffffffe)}}, true},
	} {
		reg := uint32(2)
		if c.n == 64 {
			reg = 1
			for i, e := range c.then {
				if cmp, ok := e.(*expr.Cmp); ok {
					cmp.Register = 1
					c.then[i] = cmp
				}
			}
		}
		e := loadTo("values", c.field, c.typ, reg, c.n)
		data, _ := find(t, e[4:], unix.NFTA_EXPR_DATA)
		want = append(want, data.data)
		messages = append(messages, r.rule("c", markKey(), e, stock(t, r.family, c.then...), counter))
		names, matches = append(names, c.name), append(matches, c.match)
	}
	errs, err := r.results(messages...)
	for i, e := range errs {
		if e != nil {
			t.Errorf("%s: %v", names[i], e)
		}
	}
	if err != nil || t.Failed() {
		t.Fatal(err)
	}
	const packets = 3
	for range packets {
		h.send(t)
	}
	for i, l := range r.list(t, "c") {
		if got, want := l.packets, map[bool]uint64{true: packets}[matches[i]]; got != want {
			t.Errorf("%s: %d packets went on, want %d", names[i], got, want)
		}
		if len(l.dicts) != 1 || !bytes.Equal(l.dicts[0], want[i]) {
			t.Errorf("%s: dumped as\n%x, want\n%x", names[i], l.dicts, want[i])
		}
	}
	if n := r.list(t, "hit")[0].packets; n != packets {
		t.Errorf("the verdict map sent %d packets on, want %d", n, packets)
	}
}

// TestLoadDnat: a dictionary says where connections go.
func TestLoadDnat(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	f.table(t, "servers", dict.KeyMark, 0, field("to", dict.IPv4))
	if err := f.put(t, "servers", row(intKey(0), cell("to", dict.AddrValue(addrOf("127.0.0.9"))))); err != nil {
		t.Fatal(err)
	}
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9), Port: int(h.port)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nft(t, "table ip t { chain c { type nat hook output priority -100; }; }")
	if err := r.batch(r.rule("c",
		stock(t, r.family, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(h.port)}),
		markKey(), loadTo("servers", "to", dict.IPv4, 2, 4), stock(t, r.family, &expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 2}))); err != nil {
		t.Fatal(err)
	}
	if err := flood(h, 1, 10); err != nil {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, _, err := server.ReadFromUDP(make([]byte, 64)); err != nil {
		t.Errorf("the server that the dictionary names got nothing: %v", err)
	}
}

// TestDumps: every form of the expression is dumped as it was loaded, so that
// who reads it loads the same again.
func TestDumps(t *testing.T) {
	newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_INET)
	tables(t, f)
	if err := r.batch(r.table(), r.chain("c")); err != nil {
		t.Fatal(err)
	}
	deep := lookup(lookupNested, "string", "s", dict.String, lookup(lookupNested, "bound", "s", dict.String, attr(lookupCt)))
	one := dict.IntValue(1)
	forms := [][]byte{
		cat(big(exprOp, opMatch), lookup(exprLookup, "string", "s", dict.String, deep), big(exprCmp, cmpExists), text(exprText, "some words")),
		cat(big(exprOp, opMatch), nested(2), big(exprCmp, cmpNe), items(lo(one), cat(lo(one), hi(dict.IntValue(5))))),
		cat(big(exprOp, opMatch), lookup(exprLookup, "int", "s", dict.String, byReg(4)), big(exprCmp, cmpEq), items(cat(tokens('a', tokenClass, tokenStar), attr(itemClasses, bytes.Repeat([]byte{7}, 32))))),
		cat(big(exprOp, opSet), lookup(exprLookup, "string", "a", dict.IPv6, deep), big(exprSReg, 1), big(exprLen, 16)),
		cat(big(exprOp, opAdd), lookup(exprLookup, "bound", "l", dict.Int64, attr(lookupCt)), lookup(exprSource, "int", "i", dict.Int, byReg(4))),
		cat(big(exprOp, opSub), lookup(exprLookup, "int", "l", dict.Int64, byReg(4)), nest(exprValue, val(dict.Int64Value(1)))),
		cat(big(exprOp, opFlush), lookup(exprLookup, "ether", "", 0, byReg(6))),
		cat(big(exprOp, opAttach), lookup(exprLookup, "bound", "", 0, attr(lookupCt))),
		cat(big(exprOp, opMatch), lookup(exprLookup, "loose", "any-name", 0, byReg(4)), big(exprCmp, cmpMissing)),
	}
	load := func(forms [][]byte) {
		t.Helper()
		var messages []message
		for _, form := range forms {
			messages = append(messages, r.rule("c", stock(t, r.family, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Len: 16}), dictExpr(form)))
		}
		if err := r.batch(messages...); err != nil {
			t.Fatal(err)
		}
	}
	load(forms)
	for range 2 {
		var again [][]byte
		for i, l := range r.list(t, "c") {
			if len(l.dicts) != 1 || !bytes.Equal(l.dicts[0], forms[i]) {
				t.Errorf("form %d is dumped as\n%x, want\n%x", i, l.dicts, forms[i])
			}
			again = append(again, l.dicts...)
		}
		if err := r.batch(r.without("c", 0)); err != nil {
			t.Fatal(err)
		}
		load(again)
	}
}
