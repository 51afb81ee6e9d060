// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/fakenic"
	"nftdict/internal/need"
)

// pppoe is a way out by PPPoE, pppd's at the gateway and a concentrator's:
//
//	client ---- lan0 gateway ppp0 = wan0 (dictd, inet dictd_offload) ---- eth0 = ppp0 internet
type pppoe struct {
	*testing.T
	l    *lab.Lab
	on   string // the gateway's device below
	pppd *lab.Cmd
}

// newPPPoE takes the addresses from the way out, and starts a concentrator.
func newPPPoE(t *testing.T, l *lab.Lab, on, peer string) *pppoe {
	t.Helper()
	need.Feature(t, "pppoe", func() error {
		const discovery = 0 // PX_PROTO_OE: the kernel loads what it needs
		fd, err := unix.Socket(unix.AF_PPPOX, unix.SOCK_STREAM, discovery)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	})
	p := &pppoe{T: t, l: l, on: on}
	run(t, l.Gateway, "ip", "address", "flush", "dev", "wan0")
	options := filepath.Join(t.TempDir(), "options")
	if err := os.WriteFile(options, []byte("noauth\nmtu 1492\nmru 1492\nipv6 ::2,::1\nunit 0\nlcp-echo-interval 1\nlcp-echo-failure 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start(l.Internet, "pppoe-server", "-F", "-I", peer, "-L", "198.18.0.2", "-R", "198.18.0.1", "-O", options)
	return p
}

// start starts a program that ends with the test.
func (p *pppoe) start(ns *lab.Namespace, name string, args ...string) *lab.Cmd {
	p.Helper()
	c := ns.Command(context.Background(), need.Program(p.T, name), args...)
	c.Stdout, c.Stderr = p.Output(), p.Output()
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = c.Cancel(); _ = c.Wait() })
	return c
}

// dial brings ppp0 up, with routes at both ends.
func (p *pppoe) dial() {
	p.Helper()
	p.pppd = p.start(p.l.Gateway, "pppd", "plugin", "rp-pppoe.so", p.on, "nodetach", "noauth", "unit", "0", "ipv6", "::1,::2", "noipdefault", "lcp-echo-interval", "1", "lcp-echo-failure", "5")
	for _, at := range []*lab.Namespace{p.l.Gateway, p.l.Internet} {
		eventually(p.T, "ppp0 is up", func() bool { return p.addresses(at) == 2 })
		for _, family := range []string{"-4", "-6"} {
			run(p.T, at, "ip", family, "route", "replace", "default", "dev", "ppp0")
		}
	}
}

// addresses returns how many ppp0 of a namespace has, -1 if there is none.
func (p *pppoe) addresses(ns *lab.Namespace) int {
	p.Helper()
	h, err := ns.Netlink()
	if err != nil {
		p.Fatal(err)
	}
	defer h.Close()
	link, err := h.LinkByName("ppp0")
	if err != nil {
		return -1
	}
	addresses, err := h.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return -1
	}
	return len(addresses)
}

// hangUp ends pppd, as a carrier that is lost does.
func (p *pppoe) hangUp() {
	p.Helper()
	if err := p.pppd.Process.Signal(unix.SIGTERM); err != nil {
		p.Fatal(err)
	}
	_ = p.pppd.Wait()
	eventually(p.T, "ppp0 is gone", func() bool { return p.addresses(p.l.Gateway)+p.addresses(p.l.Internet) == -2 })
}

// ids returns those of all connections in the flowtable.
func (p *pppoe) ids() (ids []uint32) {
	p.Helper()
	c, err := conntrack.Dial(p.l.Gateway.FD())
	if err != nil {
		p.Fatal(err)
	}
	defer c.Close()
	if err := c.Offloaded(func(f *conntrack.Flow) { ids = append(ids, f.ID) }); err != nil {
		p.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// echo opens a connection to a server that says what it is told, and returns what has it
// say n bytes. A datagram is sent again if no answer comes: one that is under way when a
// connection is taken back may be lost.
func (p *pppoe) echo(network string, to netip.Addr) (say func(n int) error) {
	p.Helper()
	conn, err := p.l.Client.Dial(p.Context(), network, netip.AddrPortFrom(to, lab.EchoPort).String())
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { conn.Close() })
	tries, wait := 1, patience
	if network == "udp" {
		tries, wait = 5, patience/5
	}
	return func(n int) (err error) {
		for range tries {
			if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
				return err
			}
			sent := make(chan error, 1)
			go func() { _, err := conn.Write(make([]byte, n)); sent <- err }()
			_, err = io.CopyN(io.Discard, conn, int64(n))
			if err = errors.Join(err, <-sent); !errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
		}
		return err
	}
}

// carrying dials, and returns what has four connections, of TCP and UDP over IPv4 and
// IPv6, say n bytes each, with packets as large as there can be.
func (p *pppoe) carrying() (say func(n int)) {
	p.Helper()
	p.dial()
	site, _ := p.l.Site(lab.NTPSite)
	var all []func(int) error
	for _, network := range []string{"tcp", "udp"} {
		for _, to := range []netip.Addr{site.Addr4, site.Addr6} {
			all = append(all, p.echo(network, to))
		}
	}
	return func(n int) {
		p.Helper()
		for i, say := range all {
			if err := say(n); err != nil {
				p.Fatalf("connection %d: %v", i, err)
			}
		}
	}
}

// largest is what a datagram may hold where a packet has 1492 bytes, and IPv6.
const largest = 1492 - 40 - 8

