// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

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

// +-- client ----------+            +-- gateway: store, rules ---+
// |  10.77.0.2         |   veth     |  10.77.0.1                 |
// |  fd77::2        c0 +------------+ g0   fd77::1               |
// +--------------------+            +----------------------------+
const (
	rulePort   = 7777
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
	onThread(tb, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		h, err = netns.Get()
		return err
	})
	tb.Cleanup(func() { h.Close() })
	return h
}

// onThread runs f on a thread of its own, which ends with it.
func onThread(tb testing.TB, f func() error) {
	tb.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
}

// inside runs f in a namespace.
func inside(tb testing.TB, h netns.NsHandle, f func() error) {
	tb.Helper()
	onThread(tb, func() error {
		if err := netns.Set(h); err != nil {
			return err
		}
		return f()
	})
}

// run runs a program in a namespace and returns what it prints.
func run(tb testing.TB, h netns.NsHandle, stdin string, argv ...string) string {
	tb.Helper()
	path := need.Program(tb, argv[0])
	var out []byte
	inside(tb, h, func() (err error) {
		cmd := exec.Command(path, argv[1:]...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err = cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
		}
		return nil
	})
	return string(out)
}

func newWire(tb testing.TB) *wire {
	tb.Helper()
	w := &wire{client: newNamespace(tb), gateway: newNamespace(tb)}
	link := &vnl.Veth{LinkAttrs: vnl.LinkAttrs{Name: "g0", Namespace: vnl.NsFd(w.gateway)}, PeerName: "c0", PeerNamespace: vnl.NsFd(w.client)}
	inside(tb, w.gateway, func() error { return vnl.LinkAdd(link) })
	for _, side := range []struct {
		ns   netns.NsHandle
		name string
		host string
	}{{w.client, "c0", "2"}, {w.gateway, "g0", "1"}} {
		inside(tb, side.ns, func() error {
			l, err := vnl.LinkByName(side.name)
			if err != nil {
				return err
			}
			for _, a := range []string{"10.77.0." + side.host + "/24", "fd77::" + side.host + "/64"} {
				addr, err := vnl.ParseAddr(a)
				if err != nil {
					return err
				}
				addr.Flags = unix.IFA_F_NODAD
				if err := vnl.AddrAdd(l, addr); err != nil {
					return err
				}
			}
			mac := (*[6]byte)(l.Attrs().HardwareAddr)
			if side.name == "g0" {
				w.mac, w.index = *mac, l.Attrs().Index
			} else {
				w.clientMAC = *mac
			}
			return vnl.LinkSetUp(l)
		})
	}
	inside(tb, w.client, func() error {
		l, err := vnl.LinkByName("c0")
		if err != nil {
			return err
		}
		for _, ip := range []string{"10.77.0.1", "fd77::1"} {
			n := &vnl.Neigh{LinkIndex: l.Attrs().Index, IP: net.ParseIP(ip), HardwareAddr: w.mac[:], State: vnl.NUD_PERMANENT}
			if err := vnl.NeighSet(n); err != nil {
				return err
			}
		}
		return nil
	})
	w.server = make(map[bool]*net.UDPConn)
	for v6, at := range map[bool]string{false: "10.77.0.1", true: "fd77::1"} {
		inside(tb, w.gateway, func() (err error) {
			w.server[v6], err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(at), rulePort)))
			return err
		})
		tb.Cleanup(func() { w.server[v6].Close() })
	}
	return w
}

// send sends UDP packets of one flow from the client, one at a time, each when the
// rules are through with the one before: behind them the gateway's server has it.
// Nothing else says so; a busy machine gives packets to a thread of its own.
func (w *wire) send(tb testing.TB, v6 bool, packets int) {
	tb.Helper()
	from, to := netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("10.77.0.1")
	if v6 {
		from, to = netip.MustParseAddr("fd77::2"), netip.MustParseAddr("fd77::1")
	}
	inside(tb, w.client, func() error {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, clientPort)))
		if err != nil {
			return err
		}
		defer conn.Close()
		for range packets {
			if _, err := conn.WriteToUDPAddrPort(make([]byte, payload), netip.AddrPortFrom(to, rulePort)); err != nil {
				return err
			}
			if err := w.server[v6].SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				return err
			}
			if _, _, err := w.server[v6].ReadFromUDPAddrPort(make([]byte, payload)); err != nil {
				return fmt.Errorf("a packet does not arrive: %w", err)
			}
		}
		return nil
	})
}

// known returns what the selectors yield for the flow's packets, of both
// families.
func (w *wire) known(tb testing.TB, v6 bool) nftext.Packet {
	tb.Helper()
	length := uint32(20 + 8 + payload)
	if v6 {
		length = 40 + 8 + payload
	}
	return nftext.Packet{
		nftext.CtID: dict.CtID(w.id(tb, v6)), nftext.MetaIif: dict.IntKey(uint32(w.index)), nftext.MetaLength: dict.IntKey(length), nftext.MetaPriority: dict.IntKey(0),
		nftext.IPSaddr: dict.AddrKey(netip.MustParseAddr("10.77.0.2")), nftext.IPDaddr: dict.AddrKey(netip.MustParseAddr("10.77.0.1")),
		nftext.IP6Saddr: dict.AddrKey(netip.MustParseAddr("fd77::2")), nftext.IP6Daddr: dict.AddrKey(netip.MustParseAddr("fd77::1")),
		nftext.EtherSaddr: dict.EtherKey(w.clientMAC), nftext.EtherDaddr: dict.EtherKey(w.mac),
	}
}

