// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// copies is how many rules of a kind stand in a packet's way.
const copies = 40

var (
	loadID     = &expr.Ct{Key: unix.NFT_CT_ID, Register: 1}
	loadSource = &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
)

// rules measures one rule of a kind: one that matches and does nothing, be it
// dict or a set of nft's own. The sets have as many elements as said, the
// packet's among them.
func rules(b *testing.B, s *sheet) {
	one := func(name string, rounds int, exprs func(*testing.B, *host) []byte) float64 {
		v := mean(b, name, rounds, func(b *testing.B, h *host) float64 {
			h.standard(b)
			h.chain(b)
			return cost(b, h, exprs(b, h))
		})
		s.add(name, v, "instructions", 0)
		return v
	}
	term := func(text string) float64 {
		return one(text, 3, func(b *testing.B, h *host) []byte { return h.compile(b, text) })
	}
	one("meta mark, nft's own comparison", 1, func(b *testing.B, h *host) []byte {
		return marshal(b, &expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0, 0, 0, 0}})
	})
	set := one("ct id @set, 100,000 elements", 3, func(b *testing.B, h *host) []byte {
		set := h.largeSet(b, nftables.TypeInteger, 99_999)
		h.learn(b, set, loadID)
		return marshal(b, loadID, &expr.Lookup{SourceRegister: 1, SetName: set.Name})
	})
	for _, text := range []string{"dict sessions ct id final false", `dict sessions ct id application "NETFLIX"`} {
		v := term(text)
		s.ratio(text+" / ct id @set", v, set, 0.5)
		s.ratio(text+" / 1376, the ancestor", v, 1376, 0.35)
	}
	term(`dict sessions ct id application "*FLIX*"`)
	term("dict sessions ct id username missing")

	set = one("ip saddr @set, 1,000 elements", 8, func(b *testing.B, h *host) []byte {
		set := h.largeSet(b, nftables.TypeIPAddr, 999)
		h.learn(b, set, loadSource)
		return marshal(b, loadSource, &expr.Lookup{SourceRegister: 1, SetName: set.Name})
	})
	for _, text := range []string{
		"dict hosts ip saddr captive_portal_authenticated true", "dict hosts ip saddr quota_remaining 1000000000", `dict hosts ip saddr username "alice"`,
	} {
		limit := 1.3
		if text[len(text)-1] == '"' {
			limit = 0
		}
		s.ratio(text+" / ip saddr @set", one(text+", 1,000 rows", 8, func(b *testing.B, h *host) []byte {
			h.hosts(b, 999)
			return h.compile(b, text)
		}), set, limit)
	}
	term(`dict users dict sessions ct id application quota_exceeded missing`)
}

// largeSet makes a set of n elements in the chain's table, none of which is a
// packet's.
func (h *host) largeSet(b *testing.B, key nftables.SetDatatype, n int) *nftables.Set {
	conn, err := nftables.New()
	if err != nil {
		b.Fatal(err)
	}
	set := &nftables.Set{Table: h.table, Name: "large", KeyType: key, Dynamic: true}
	if err := conn.AddSet(set, nil); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < n; i += 1000 {
		elems := make([]nftables.SetElement, min(1000, n-i))
		for j := range elems {
			elems[j].Key = binary.BigEndian.AppendUint32(nil, uint32(i+j)+0x20000000)
		}
		if err := conn.SetAddElements(set, elems); err != nil {
			b.Fatal(err)
		}
		if err := conn.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	return set
}

// learn adds to a set what a packet loads.
func (h *host) learn(b *testing.B, set *nftables.Set, load expr.Any) {
	add := &expr.Dynset{SrcRegKey: 1, SetName: set.Name, Operation: uint32(unix.NFT_DYNSET_OP_ADD)}
	if err := h.rules(marshal(b, load, add)); err != nil {
		b.Fatal(err)
	}
	h.send(b)
	conn, err := nftables.New()
	if err != nil {
		b.Fatal(err)
	}
	conn.FlushChain(&nftables.Chain{Table: h.table, Name: "c"})
	if err := conn.Flush(); err != nil {
		b.Fatal(err)
	}
}

// hosts puts n more rows into hosts, and fills that of the packets.
func (h *host) hosts(b *testing.B, n int) {
	alice, err := dict.StringValue("alice")
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]dict.Row, n+1)
	for i := range rows {
		addr := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(i)+0x20000000)))
		if i == n {
			addr = netip.MustParseAddr("127.0.0.1")
		}
		rows[i] = dict.Row{Key: dict.AddrKey(addr), Cells: []dict.Cell{
			{Field: "captive_portal_authenticated", Value: dict.BoolValue(true)},
			{Field: "quota_remaining", Value: dict.Int64Value(1_000_000_000)},
			{Field: "username", Value: alice},
		}}
	}
	if err := h.store.Put("hosts", rows...); err != nil {
		b.Fatal(err)
	}
}

// way returns what a packet costs on its way from one socket of the host to
// itself and back, the chain at its way out included.
func way(b *testing.B, h *host) float64 {
	const packets = 200
	least := 0.0
	for range 4 {
		start := now(b)
		for range packets {
			h.send(b)
		}
		if d := float64(now(b)-start) / packets; least == 0 || d < least {
			least = d
		}
	}
	return least
}

// cost returns what one of copies rules costs a packet.
func cost(b *testing.B, h *host, exprs []byte) float64 {
	base := way(b, h)
	h.repeat(b, exprs, copies)
	return (way(b, h) - base) / copies
}

// repeat adds n equal rules.
func (h *host) repeat(b *testing.B, exprs []byte, n int) {
	list := make([][]byte, n)
	for i := range list {
		list[i] = exprs
	}
	if err := h.rules(list...); err != nil {
		b.Fatal(err)
	}
}

// crowded measures a packet's way past one rule and past fifty on one key.
func crowded(b *testing.B, s *sheet) {
	for _, text := range []string{"dict sessions ct id final false", "dict hosts ip saddr quota_remaining 1000000000"} {
		var one float64
		fifty := mean(b, "fifty "+text, 3, func(b *testing.B, h *host) float64 {
			h.standard(b)
			h.chain(b)
			exprs := h.compile(b, text)
			h.repeat(b, exprs, 1)
			one += way(b, h) / 3
			h.repeat(b, exprs, 49)
			return way(b, h)
		})
		s.add("a packet's way past one rule "+text, one, "instructions", 0)
		s.ratio("past fifty of them / past one", fifty, one, 5)
	}
}
