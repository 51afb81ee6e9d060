// SPDX-License-Identifier: MIT

package genl_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	vnl "github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/need"
	"nftdict/nftext"
)

// +-- client ----------+            +-- gateway: tables, rules --+
// |  10.78.0.2         |   veth     |  10.78.0.1                 |
// |  fd78::2        c0 +------------+ g0   fd78::1               |
// +--------------------+            +----------------------------+
const (
	serverPort = 7878
	clientPort = 4321
	payload    = 12
)

// wire is two namespaces and what is between them.
type wire struct {
	client, gateway netns.NsHandle
	clientMAC, mac  [6]byte
	index           int                   // of g0
	server          map[bool]*net.UDPConn // at the gateway, by whether for IPv6
}

// newNamespace makes a network namespace that lives as long as the test.
func newNamespace(tb testing.TB) netns.NsHandle {
	tb.Helper()
	need.Root(tb)
	var h netns.NsHandle
	err := onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			h, err = netns.Get()
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.Close() })
	return h
}

// onThread runs f on a thread of its own, which ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// inside runs f in a namespace.
func inside(tb testing.TB, h netns.NsHandle, f func() error) {
	tb.Helper()
	if err := onThread(func() error {
		if err := netns.Set(h); err != nil {
			return err
		}
		return f()
	}); err != nil {
		tb.Fatal(err)
	}
}

func newWire(tb testing.TB) *wire {
	tb.Helper()
	w := &wire{client: newNamespace(tb), gateway: newNamespace(tb)}
	link := &vnl.Veth{LinkAttrs: vnl.LinkAttrs{Name: "g0", Namespace: vnl.NsFd(w.gateway)}, PeerName: "c0", PeerNamespace: vnl.NsFd(w.client)}
	inside(tb, w.gateway, func() error { return vnl.LinkAdd(link) })
	up := func(name, host string, mac *[6]byte, index *int) func() error {
		return func() error {
			l, err := vnl.LinkByName(name)
			if err != nil {
				return err
			}
			for _, a := range []string{"10.78.0." + host + "/24", "fd78::" + host + "/64"} {
				addr, err := vnl.ParseAddr(a)
				if err != nil {
					return err
				}
				addr.Flags = unix.IFA_F_NODAD
				if err := vnl.AddrAdd(l, addr); err != nil {
					return err
				}
			}
			*mac, *index = [6]byte(l.Attrs().HardwareAddr), l.Attrs().Index
			return vnl.LinkSetUp(l)
		}
	}
	var peer int
	inside(tb, w.client, up("c0", "2", &w.clientMAC, &peer))
	inside(tb, w.gateway, up("g0", "1", &w.mac, &w.index))
	inside(tb, w.client, func() error {
		for _, ip := range []string{"10.78.0.1", "fd78::1"} {
			n := &vnl.Neigh{LinkIndex: peer, IP: net.ParseIP(ip), HardwareAddr: w.mac[:], State: vnl.NUD_PERMANENT}
			if err := vnl.NeighSet(n); err != nil {
				return err
			}
		}
		return nil
	})
	w.server = make(map[bool]*net.UDPConn)
	for v6, at := range map[bool]string{false: "10.78.0.1", true: "fd78::1"} {
		inside(tb, w.gateway, func() (err error) {
			w.server[v6], err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(at), serverPort)))
			return err
		})
		tb.Cleanup(func() { w.server[v6].Close() })
	}
	return w
}

// send sends UDP packets of one flow from the client, one at a time.
func (w *wire) send(tb testing.TB, v6 bool, packets int) {
	tb.Helper()
	from, to := netip.MustParseAddr("10.78.0.2"), netip.MustParseAddr("10.78.0.1")
	if v6 {
		from, to = netip.MustParseAddr("fd78::2"), netip.MustParseAddr("fd78::1")
	}
	inside(tb, w.client, func() error {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, clientPort)))
		if err != nil {
			return err
		}
		defer conn.Close()
		for range packets {
			if _, err := conn.WriteToUDPAddrPort(make([]byte, payload), netip.AddrPortFrom(to, serverPort)); err != nil {
				return err
			}
		}
		return nil
	})
}