// id returns the conntrack id of the flow, as conntrack prints it.
func (w *wire) id(tb testing.TB, v6 bool) uint32 {
	tb.Helper()
	conn, err := conntrack.Dial(&netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	flows, err := conn.Dump(nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range flows {
		if f.TupleOrig.Proto.DestinationPort == rulePort && f.TupleOrig.IP.SourceAddress.Is6() == v6 {
			return f.ID
		}
	}
	tb.Fatal("no conntrack entry of the flow")
	return 0
}

// target is the chain that rules are loaded into.
func target() nftext.Target {
	return nftext.Target{Family: unix.NFPROTO_INET, Table: "t", Chain: "c"}
}

// chain makes the chain, with the flow's marks set before it.
func (w *wire) chain(tb testing.TB, mark, ctMark uint32) {
	tb.Helper()
	run(tb, w.gateway, fmt.Sprintf(`
		table inet t
		delete table inet t
		table inet t {
			chain c {
			}
			chain pre {
				type filter hook prerouting priority -100
				udp dport %d meta mark set %d ct mark set %d jump c
			}
		}`, rulePort, mark, ctMark), "nft", "-f", "-")
}

// load adds rules to the chain in one transaction; each is the expressions of
// a term and a counter of its own.
func (w *wire) load(tb testing.TB, exprs ...[]byte) error {
	tb.Helper()
	return w.loadFamily(tb, target().Family, exprs...)
}

// loadFamily is load into a chain of the same name in another family.
func (w *wire) loadFamily(tb testing.TB, family uint8, exprs ...[]byte) error {
	tb.Helper()
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	batch := func(t uint16) netlink.Message {
		return netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(t), Flags: netlink.Request}, Data: []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES}}
	}
	messages := []netlink.Message{batch(unix.NFNL_MSG_BATCH_BEGIN)}
	for _, e := range exprs {
		counter, err := expr.Marshal(family, &expr.Counter{})
		if err != nil {
			tb.Fatal(err)
		}
		enc := netlink.NewAttributeEncoder()
		enc.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, counter)
		last, err := enc.Encode()
		if err != nil {
			tb.Fatal(err)
		}
		enc = netlink.NewAttributeEncoder()
		enc.String(unix.NFTA_RULE_TABLE, target().Table)
		enc.String(unix.NFTA_RULE_CHAIN, target().Chain)
		enc.Bytes(netlink.Nested|unix.NFTA_RULE_EXPRESSIONS, append(append([]byte{}, e...), last...))
		data, err := enc.Encode()
		if err != nil {
			tb.Fatal(err)
		}
		messages = append(messages, netlink.Message{
			Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWRULE, Flags: netlink.Request | netlink.Create | netlink.Append},
			Data:   append([]byte{family, 0, 0, 0}, data...),
		})
	}
	last := &messages[len(messages)-1]
	last.Header.Flags |= netlink.Acknowledge
	messages = append(messages, batch(unix.NFNL_MSG_BATCH_END))
	if _, err := conn.SendMessages(messages); err != nil {
		return err
	}
	_, err = conn.Receive()
	return err
}

// dumped is a rule as the kernel lists it.
type dumped struct {
	elems   []nftext.Element
	packets uint64 // of its counter
}

// rules returns the rules of the chain.
func (w *wire) rules(tb testing.TB) []dumped {
	tb.Helper()
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(w.gateway)})
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	enc := netlink.NewAttributeEncoder()
	enc.String(unix.NFTA_RULE_TABLE, target().Table)
	enc.String(unix.NFTA_RULE_CHAIN, target().Chain)
	data, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETRULE, Flags: netlink.Request | netlink.Dump},
		Data:   append([]byte{unix.NFPROTO_INET, 0, 0, 0}, data...),
	})
	if err != nil {
		tb.Fatal(err)
	}
	var out []dumped
	for _, m := range messages {
		out = append(out, parseDump(tb, m.Data[4:]))
	}
	return out
}

func parseDump(tb testing.TB, data []byte) (r dumped) {
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
	last := r.elems[len(r.elems)-1]
	counter, err := netlink.NewAttributeDecoder(last.Data)
	if err != nil || last.Name != "counter" {
		tb.Fatalf("last expression is %s: %v", last.Name, err)
	}
	counter.ByteOrder = binary.BigEndian
	for counter.Next() {
		if counter.Type() == unix.NFTA_COUNTER_PACKETS {
			r.packets = counter.Uint64()
		}
	}
	return r
}
