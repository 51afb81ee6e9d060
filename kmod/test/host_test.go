// SPDX-License-Identifier: MIT

package test

import (
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/genl"
	"nftdict/internal/need"
	"nftdict/nftext"
)

// The first thread is the one that does not end with a goroutine, and would keep
// the namespace that a test left it in. Only here can it be had for the tests'
// main, which changes no namespace.
func init() { runtime.LockOSThread() }

// host is a network namespace with a loopback device, in which a socket sends
// packets to itself through the chain. The test's goroutine stays on the thread
// that is in the namespace, which ends with it.
type host struct {
	store *genl.Store
	table *nftables.Table
	conn  *net.UDPConn
	port  uint16
	marks uint32 // how many marks packets have in turn, 0 for none
	mark  uint32 // of the last
}

func newHost(tb testing.TB) *host {
	tb.Helper()
	need.Root(tb)
	need.Feature(tb, "kmod", func() error {
		conn, err := genetlink.Dial(nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.GetFamily("nft_dict")
		return err
	})
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		tb.Fatal(err)
	}
	lo, err := vnl.LinkByName("lo")
	if err == nil {
		err = vnl.LinkSetUp(lo)
	}
	if err != nil {
		tb.Fatal(err)
	}
	h := &host{table: &nftables.Table{Name: "t", Family: nftables.TableFamilyIPv4}}
	if h.store, err = genl.Open(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.store.Close() })
	if h.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.conn.Close() })
	h.port = h.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	return h
}

// send sends a packet through the chain, and takes it.
func (h *host) send(tb testing.TB) {
	buf := make([]byte, 64)
	if h.marks != 0 {
		h.mark = (h.mark + 1) % h.marks
		raw, err := h.conn.SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(h.mark))
			})
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := h.conn.WriteToUDPAddrPort(buf, h.conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		tb.Fatal(err)
	}
	if _, _, err := h.conn.ReadFromUDPAddrPort(buf); err != nil {
		tb.Fatal(err)
	}
}

// standard fills the standard tables with a row for the host's packets.
func (h *host) standard(tb testing.TB) {
	tb.Helper()
	for _, t := range dict.Standard(dict.DefaultLimit) {
		if err := h.store.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	h.chain(tb)
	for _, text := range []string{
		`dict sessions ct id application set "NETFLIX"`, "dict sessions ct id final set false",
		`dict hosts ip saddr username set "alice"`, "dict hosts ip saddr quota_remaining set 1000000000",
	} {
		if err := h.rules(h.compile(tb, text)); err != nil {
			tb.Fatal(err)
		}
	}
	h.send(tb)
}

// chain makes the chain, empty, at the way out.
func (h *host) chain(tb testing.TB) {
	tb.Helper()
	conn, err := nftables.New()
	if err != nil {
		tb.Fatal(err)
	}
	conn.AddTable(h.table)
	conn.DelTable(h.table)
	conn.AddTable(h.table)
	conn.AddChain(&nftables.Chain{
		Name: "c", Table: h.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter,
	})
	if err := conn.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// compile returns the expressions of a term.
func (h *host) compile(tb testing.TB, text string) []byte {
	tb.Helper()
	term, n, err := nftext.Parse(text)
	if err != nil || n != len(text) {
		tb.Fatalf("%s: parsed %d bytes: %v", text, n, err)
	}
	b, err := nftext.Bind(term, h.store)
	if err != nil {
		tb.Fatal(err)
	}
	code, err := h.store.Compiler().Compile(nftext.Target{Family: unix.NFPROTO_IPV4, Table: "t", Chain: "c"}, b)
	if err != nil {
		tb.Fatal(err)
	}
	return code.Exprs
}

// marshal returns expressions of nft's own as a rule holds them.
func marshal(tb testing.TB, list ...expr.Any) []byte {
	tb.Helper()
	enc := netlink.NewAttributeEncoder()
	for _, e := range list {
		b, err := expr.Marshal(unix.NFPROTO_IPV4, e)
		if err != nil {
			tb.Fatal(err)
		}
		enc.Bytes(netlink.Nested|unix.NFTA_LIST_ELEM, b)
	}
	out, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// rules adds rules to the chain in one transaction. The error is the kernel's.
func (h *host) rules(exprs ...[]byte) error {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	batch := func(t uint16) netlink.Message {
		return netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(t), Flags: netlink.Request}, Data: []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES}}
	}
	messages := []netlink.Message{batch(unix.NFNL_MSG_BATCH_BEGIN)}
	for _, e := range exprs {
		enc := netlink.NewAttributeEncoder()
		enc.String(unix.NFTA_RULE_TABLE, "t")
		enc.String(unix.NFTA_RULE_CHAIN, "c")
		enc.Bytes(netlink.Nested|unix.NFTA_RULE_EXPRESSIONS, e)
		data, err := enc.Encode()
		if err != nil {
			return err
		}
		messages = append(messages, netlink.Message{
			Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWRULE, Flags: netlink.Request | netlink.Create | netlink.Append},
			Data:   append([]byte{unix.NFPROTO_IPV4, 0, 0, 0}, data...),
		})
	}
	messages[len(messages)-1].Header.Flags |= netlink.Acknowledge
	if _, err := conn.SendMessages(append(messages, batch(unix.NFNL_MSG_BATCH_END))); err != nil {
		return err
	}
	_, err = conn.Receive()
	return err
}

// dial opens a connection to the family.
func dial(tb testing.TB) (*genetlink.Conn, genetlink.Family) {
	tb.Helper()
	conn, err := genetlink.Dial(nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	family, err := conn.GetFamily("nft_dict")
	if err != nil {
		tb.Fatal(err)
	}
	return conn, family
}

// bytes returns the memory of a table's rows.
func (h *host) bytes(tb testing.TB, table string) (n uint64) {
	tb.Helper()
	conn, family := dial(tb)
	enc := netlink.NewAttributeEncoder()
	enc.String(attrTable, table)
	data, err := enc.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	replies, err := conn.Execute(genetlink.Message{Header: genetlink.Header{Command: cmdTableGet, Version: 1}, Data: data}, family.ID, netlink.Request)
	if err != nil {
		tb.Fatal(err)
	}
	attrs, err := netlink.NewAttributeDecoder(replies[0].Data)
	if err != nil {
		tb.Fatal(err)
	}
	for attrs.Next() {
		if attrs.Type() == attrBytes {
			n = attrs.Uint64()
		}
	}
	return n
}

// join puts the calling goroutine on a thread in the namespace of a file; the
// thread ends with the goroutine.
func join(f *os.File) error {
	runtime.LockOSThread()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}
