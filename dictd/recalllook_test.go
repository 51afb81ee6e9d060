// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/identity"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// Where many are in flowtables, what belongs to somebody is found by his addresses, at
// either end, and each connection once.
func TestLookByAddress(t *testing.T) {
	offloadingOn(t, lookedByAddress)
}

func lookedByAddress(t *testing.T, l *lab.Lab, on *backend.Backend) {
	site, _ := l.Site("example.org")
	nine, other := netip.MustParseAddr("192.168.77.9"), [6]byte{2, 0, 0, 0, 0x77, 0x99}
	run(t, l.Gateway, "nft", "add table inet n; add chain inet n post { type nat hook postrouting priority 100; }; add rule inet n post oifname wan0 masquerade")
	run(t, l.Client, "ip", "addr", "add", nine.String()+"/24", "dev", "eth0")
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	const port = 7777
	newTalker(t, l, site, port)
	// Another device, to which answers go in vain.
	run(t, l.Gateway, "ip", "neigh", "replace", nine.String(), "lladdr", net.HardwareAddr(other[:]).String(), "dev", "lan0", "nud", "permanent")
	dial := func(network string, from, to netip.Addr) net.Conn {
		t.Helper()
		dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: patience}
		if network == "udp" {
			dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		var conn net.Conn
		if err := l.Client.Do(func() (err error) {
			conn, err = dialer.Dial(network, netip.AddrPortFrom(to, port).String())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conns := []net.Conn{dial("tcp", lab.Client4, site.Addr4), dial("tcp", lab.Client6, site.Addr6)}
	single := dial("udp", nine, site.Addr4)
	talk := func() {
		t.Helper()
		for _, conn := range conns {
			write(t, conn, 5000)
		}
		if _, err := single.Write(crowdPacket[:]); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the other device is known", func() bool { _, err := d.who.DeviceAt(nine); return err == nil })
	device, err := d.who.DeviceAt(lab.Client4)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.who.Bind(device, "bob"); err != nil {
		t.Fatal(err)
	}
	// look returns where those come from that are looked at for somebody, and the ids of
	// what is in the flowtable.
	ids := make(map[netip.Addr]uint32)
	look := func(n int, whom ...offload.Whom) string {
		t.Helper()
		d.recall.mu.Lock()
		defer d.recall.mu.Unlock()
		var from []string
		d.recall.crowd = crowd{n, time.Now()}
		if err := d.offloaded([]*look{newLook(offload.NewAffected(d.members, whom...))}, func(f *conntrack.Flow) {
			if f.Orig.DstPort == port {
				from = append(from, f.Orig.Src().String())
				ids[f.Orig.Src()] = f.ID
			}
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(from)
		from = slices.Compact(from) // it may be told of by both ends
		return strings.Join(from, " ")
	}
	host := func(a netip.Addr) offload.Whom { return offload.Whom{Kind: offload.OfHost, Name: a.String()} }
	user := func(name string) offload.Whom { return offload.Whom{Kind: offload.OfUser, Name: name} }
	of := func(whom ...offload.Whom) func() []offload.Whom { return func() []offload.Whom { return whom } }
	four, six := lab.Client4, lab.Client6
	own := fmt.Sprint(four, " ", six)
	everything := fmt.Sprint(four, " ", nine, " ", six)
	const many = maxAddresses * walkWorth
	there := func() bool { return look(many, offload.Whom{Kind: offload.All}) == everything }
	eventually(t, "all are in the flowtable", func() bool {
		talk()
		return there()
	})
	if err := d.who.Login(identity.Login{By: "test", Session: "1", User: "ann", Addrs: []netip.Addr{nine}, Since: time.Now(), Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		many int
		whom func() []offload.Whom
		want string
	}{
		{"who opened it", many, of(host(four)), four.String()},
		{"another", many, of(host(nine)), nine.String()},
		{"IPv6", many, of(host(six)), six.String()},
		{"who answers", many, of(host(site.Addr4)), fmt.Sprint(four, " ", nine)},
		{"both ends", many, of(host(four), host(site.Addr4)), fmt.Sprint(four, " ", nine)},
		{"nobody's", many, of(host(netip.MustParseAddr("192.168.77.99"))), ""},
		{"a device", many, of(offload.Whom{Kind: offload.OfDevice, Name: net.HardwareAddr(device[:]).String()}), own},
		{"who is logged in at an address", many, of(user("ann")), nine.String()},
		{"to whom the device is bound", many, of(user("bob")), own},
		{"a user without devices", many, of(user("eve")), ""},
		{"a number, and a host", many, func() []offload.Whom { return []offload.Whom{offload.Ct(ids[six]), host(nine)} }, fmt.Sprint(nine, " ", six)},
		{"few are there", 0, of(host(four)), everything},
		{"an application", many, of(offload.Whom{Kind: offload.OfApplication, Name: "NETFLIX"}), everything},
	} {
		var got string
		eventually(t, "all stay for as long as it takes to look", func() bool { // what is found out of them takes them back
			talk()
			if !there() {
				return false
			}
			got = look(c.many, c.whom()...)
			return there()
		})
		if got != c.want {
			t.Errorf("%s: looked at %q, want %q", c.what, got, c.want)
		}
	}
}
