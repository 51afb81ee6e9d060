// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/ti-mo/conntrack"

	"nftdict/dict"
	"nftdict/internal/backend"
	"nftdict/internal/need"
	"nftdict/nftext"
	"nftdict/nftext/ruletest"
)

// gateway is a namespace with tables and rules, and a client that sends to it:
//
//	+-- client ----------+            +-- gateway: tables, rules --+
//	|  10.78.0.2         |   veth     |  10.78.0.1                 |
//	|  fd78::2        c0 +------------+ g0   fd78::1               |
//	+--------------------+            +----------------------------+
type gateway struct {
	kind          string // of the backend, as it was asked for
	netns, client string
	store         dict.Store
	index         int // of g0
}

const (
	gatewayMAC = "02:00:00:00:78:01"
	clientMAC  = "02:00:00:00:78:02"

	clientPort  = 4321 // and up, a connection each
	payload     = 12   // bytes of each packet
	scenePort   = 7878
	effectPorts = 8000 // and up
)

// newGateway makes a gateway with the tables of the rule tests on a backend.
func newGateway(t *testing.T, kind string) *gateway {
	t.Helper()
	g := &gateway{kind: kind, netns: withTablesOf(t, kind)}
	g.client = g.netns + "-client"
	ip := need.Program(t, "ip")
	batch := func(netns, commands string) {
		t.Helper()
		cmd := exec.Command(ip, "-n", netns, "-batch", "-")
		cmd.Stdin = strings.NewReader(commands)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ip -n %s: %v: %s", netns, err, out)
		}
	}
	if out, err := exec.Command(ip, "netns", "add", g.client).CombinedOutput(); err != nil {
		t.Fatalf("ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(ip, "netns", "delete", g.client).Run() })
	batch(g.netns, "link add g0 address "+gatewayMAC+" type veth peer name c0 address "+clientMAC+" netns "+g.client+
		"\naddr add 10.78.0.1/24 dev g0\naddr add fd78::1/64 dev g0 nodad\nlink set g0 up\n")
	batch(g.client, "addr add 10.78.0.2/24 dev c0\naddr add fd78::2/64 dev c0 nodad\nlink set c0 up\n"+
		"neigh replace 10.78.0.1 lladdr "+gatewayMAC+" dev c0 nud permanent\nneigh replace fd78::1 lladdr "+gatewayMAC+" dev c0 nud permanent\n")
	err := within(g.netns, func() error {
		link, err := net.InterfaceByName("g0")
		if err != nil {
			return err
		}
		g.index = link.Index
		b, err := backend.Open(kind, backend.Options{})
		if err == nil {
			g.store = b.Store
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.store.Close() })
	return g
}

// nft runs dictctl nft in the gateway, on its backend.
func (g *gateway) nft(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, errs strings.Builder
	status := program(g.netns)("", strings.NewReader(stdin), &out, &errs, append([]string{"--backend", g.kind, "nft"}, args...))
	return outcome{status, out.String(), errs.String()}
}

// dictctl runs the program's code in this process, for what is to be there beforehand.
func (g *gateway) dictctl(t *testing.T, args ...string) {
	t.Helper()
	err := within(g.netns, func() error {
		var said strings.Builder
		a := app()
		a.Stdin, a.Stdout, a.Stderr = strings.NewReader(""), &said, &said
		if status := a.Run(context.Background(), append([]string{"--backend", g.kind}, args...)); status != 0 {
			return fmt.Errorf("dictctl %q: status %d: %s", args, status, &said)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// load loads a file, in silence.
func (g *gateway) load(t *testing.T, text string, options ...string) {
	t.Helper()
	if got := g.nft(t, text, append(options, "-f", "-")...); got != (outcome{}) {
		t.Fatalf("%s: nft %q -f: %+v", g.kind, options, got)
	}
}

// list lists the ruleset.
func (g *gateway) list(t *testing.T, options ...string) string {
	t.Helper()
	got := g.nft(t, "", append(options, "list", "ruleset")...)
	if got.status != 0 || got.stderr != "" {
		t.Fatalf("%s: nft %q list: %+v", g.kind, options, got)
	}
	return got.stdout
}

// send sends packets of a flow from a port of the client.
func (g *gateway) send(t *testing.T, f ruletest.Flow, from, to, packets int) {
	t.Helper()
	source, target := netip.MustParseAddr("10.78.0.2"), netip.MustParseAddr("10.78.0.1")
	if f.IPv6 {
		source, target = netip.MustParseAddr("fd78::2"), netip.MustParseAddr("fd78::1")
	}
	before := g.counters(t, "pre")
	err := within(g.client, func() error {
		// Not connected: nobody listens there, and what ICMP says of that is
		// not to take a packet's place.
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, uint16(from))))
		if err != nil {
			return err
		}
		defer conn.Close()
		for range packets {
			if _, err := conn.WriteToUDPAddrPort(make([]byte, payload), netip.AddrPortFrom(target, uint16(to))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	last := len(before) - 1 // counts what has gone through the rules
	for end := time.Now().Add(20 * time.Second); g.counters(t, "pre")[last] != before[last]+uint64(packets); {
		if time.Now().After(end) {
			t.Fatalf("%s: %d packets do not arrive", g.kind, packets)
		}
		time.Sleep(time.Millisecond)
	}
}

// known returns what the selectors yield for the packets of a connection.
func (g *gateway) known(t *testing.T, f ruletest.Flow, from int) nftext.Packet {
	t.Helper()
	var flows []conntrack.Flow
	err := within(g.netns, func() error {
		conn, err := conntrack.Dial(nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		flows, err = conn.Dump(nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	length := uint32(20 + 8 + payload)
	if f.IPv6 {
		length = 40 + 8 + payload
	}
	addr := func(s string) dict.Key { return dict.AddrKey(netip.MustParseAddr(s)) }
	mac := func(s string) dict.Key {
		m, _ := net.ParseMAC(s)
		return dict.EtherKey([6]byte(m))
	}
	for _, c := range flows {
		if int(c.TupleOrig.Proto.SourcePort) == from && c.TupleOrig.IP.SourceAddress.Is6() == f.IPv6 {
			return f.Packet(nftext.Packet{
				nftext.CtID: dict.CtID(c.ID), nftext.MetaIif: dict.IntKey(uint32(g.index)),
				nftext.MetaLength: dict.IntKey(length), nftext.MetaPriority: dict.IntKey(0),
				nftext.IPSaddr: addr("10.78.0.2"), nftext.IPDaddr: addr("10.78.0.1"),
				nftext.IP6Saddr: addr("fd78::2"), nftext.IP6Daddr: addr("fd78::1"),
				nftext.EtherSaddr: mac(clientMAC), nftext.EtherDaddr: mac(gatewayMAC),
			})
		}
	}
	t.Fatalf("%s: no connection from port %d", g.kind, from)
	return nil
}

// counters returns how many packets the last counter of each rule of a chain has
// counted, 0 for a rule without one.
func (g *gateway) counters(t *testing.T, chain string) (packets []uint64) {
	t.Helper()
	err := within(g.netns, func() error {
		conn, err := nftables.New()
		if err != nil {
			return err
		}
		table := &nftables.Table{Name: "moved", Family: nftables.TableFamilyINet}
		rules, err := conn.GetRules(table, &nftables.Chain{Name: chain, Table: table})
		for _, r := range rules {
			n := uint64(0)
			for _, e := range r.Exprs {
				if c, ok := e.(*expr.Counter); ok {
					n = c.Packets
				}
			}
			packets = append(packets, n)
		}
		if err == nil && len(packets) == 0 {
			err = fmt.Errorf("chain %s has no rules", chain)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

// fresh empties the tables, opens a connection from a port and puts rows for it.
func (g *gateway) fresh(t *testing.T, f ruletest.Flow, from, to int, rows []ruletest.Row) nftext.Packet {
	t.Helper()
	g.send(t, f, from, to, 1)
	packet := g.known(t, f, from)
	tables, err := g.store.Tables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if _, err := dict.Flush(g.store, table.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := ruletest.Put(g.store, packet, rows...); err != nil {
		t.Fatal(err)
	}
	return packet
}