// pass sends packets that no rule stops, one at a time, each when the rules are
// through with the one before: behind them the gateway's server has it. Nothing else
// says so; a busy machine gives packets to a thread of its own.
func (w *wire) pass(tb testing.TB, v6 bool, packets int) {
	tb.Helper()
	for range packets {
		w.send(tb, v6, 1)
		err := w.server[v6].SetReadDeadline(time.Now().Add(10 * time.Second))
		if err == nil {
			_, _, err = w.server[v6].ReadFromUDPAddrPort(make([]byte, payload))
		}
		if err != nil {
			tb.Fatalf("a packet does not arrive: %v", err)
		}
	}
}

// known returns what the selectors yield for the flow's packets, of both
// families.
func (w *wire) known(tb testing.TB, v6 bool) nftext.Packet {
	tb.Helper()
	length := uint32(20 + 8 + payload)
	if v6 {
		length = 40 + 8 + payload
	}
	addr := func(s string) dict.Key { return dict.AddrKey(netip.MustParseAddr(s)) }
	return nftext.Packet{
		nftext.CtID: dict.CtID(w.flows(tb, v6)[0].ID), nftext.MetaIif: dict.IntKey(uint32(w.index)),
		nftext.MetaLength: dict.IntKey(length), nftext.MetaPriority: dict.IntKey(0),
		nftext.IPSaddr: addr("10.78.0.2"), nftext.IPDaddr: addr("10.78.0.1"),
		nftext.IP6Saddr: addr("fd78::2"), nftext.IP6Daddr: addr("fd78::1"),
		nftext.EtherSaddr: dict.EtherKey(w.clientMAC), nftext.EtherDaddr: dict.EtherKey(w.mac),
	}
}

// conntrack returns a connection to the gateway's conntrack.
func (w *wire) conntrack(tb testing.TB) *conntrack.Conn {
	tb.Helper()
	conn, err := conntrack.Dial(&netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}

// flows returns the gateway's conntrack entries of the flow. Its first packet may
// still wait for the gateway's address on the link.
func (w *wire) flows(tb testing.TB, v6 bool) []conntrack.Flow {
	tb.Helper()
	conn := w.conntrack(tb)
	var out []conntrack.Flow
	within(tb, "look for the flow", func() error {
		all, err := conn.Dump(nil)
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range all {
			if f.TupleOrig.Proto.DestinationPort == serverPort && f.TupleOrig.IP.SourceAddress.Is6() == v6 {
				out = append(out, f)
			}
		}
		if len(out) == 0 {
			return errors.New("no conntrack entry")
		}
		return nil
	})
	if len(out) == 0 {
		tb.FailNow()
	}
	return out
}

// target is the chain that rules are loaded into.
func target() nftext.Target {
	return nftext.Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "c"}
}

// chain makes the chain, empty, with the flow's marks set before it.
func (w *wire) chain(tb testing.TB, mark, ctMark uint32) {
	tb.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(int(w.gateway)))
	if err != nil {
		tb.Fatal(err)
	}
	native := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	t := &nftables.Table{Name: target().Table, Family: nftables.TableFamilyINet}
	conn.AddTable(t)
	conn.DelTable(t)
	conn.AddTable(t)
	conn.AddChain(&nftables.Chain{Name: target().Chain, Table: t})
	pre := conn.AddChain(&nftables.Chain{
		Name: "pre", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(-100),
	})
	conn.AddRule(&nftables.Rule{Table: t, Chain: pre, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_UDP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, serverPort)},
		&expr.Immediate{Register: 1, Data: native(mark)},
		&expr.Meta{Key: expr.MetaKeyMARK, Register: 1, SourceRegister: true},
		&expr.Immediate{Register: 1, Data: native(ctMark)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true},
		&expr.Verdict{Kind: expr.VerdictJump, Chain: target().Chain},
	}})
	if err := conn.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// rules adds rules to the chain; each is the expressions of a term, and a
// counter of its own.
func (w *wire) rules(tb testing.TB, exprs ...[]byte) error {
	tb.Helper()
	return w.rulesOf(tb, target().Chain, exprs...)
}

