// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/google/nftables/expr"
	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// pair makes two devices that are joined, both up.
func pair(tb testing.TB, name, peer string) (a, b vnl.Link) {
	tb.Helper()
	if err := vnl.LinkAdd(&vnl.Veth{LinkAttrs: vnl.LinkAttrs{Name: name}, PeerName: peer}); err != nil {
		tb.Fatal(err)
	}
	for name, l := range map[string]*vnl.Link{name: &a, peer: &b} {
		found, err := vnl.LinkByName(name)
		if err == nil {
			err = vnl.LinkSetUp(found)
		}
		if err != nil {
			tb.Fatal(err)
		}
		*l = found
	}
	return a, b
}

// frame is an Ethernet frame with a UDP packet, from 10.0.0.1 port 1000.
func frame(src [6]byte, dport uint16) []byte {
	ip := []byte{0x45, 0, 0, 32, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	sum := uint32(0)
	for i := 0; i < len(ip); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum+sum>>16))
	udp := []byte{1000 >> 8, 1000 & 0xff, byte(dport >> 8), byte(dport), 0, 12, 0, 0, 'd', 'a', 't', 'a'}
	return cat([]byte{2, 0, 0, 0, 0, 9}, src[:], []byte{8, 0}, ip, udp)
}

// throw sends a frame out of a device.
func throw(tb testing.TB, l vnl.Link, b []byte) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		err = unix.Sendto(fd, b, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Halen: 6})
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// TestFamilies sends packets through rules of every family: what a family's
// packets have can be a key, for matching, counting, setting and loading; what
// they have not is refused when the rule is loaded.
func TestFamilies(t *testing.T) {
	payload := func(offset, n uint32) expr.Any {
		return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: n}
	}
	ether := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseLLHeader, Offset: 6, Len: 6}
	mark := &expr.Meta{Key: expr.MetaKeyMARK, Register: 1}
	mac := [6]byte{2, 0, 0, 0, 0, 7}
	local := func(network, ip string) func(t *testing.T, h *host) {
		return func(t *testing.T, h *host) {
			conn, err := net.Dial(network, net.JoinHostPort(ip, "9999"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("data")); err != nil {
				t.Fatal(err)
			}
		}
	}
	v6 := addrOf("::1").AsSlice()
	type key struct {
		table string
		load  expr.Any // nil for the connection
		data  []byte
	}
	for _, c := range []struct {
		name    string
		family  byte
		chain   string
		send    func(t *testing.T, h *host)
		keys    []key
		tracked bool
	}{
		{"ip", unix.NFPROTO_IPV4, "type filter hook output priority 0", local("udp4", "127.0.0.1"),
			[]key{{"mark", mark, intKey(0)}, {"ip4", payload(12, 4), []byte{127, 0, 0, 1}}, {"address", payload(16, 4), []byte{127, 0, 0, 1}}, {"bound", nil, nil}, {"id", nil, nil}}, true},
		{"ip6", unix.NFPROTO_IPV6, "type filter hook output priority 0", local("udp6", "::1"),
			[]key{{"mark", mark, intKey(0)}, {"ip6", payload(8, 16), v6}, {"address", payload(24, 16), v6}, {"bound", nil, nil}, {"id", nil, nil}}, true},
		{"inet", unix.NFPROTO_INET, "type filter hook output priority 0", local("udp4", "127.0.0.1"),
			[]key{{"mark", mark, intKey(0)}, {"ip4", payload(12, 4), []byte{127, 0, 0, 1}}, {"bound", nil, nil}, {"id", nil, nil}}, true},
		{"inet with IPv6", unix.NFPROTO_INET, "type filter hook output priority 0", local("udp6", "::1"),
			[]key{{"address", payload(8, 16), v6}, {"bound", nil, nil}}, true},
		{"inet prerouting", unix.NFPROTO_INET, "type filter hook prerouting priority 0", local("udp4", "127.0.0.1"),
			[]key{{"ip4", payload(12, 4), []byte{127, 0, 0, 1}}, {"bound", nil, nil}}, true},
		{"netdev", unix.NFPROTO_NETDEV, "type filter hook ingress device lo priority 0", local("udp4", "127.0.0.1"),
			[]key{{"mark", mark, intKey(0)}, {"ip4", payload(12, 4), []byte{127, 0, 0, 1}}, {"ether", ether, make([]byte, 6)}}, false},
		{"bridge", unix.NFPROTO_BRIDGE, "type filter hook prerouting priority -100", func(t *testing.T, h *host) {
			out, err := vnl.LinkByName("out")
			if err != nil {
				t.Fatal(err)
			}
			throw(t, out, frame(mac, 9999))
		}, []key{{"mark", mark, intKey(0)}, {"ip4", payload(12, 4), []byte{10, 0, 0, 1}}, {"ether", ether, mac[:]}, {"bound", nil, nil}, {"id", nil, nil}}, true},
		{"arp", unix.NFPROTO_ARP, "type filter hook output priority 0", func(t *testing.T, h *host) {
			conn, err := net.Dial("udp4", "10.9.0.2:9999")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("data")); err != nil {
				t.Fatal(err)
			}
		}, []key{{"mark", mark, intKey(0)}, {"ip4", payload(14, 4), []byte{10, 9, 0, 1}}, {"ether", payload(8, 6), mac[:]}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t)
			f, r := newFamily(t), newRuleset(t, c.family)
			tables(t, f)
			switch c.family {
			case unix.NFPROTO_BRIDGE:
				bridge := &vnl.Bridge{LinkAttrs: vnl.LinkAttrs{Name: "br"}}
				in, _ := pair(t, "in", "out")
				if err := errors.Join(vnl.LinkAdd(bridge), vnl.LinkSetUp(bridge), vnl.LinkSetMaster(in, bridge)); err != nil {
					t.Fatal(err)
				}
				forwards(t, in)
			case unix.NFPROTO_ARP:
				a, _ := pair(t, "near", "far")
				addr, err := vnl.ParseAddr("10.9.0.1/24")
				if err == nil {
					err = errors.Join(vnl.LinkSetHardwareAddr(a, mac[:]), vnl.AddrAdd(a, addr))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			family := map[byte]string{unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6", unix.NFPROTO_INET: "inet", unix.NFPROTO_NETDEV: "netdev", unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_ARP: "arp"}[c.family]
			filter := "meta l4proto udp th dport 9999 " // and not what is answered
			if c.family == unix.NFPROTO_ARP {
				filter = ""
			}
			nft(t, fmt.Sprintf("table %s t { chain c { }; chain base { %s; %sjump c; }; }", family, c.chain, filter))
			counter := stock(t, c.family, &expr.Counter{})
			var messages []message
			for _, k := range c.keys {
				load, by := []byte(nil), attr(lookupCt)
				if k.load != nil {
					load, by = stock(t, c.family, k.load), byReg(uint32(len(k.data)))
				}
				at := func(typ uint16, field string, ft dict.Type) []byte { return lookup(typ, k.table, field, ft, by) }
				messages = append(messages,
					r.rule("c", load, dictExpr(big(exprOp, opSet), at(exprLookup, "s", dict.String), nest(exprValue, val(dict.MustString("some words")))),
						dictExpr(big(exprOp, opAdd), at(exprLookup, "l", dict.Int64), nest(exprValue, val(dict.Int64Value(2)))), counter),
					r.rule("c", load, dictExpr(big(exprOp, opMatch), at(exprLookup, "s", dict.String), big(exprCmp, cmpEq), items(tokens(tokenStar, 'w', tokenStar))), counter),
					// What is added and what is taken off again is as long in every family.
					r.rule("c", load, dictExpr(big(exprOp, opAdd), at(exprLookup, "l", dict.Int64), big(exprPacket, packetLength)),
						stock(t, c.family, &expr.Meta{Key: expr.MetaKeyLEN, Register: 2}),
						dictExpr(big(exprOp, opSub), at(exprLookup, "l", dict.Int64), big(exprSReg, 2), big(exprLen, 4)),
						dictExpr(big(exprOp, opSub), at(exprLookup, "i", dict.Int), at(exprSource, "l", dict.Int64)), counter),
					r.rule("c", load, dictExpr(big(exprOp, opLoad), at(exprLookup, "i", dict.Int), big(exprDReg, 2), big(exprLen, 4)),
						stock(t, c.family, &expr.Cmp{Op: expr.CmpOpEq, Register: 2, Data: intKey(0xfffffffe)}), counter),
					r.rule("c", load, dictExpr(big(exprOp, opMatch), at(exprLookup, "b", dict.Bool), big(exprCmp, cmpMissing)), counter),
					r.rule("c", load, dictExpr(big(exprOp, opMatch), at(exprLookup, "l", dict.Int64), big(exprCmp, cmpNe), items(lo(dict.Int64Value(2)))), counter),
				)
			}
			errs, err := r.results(messages...)
			for i, e := range errs {
				if e != nil {
					t.Errorf("rule %d: %v", i, e)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			c.send(t, h)
			begin := time.Now()
			for {
				bad := ""
				for i, l := range r.list(t, "c") {
					if want := map[bool]uint64{true: 1}[i%6 < 5]; l.packets != want {
						bad += fmt.Sprintf("%s, rule %d: %d packets, want %d\n", c.keys[i/6].table, i%6, l.packets, want)
					}
				}
				if bad == "" {
					break
				}
				if time.Since(begin) > 3*time.Second {
					t.Error(bad)
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			for _, k := range c.keys {
				if n := f.count(t, k.table, attrRows); n != 1 {
					t.Errorf("%s has %d rows, want 1", k.table, n)
				}
				if k.load == nil {
					continue
				}
				out := f.must(t, cmdRowGet, text(attrTable, k.table), row(k.data))
				if _, ok := find(t, out[0], attrRow); !ok {
					t.Errorf("%s has no row %x", k.table, k.data)
				}
			}
			if c.tracked {
				return
			}
			for _, table := range []string{"id", "bound"} {
				err := r.batch(r.rule("c", dictExpr(big(exprOp, opMatch), lookup(exprLookup, table, "i", dict.Int, attr(lookupCt)), big(exprCmp, cmpExists))))
				if !errors.Is(err, unix.EOPNOTSUPP) {
					t.Errorf("a connection in %s: %v, want %v", table, err, unix.EOPNOTSUPP)
				}
			}
			if err := r.batch(r.rule("c", dictExpr(big(exprOp, opAttach), lookup(exprLookup, "bound", "", 0, attr(lookupCt))))); !errors.Is(err, unix.EOPNOTSUPP) {
				t.Errorf("attach: %v, want %v", err, unix.EOPNOTSUPP)
			}
		})
	}
}

// forwards waits until a port of a bridge takes part.
func forwards(tb testing.TB, port vnl.Link) {
	tb.Helper()
	for range 100 {
		l, err := vnl.LinkByIndex(port.Attrs().Index)
		if err != nil {
			tb.Fatal(err)
		}
		if l.Attrs().OperState == vnl.OperUp {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	tb.Fatal("the bridge's port does not come up")
}
