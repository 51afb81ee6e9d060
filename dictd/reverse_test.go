// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// resolverPort is where the lab's internet answers for addresses.
const resolverPort = 5301

// serveNames is a resolver in the internet that knows the client and a server, and
// counts what it is asked.
func serveNames(t *testing.T, l *lab.Lab, known map[netip.Addr]string) (asked func() map[string]int) {
	t.Helper()
	names := make(map[string]string)
	for a, name := range known {
		arpa, err := dns.ReverseAddr(a.String())
		if err != nil {
			t.Fatal(err)
		}
		names[arpa] = name
	}
	requests := make(chan string, 1000)
	ready := make(chan struct{})
	s := &dns.Server{Net: "udp", NotifyStartedFunc: func() { close(ready) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		name := q.Question[0].Name
		requests <- name
		a := new(dns.Msg)
		a.SetRcode(q, dns.RcodeNameError)
		if to := names[name]; to != "" {
			a.SetReply(q)
			a.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 300}, Ptr: to}}
		}
		_ = w.WriteMsg(a)
	})}
	c, err := l.Internet.ListenPacket(t.Context(), "udp", netip.AddrPortFrom(lab.Internet4, resolverPort).String())
	if err != nil {
		t.Fatal(err)
	}
	s.PacketConn = c
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		_ = s.Shutdown()
		<-done
	})
	return func() map[string]int {
		all := map[string]int{}
		for {
			select {
			case name := <-requests:
				all[name]++
			default:
				return all
			}
		}
	}
}

// Names of addresses come into rows when DNS answers, and from then on with the
// first packet; what dictd itself asks has it ask no more.
func TestReverseNames(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		site, _ := l.Site("www.netflix.com")
		asked := serveNames(t, l, map[netip.Addr]string{lab.Client4: "laptop.lan.", site.Addr4: "edge-1.nflx.example."})
		r := startOn(t, l.Gateway, on, func(c *config.Config) {
			c.Reverse = config.Reverse{Names: config.ReverseAll, Servers: []string{netip.AddrPortFrom(lab.Internet4, resolverPort).String()}, Rate: 100}
		})
		connect := func(port int, text string) dict.Key {
			conn := fromPort(t, l, port, netip.AddrPortFrom(site.Addr4, 80))
			t.Cleanup(func() { conn.Close() })
			quiesce(t, r)
			return one(t, on.Store, map[string]string{"client_port": text}).Key
		}
		first := connect(43000, "43000")
		names := func(k dict.Key) [2]string {
			return [2]string{field(on.Store, dict.Sessions, k, "client_reverse_dns"), field(on.Store, dict.Sessions, k, "server_reverse_dns")}
		}
		want := [2]string{"laptop.lan", "edge-1.nflx.example"}
		eventually(t, "the names are there", func() bool { return names(first) == want })
		eventually(t, "the host has it for want of a better one", func() bool {
			return field(on.Store, dict.Hosts, dict.AddrKey(lab.Client4), "hostname") == "laptop.lan"
		})
		if second := connect(43001, "43001"); names(second) != want {
			t.Errorf("of a later session %v", names(second))
		}
		// Its own questions are sessions, too: of them nothing is asked.
		if n := r.who.names.Stats().Asked; n > 8 {
			t.Errorf("%d questions", n)
		}
		for name, n := range asked() {
			if n > 1 {
				t.Errorf("%s asked %d times", name, n)
			}
		}
	})
}

// Unless it is said otherwise nobody is asked about what is outside.
func TestReverseInside(t *testing.T) {
	n := &names{}
	for addr, want := range map[string]bool{"10.0.0.1": true, "192.168.77.2": true, "fd77::2": true, "198.51.100.1": false, "2001:db8::1": false, "fe80::1": false, "127.0.0.1": false, "224.0.0.1": false} {
		if got := n.wants(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: wanted %v", addr, got)
		}
	}
	n.inside = []netip.Prefix{netip.MustParsePrefix("2001:db8::/48")}
	if !n.wants(netip.MustParseAddr("2001:db8::1")) {
		t.Error("a network that is inside is not wanted")
	}
}