// rulesOf adds rules to a chain in one transaction.
func (w *wire) rulesOf(tb testing.TB, chain string, exprs ...[]byte) error {
	tb.Helper()
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	counter, err := expr.Marshal(unix.NFPROTO_INET, &expr.Counter{})
	if err != nil {
		tb.Fatal(err)
	}
	batch := func(t uint16) netlink.Message {
		return netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(t), Flags: netlink.Request}, Data: []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES}}
	}
	messages := []netlink.Message{batch(unix.NFNL_MSG_BATCH_BEGIN)}
	for _, e := range exprs {
		elem := netlink.NewAttributeEncoder()
		elem.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, counter)
		last, err := elem.Encode()
		if err != nil {
			tb.Fatal(err)
		}
		messages = append(messages, netlink.Message{
			Header: netlink.Header{Type: nftType(unix.NFT_MSG_NEWRULE), Flags: netlink.Request | netlink.Create | netlink.Append},
			Data:   inChain(tb, chain, append(append([]byte{}, e...), last...)),
		})
	}
	messages[len(messages)-1].Header.Flags |= netlink.Acknowledge
	if _, err := conn.SendMessages(append(messages, batch(unix.NFNL_MSG_BATCH_END))); err != nil {
		return err
	}
	_, err = conn.Receive()
	return err
}

func nftType(t uint16) netlink.HeaderType {
	return netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | t)
}

// inChain returns the body of a message about a rule in a chain.
func inChain(tb testing.TB, chain string, exprs []byte) []byte {
	tb.Helper()
	enc := netlink.NewAttributeEncoder()
	enc.String(unix.NFTA_RULE_TABLE, target().Table)
	enc.String(unix.NFTA_RULE_CHAIN, chain)
	if exprs != nil {
		enc.Bytes(netlink.Nested|unix.NFTA_RULE_EXPRESSIONS, exprs)
	}
	data, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return append([]byte{unix.NFPROTO_INET, 0, 0, 0}, data...)
}

// listed is a rule as the kernel lists it.
type listed struct {
	elems   []nftext.Element
	packets uint64 // of its counter, which is the last of elems
}

// list returns the rules of the chain.
func (w *wire) list(tb testing.TB) []listed {
	tb.Helper()
	return w.listOf(tb, target().Chain)
}

func (w *wire) listOf(tb testing.TB, chain string) (out []listed) {
	tb.Helper()
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: nftType(unix.NFT_MSG_GETRULE), Flags: netlink.Request | netlink.Dump},
		Data:   inChain(tb, chain, nil),
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range messages {
		out = append(out, parseListed(tb, m.Data[4:]))
	}
	return out
}

func parseListed(tb testing.TB, data []byte) (r listed) {
	tb.Helper()
	attrs, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		tb.Fatal(err)
	}
	for attrs.Next() {
		if attrs.Type() != unix.NFTA_RULE_EXPRESSIONS {
			continue
		}
		attrs.Nested(func(list *netlink.AttributeDecoder) error {
			for list.Next() {
				var e nftext.Element
				list.Nested(func(ad *netlink.AttributeDecoder) error {
					for ad.Next() {
						switch ad.Type() {
						case unix.NFTA_EXPR_NAME:
							e.Name = ad.String()
						case unix.NFTA_EXPR_DATA:
							e.Data = ad.Bytes()
						}
					}
					return nil
				})
				r.elems = append(r.elems, e)
			}
			return nil
		})
	}
	if err := attrs.Err(); err != nil {
		tb.Fatal(err)
	}
	if len(r.elems) == 0 || r.elems[len(r.elems)-1].Name != "counter" {
		tb.Fatalf("a rule without a counter: %v", r.elems)
	}
	counter, err := netlink.NewAttributeDecoder(r.elems[len(r.elems)-1].Data)
	if err != nil {
		tb.Fatal(err)
	}
	counter.ByteOrder = binary.BigEndian
	for counter.Next() {
		if counter.Type() == unix.NFTA_COUNTER_PACKETS {
			r.packets = counter.Uint64()
		}
	}
	return r
}