// TestOffloadPPPoE: what goes out by PPPoE is in the flowtable of the device below, and the
// bill is what has arrived; it comes back when a row says so, and when the carrier is lost,
// and goes on with the next.
func TestOffloadPPPoE(t *testing.T) {
	long(t)
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		p := newPPPoE(t, l, "wan0", "eth0")
		m := &moves{T: t, l: l, store: on.Store}
		m.whole(l.Client, "eth0")
		m.seen(l.Client, "pre", "prerouting", "iif != lo")
		m.seen(l.Internet, "pre", "prerouting", "iif != lo")
		m.seen(l.Gateway, "f", "forward", "")
		run(t, l.Gateway, "nft", "add rule inet seen f oifname ppp0 tcp flags syn tcp option maxseg size set rt mtu")
		m.d = startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Ledger.Period = true, 0.5 })
		say := p.carrying()
		carried := func(n int) func() bool {
			return func() bool { say(largest); return inFlowtable(t, l, lab.EchoPort) == n }
		}
		// They stay there once all is known of their hosts: until then these rows grow, and
		// take them back, which on eBPF may cost the count of a packet that is under way.
		since, ids := time.Now(), ""
		eventually(t, "all stay in the flowtable", func() bool {
			now := fmt.Sprint(carried(4)(), p.ids())
			if now != ids || now[0] == 'f' {
				since, ids = time.Now(), now
			}
			return time.Since(since) > 2*time.Second
		})
		differs := func() [2]int64 {
			sum := sums(t, m.d.account.Ledger)
			return [2]int64{int64(m.arrived(l.Internet) - sum.Out.Bytes), int64(m.arrived(l.Client) - sum.In.Bytes)}
		}
		var was [2]int64
		eventually(t, "the ledger has what arrived until now", func() bool {
			was = differs()
			time.Sleep(2 * time.Second) // of more than a poll
			return differs() == was && (on.Kind != backend.Kmod || was == [2]int64{})
		})
		before, were := m.arrived(l.Gateway), received(t, l.Gateway, "ppp0")
		for range 20 {
			say(largest)
		}
		if n := m.arrived(l.Gateway) - before; n > 10*largest {
			t.Errorf("%d bytes passed by rules", n)
		}
		if n := received(t, l.Gateway, "ppp0") - were; n > 10 {
			t.Errorf("ppp0 received %d packets", n)
		}
		var is [2]int64
		defer func() { t.Logf("%d bytes more arrived than were billed, out and in, %d of them before", is, was) }()
		eventually(t, "the ledger has what arrived", func() bool { is = differs(); return is == was })

		put := func(no bool) {
			t.Helper()
			row := dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: offload.FieldKeep, Value: dict.BoolValue(no)}}}
			if err := on.Store.Put(dict.Hosts, row); err != nil {
				t.Fatal(err)
			}
		}
		put(true)
		eventually(t, "what the row means is taken back", carried(2))
		put(false)
		eventually(t, "all are in the flowtable again", carried(4))

		p.hangUp()
		p.dial()
		eventually(t, "all are in the flowtable by the next carrier", carried(4))
		if s := m.d.Status().Offload; len(s.Devices) != 2 || s.Error != "" {
			t.Errorf("%+v", s)
		}
	})
}

// TestOffloadPPPoEWays: so it is in a VLAN; over a card that refuses to add PPPoE, where
// it is software that carries both ways; and where ppp0 itself is named, which comes and
// goes.
func TestOffloadPPPoEWays(t *testing.T) {
	long(t)
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		for dev, ns := range map[string]*lab.Namespace{"wan0": l.Gateway, "eth0": l.Internet} {
			run(t, ns, "ip", "link", "add", "link", dev, "name", dev+".35", "type", "vlan", "id", "35")
			run(t, ns, "ip", "link", "set", dev+".35", "up")
		}
		p := newPPPoE(t, l, "wan0.35", "eth0.35")
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Offload.Follow = true, false })
		say := p.carrying()
		carried := func() bool { say(largest); return inFlowtable(t, l, lab.EchoPort) == 4 }
		past := func() {
			t.Helper()
			before := received(t, l.Gateway, "ppp0")
			for range 10 {
				say(largest)
			}
			if n := received(t, l.Gateway, "ppp0") - before; n > 10 {
				t.Errorf("ppp0 received %d packets", n)
			}
		}
		eventually(t, "all are in the flowtable", carried)
		past()

		card := fakenic.New(t, l.Gateway, "lan0", "wan0")
		reload := func(change func(*config.Config)) {
			t.Helper()
			c := *d.config.Load()
			change(&c)
			if err := d.Reload(c); err != nil {
				t.Fatal(err)
			}
		}
		reload(func(c *config.Config) { c.Offload.Counts = true })
		eventually(t, "all are in the flowtable over the card", carried)
		past()
		if c := card.State(); c.Refused < 4 || c.Packets != 0 {
			t.Errorf("the card: %+v", c)
		}

		reload(func(c *config.Config) {
			c.Offload.Hardware, c.Offload.Devices = "off", []string{"lan0", "ppp*"}
		})
		devices := func(n int) func() bool { return func() bool { return len(d.Status().Offload.Devices) == n } }
		eventually(t, "ppp0 is in the flowtable", devices(2))
		eventually(t, "all are in the flowtable of ppp0", carried)
		p.hangUp()
		eventually(t, "ppp0 is not in the flowtable", devices(1))
		p.dial()
		eventually(t, "ppp0 is in the flowtable again", devices(2))
		eventually(t, "all are in the flowtable of ppp0 again", carried)
	})
}
