// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	vnl "github.com/vishvananda/netlink"
)

// forwarding measures what it costs a gateway to forward a packet: past ten dict rules,
// and by a flowtable. That is what a packet's way from socket to socket costs more
// than by a link on which there is no gateway.
func forwarding(b *testing.B, s *sheet) {
	const rounds, want = 3, 10
	bare, slow, fast := 0.0, 0.0, 0.0
	mean(b, "forward", rounds, func(b *testing.B, h *host) float64 {
		h.standard(b)
		g := between(b, h)
		direct := g.direct(b)
		g.forward(b)
		k := g.open(b, "10.1.0.2")
		base := k.cost(b)
		least := direct.cost(b)
		var ten [][]byte
		for i := range want / 2 {
			ten = append(ten, h.compile(b, fmt.Sprintf(`dict sessions ct id application "NONE%d"`, i)),
				h.compile(b, fmt.Sprintf("dict hosts ip saddr quota_remaining < %d", -i)))
		}
		if err := h.rules(ten...); err != nil {
			b.Fatal(err)
		}
		past := k.cost(b)
		if err := h.rules(marshal(b, &expr.FlowOffload{Name: "f"})); err != nil {
			b.Fatal(err)
		}
		for range 3 {
			k.round()
		}
		if !g.offloaded(b, k) {
			b.Fatal("the connection is not in the flowtable")
		}
		by := k.cost(b)
		bare += (base - least) / rounds
		slow += (past - least) / rounds
		fast += (by - least) / rounds
		return by - least
	})
	s.add("forward a packet, conntrack and no rule", bare, "instructions", 0)
	s.add("past ten dict rules", slow, "instructions", 0)
	s.add("by a flowtable", fast, "instructions", 0)
	s.ratio("by a flowtable / past ten dict rules", fast, slow, 0.5)
}

// forward makes the chain, empty, at forward, and the flowtable.
func (g *gateway) forward(b *testing.B) {
	b.Helper()
	conn, err := nftables.New()
	if err != nil {
		b.Fatal(err)
	}
	conn.DelTable(g.host.table)
	conn.AddTable(g.host.table)
	conn.AddFlowtable(&nftables.Flowtable{
		Table: g.host.table, Name: "f", Hooknum: nftables.FlowtableHookIngress, Priority: nftables.FlowtablePriorityRef(0),
		Devices: []string{"g0", "g1"}, Flags: nftables.FlowtableFlagsCounter,
	})
	conn.AddChain(&nftables.Chain{
		Name: "c", Table: g.host.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	if err := conn.Flush(); err != nil {
		b.Fatal(err)
	}
	// With conntrack at work.
	if err := g.host.rules(marshal(b, &expr.Ct{Key: expr.CtKeySTATE, Register: 1})); err != nil {
		b.Fatal(err)
	}
}

// direct returns a connection from the client to the server by a link of their own.
func (g *gateway) direct(b *testing.B) *talk {
	b.Helper()
	k := &talk{TB: b}
	near, far := pair(b, "near", "far")
	for i, at := range []struct {
		name string
		link vnl.Link
		conn **net.UDPConn
	}{{"near", near, &k.client}, {"far", far, &k.server}} {
		ns, addr := g.client, fmt.Sprintf("10.9.0.%d", i+1)
		if i == 1 {
			ns = g.server
		}
		if err := vnl.LinkSetName(at.link, fmt.Sprint("direct", i)); err != nil {
			b.Fatal(err)
		}
		if err := vnl.LinkSetNsFd(at.link, int(ns.Fd())); err != nil {
			b.Fatal(err)
		}
		inside(b, ns, func() (err error) {
			address(b, fmt.Sprint("direct", i), addr+"/24")
			*at.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0)))
			return err
		})
		b.Cleanup(func() { (*at.conn).Close() })
	}
	k.round()
	return k
}

// cost returns what a packet of the client's costs until the server has it.
func (k *talk) cost(b *testing.B) float64 {
	const packets = 200
	buf := make([]byte, 100)
	to := k.server.LocalAddr().(*net.UDPAddr).AddrPort()
	least := 0.0
	for range 4 {
		start := now(b)
		for range packets {
			if _, err := k.client.WriteToUDPAddrPort(buf, to); err != nil {
				b.Fatal(err)
			}
			if _, _, err := k.server.ReadFromUDPAddrPort(buf); err != nil {
				b.Fatal(err)
			}
		}
		if d := float64(now(b)-start) / packets; least == 0 || d < least {
			least = d
		}
	}
	return least
}
