// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// A connection that a flowtable has carried is reset, and another comes from its port:
// conntrack has not seen how far the first one was, does not believe its end, and lets
// the other one go on in the entry. What is learned of it is its own, also where packets
// that the server does not get (it has closed) would bring the entry back into the
// flowtable, past which the other one could begin.
func TestOffloadedPortAgain(t *testing.T) {
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		if on.Kind != backend.Kmod && need.Promised("kmod") && !need.Promised("long") {
			return // it is the same there, and takes its time
		}
		startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable = true })
		site, _ := l.Site("www.youtube.com")
		server := netip.AddrPortFrom(site.Addr4, 80)
		run(t, l.Internet, "nft", "add table ip far; add chain ip far in { type filter hook input priority 0; }; add rule ip far in tcp sequence 1000 drop")
		own, err := net.ParseMAC(lab.ClientMAC)
		if err != nil {
			t.Fatal(err)
		}
		gateway, err := net.ParseMAC(lab.GatewayMAC)
		if err != nil {
			t.Fatal(err)
		}
		for i, host := range []string{"www.youtube.com", "www.netflix.com", "www.facebook.com"} {
			conn := fromPort(t, l, 41000, server)
			get := func() {
				t.Helper()
				if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 4096)); err != nil {
					t.Fatal(err)
				}
			}
			get()
			eventually(t, "one row of the tuple, saying "+host, func() bool {
				found := rows(t, on.Store, map[string]string{"client_port": "41000"})
				return len(found) == 1 && value(found[0], "application_detail") == host
			})
			eventually(t, "it is in the flowtable", func() bool { get(); return inFlowtable(t, l, 80) == 1 })
			for range 10 {
				get()
			}
			conn.(*net.TCPConn).SetLinger(0) // a reset
			conn.Close()
			if i == 0 {
				continue
			}
			eventually(t, "the kernel lets go", func() bool { return inFlowtable(t, l, 80) == 0 })
			for range 3 {
				frame(t, l.Client, own, gateway, lab.Client4, site.Addr4, 41000, "none")
			}
		}
	})
}
