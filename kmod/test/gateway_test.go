// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ti-mo/conntrack"
	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/internal/need"
)

// gateway is a host between two others, and a chain at forward, "c" in inet "t", which
// begins with a counter:
//
//	client 10.1.0.2 fd01::2 ---- g0 gateway g1 ---- server 10.2.0.2 fd02::2
//	       10.3.0.2 ---- g0.5, a VLAN where a test asks for it
//
// A flowtable "f" takes packets at both devices.
type gateway struct {
	*host
	*ruleset
	client, server *os.File // their namespaces
	tracks         *conntrack.Conn
}

// The first chain has conntrack at work.
const gatewayRules = `table inet t {
	flowtable f { hook ingress priority 0; devices = { g0, g1 }; counter; }
	chain tracked { type filter hook prerouting priority 0; ct state invalid drop; }
	chain c { type filter hook forward priority 0; counter; }
}
`

func newGateway(tb testing.TB) *gateway {
	tb.Helper()
	g := between(tb, newHost(tb))
	need.Feature(tb, "flowtable", func() error {
		cmd := exec.Command(need.Program(tb, "nft"), "-f", "-")
		cmd.Stdin = strings.NewReader(gatewayRules)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	for _, t := range dict.Standard(dict.DefaultLimit) {
		if err := g.store.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	return g
}

// between puts a host between two others; no rule is there.
func between(tb testing.TB, h *host) *gateway {
	tb.Helper()
	g := &gateway{host: h}
	g.ruleset = newRuleset(tb, unix.NFPROTO_INET)
	g.client, g.server = apart(tb), apart(tb)
	sysctl(tb, "net/ipv4/ip_forward", "1")
	sysctl(tb, "net/ipv6/conf/all/forwarding", "1")
	for i, ns := range []*os.File{g.client, g.server} {
		name, side := fmt.Sprintf("g%d", i), i+1
		_, far := pair(tb, name, "far")
		if err := vnl.LinkSetNsFd(far, int(ns.Fd())); err != nil {
			tb.Fatal(err)
		}
		address(tb, name, fmt.Sprintf("10.%d.0.1/24", side), fmt.Sprintf("fd0%d::1/64", side))
		inside(tb, ns, func() error {
			address(tb, "far", fmt.Sprintf("10.%d.0.2/24", side), fmt.Sprintf("fd0%d::2/64", side))
			route(tb, fmt.Sprintf("10.%d.0.1", side))
			route(tb, fmt.Sprintf("fd0%d::1", side))
			return nil
		})
	}
	var err error
	if g.tracks, err = conntrack.Dial(nil); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { g.tracks.Close() })
	return g
}

// apart makes a namespace, which lasts as long as the file or what is in it.
func apart(tb testing.TB) (ns *os.File) {
	tb.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with what it is
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			ns, err = os.Open("/proc/thread-self/ns/net")
		}
		done <- err
	}()
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ns.Close() })
	return ns
}

// inside runs f in a namespace.
func inside(tb testing.TB, ns *os.File, f func() error) {
	tb.Helper()
	done := make(chan error)
	go func() {
		err := errors.New("the test ended")
		defer func() { done <- err }()
		if err = join(ns); err == nil {
			err = f()
		}
	}()
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
}

// address gives addresses, in use at once, to a device and puts it up.
func address(tb testing.TB, name string, prefixes ...string) {
	tb.Helper()
	l, err := vnl.LinkByName(name)
	for _, p := range prefixes {
		a, e := vnl.ParseAddr(p)
		if err = errors.Join(err, e); err != nil {
			break
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		err = vnl.AddrAdd(l, a)
	}
	if err == nil {
		err = vnl.LinkSetUp(l)
	}
	if err != nil {
		tb.Errorf("%s: %v", name, err)
	}
}

// route makes a gateway that of all.
func route(tb testing.TB, gateway string) {
	tb.Helper()
	if err := vnl.RouteAdd(&vnl.Route{Gw: net.ParseIP(gateway)}); err != nil {
		tb.Errorf("route by %s: %v", gateway, err)
	}
}

// vlan joins client and gateway by a VLAN, too.
func (g *gateway) vlan(tb testing.TB) {
	tb.Helper()
	add := func(name string) error {
		l, err := vnl.LinkByName(name)
		if err != nil {
			return err
		}
		return vnl.LinkAdd(&vnl.Vlan{LinkAttrs: vnl.LinkAttrs{Name: name + ".5", ParentIndex: l.Attrs().Index}, VlanId: 5})
	}
	need.Feature(tb, "vlan", func() error { return add("g0") })
	address(tb, "g0.5", "10.3.0.1/24")
	inside(tb, g.client, func() error {
		err := add("far")
		if err == nil {
			address(tb, "far.5", "10.3.0.2/24")
		}
		return err
	})
}

// talk is a connection through the gateway, of UDP.
type talk struct {
	testing.TB
	client, server *net.UDPConn
	id             uint32
}

// open opens a connection from an address of the client's, with a packet each way, so
// that conntrack knows it.
func (g *gateway) open(t testing.TB, from string) *talk {
	t.Helper()
	k := &talk{TB: t}
	to := "10.2.0.2"
	if netip.MustParseAddr(from).Is6() {
		to = "fd02::2"
	}
	listen := func(addr string) (c *net.UDPConn, err error) {
		if c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))); err == nil {
			t.Cleanup(func() { c.Close() })
		}
		return c, err
	}
	inside(t, g.client, func() (err error) { k.client, err = listen(from); return })
	inside(t, g.server, func() (err error) { k.server, err = listen(to); return })
	k.round()
	all, err := g.tracks.Dump(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.TupleOrig.Proto.SourcePort == port(k.client) && f.TupleOrig.Proto.DestinationPort == port(k.server) {
			k.id = f.ID
		}
	}
	if k.id == 0 {
		t.Fatal("conntrack does not know the connection")
	}
	return k
}

func port(c *net.UDPConn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// round sends a packet each way.
func (k *talk) round() {
	k.Helper()
	send := func(from, to *net.UDPConn) error {
		buf := make([]byte, 100)
		if err := to.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			return err
		}
		if _, err := from.WriteToUDPAddrPort(buf, to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			return err
		}
		_, _, err := to.ReadFromUDPAddrPort(buf)
		return err
	}
	if err := errors.Join(send(k.client, k.server), send(k.server, k.client)); err != nil {
		k.Fatal(err)
	}
}

// offloaded reports whether conntrack says that a flowtable has the connection.
func (g *gateway) offloaded(tb testing.TB, k *talk) bool {
	tb.Helper()
	all, err := g.tracks.Dump(nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range all {
		if f.ID == k.id {
			const offload = 1 << 14
			return f.Status&offload != 0
		}
	}
	tb.Fatalf("connection %d is gone", k.id)
	return false
}

// slow returns how many packets have passed by the chain.
func (g *gateway) slow(tb testing.TB) uint64 {
	tb.Helper()
	return g.list(tb, "c")[0].packets
}
