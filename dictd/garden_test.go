// SPDX-License-Identifier: MIT

package dictd

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"nftdict/classifier"
	"nftdict/dictd/config"
	"nftdict/dictd/portal/garden"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// withPortal has the lab's client log in before he reaches more than a garden.
func withPortal(c *config.Config) {
	c.Portal.Enable, c.Portal.Interfaces, c.Portal.Garden = true, []string{"lan0"}, []string{"example.org"}
	c.Portal.DNS = []string{lab.DNS4.String(), lab.DNS6.String()}
}

// The garden is what its names lead to, as long as no other name is asked for there.
func TestWalledGarden(t *testing.T) {
	compiling(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		r := startOn(t, l.Gateway, on, withPortal)
		for _, family := range []int{4, 6} {
			// Nobody has been told the address.
			to := addr(l, "example.org", family)
			refused(t, l, family, to)
			fetch(t, l, family, false, "http://example.org/")
			fetch(t, l, family, false, "https://example.org/")
			fetch(t, l, family, true, "https://example.org/")
			// Another name at the same address.
			b := l.Browser()
			b.Family, b.ServerName, b.Timeout = family, "www.netflix.com", patience
			if _, err := b.Get(t.Context(), "https://example.org/"); err == nil {
				t.Errorf("IPv%d: what asks for another name is of the garden", family)
			}
			eventually(t, "a row that has left the garden", func() bool {
				return len(rows(t, on.Store, map[string]string{"family": fmt.Sprint(family), "ssl_sni": "www.netflix.com", "walled_garden": "false"})) > 0
			})
			refused(t, l, family, addr(l, "www.netflix.com", family))
		}
		// Another client is told by his own answers alone.
		guest := *r.config.Load()
		guest.Portal.Interfaces = []string{"lan0", "lan1"}
		if err := r.Reload(guest); err != nil {
			t.Fatal(err)
		}
		if _, err := dial(t, l.Guest, "tcp", addr(l, "example.org", 4), 443); err == nil {
			t.Error("a client reaches what another was told of")
		}
	})
}

// refused shows that a client does not reach an address.
func refused(t *testing.T, l *lab.Lab, family int, to netip.Addr) {
	t.Helper()
	if _, err := dial(t, l.Client, "tcp", to, 443); err == nil {
		t.Errorf("IPv%d: %s answers", family, to)
	}
}

// Nobody is told of the garden by a server that he has chosen himself, while he was in.
func TestGardenResolvers(t *testing.T) {
	domains, err := garden.Parse([]string{"example.org"})
	if err != nil {
		t.Fatal(err)
	}
	const own, inside, outside = 0, 2, 3
	g := &gardener{
		domains: domains, known: classifier.NewHints(classifier.HintsOptions{}), resolvers: []netip.Prefix{netip.PrefixFrom(lab.DNS4, 32), netip.PrefixFrom(lab.DNS6, 128)},
		inside: func(index uint32) bool { return index == inside },
	}
	now := time.Now()
	for i, c := range []struct {
		device uint32
		src    netip.Addr
		want   bool
	}{
		{own, lab.DNS6, true}, {outside, lab.DNS4, true}, {outside, lab.DNS6, true}, {inside, lab.DNS4, false},
		{outside, netip.MustParseAddr("203.0.113.66"), false}, {outside, netip.MustParseAddr("2001:db8:66::1"), false},
	} {
		server := netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + i)})
		g.answered()(&classifier.Packet{Device: c.device, Src: c.src}, lab.Client4, server, "www.example.org", time.Hour, now)
		if _, known := g.known.Lookup(lab.Client4, server, now); known != c.want {
			t.Errorf("answer of %s by interface %d: known %t", c.src, c.device, known)
		}
	}
}

// What a client says in the name of a resolver is not believed.
func TestGardenForged(t *testing.T) {
	alike(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		r := startOn(t, l.Gateway, on, withPortal)
		evil := addr(l, "www.netflix.com", 4)
		run(t, l.Internet, "nft", "add table ip lost; add chain ip lost c { type filter hook input priority 0; }; add rule ip lost c udp dport 53 drop")
		c, err := dial(t, l.Client, "udp", lab.DNS4, 53)
		if err != nil {
			t.Fatal(err)
		}
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("example.org."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(query); err != nil {
			t.Fatal(err)
		}
		m.Response = true
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 3600},
			Body:   &dnsmessage.AResource{A: evil.As4()},
		}}
		answer, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		me := c.LocalAddr().(*net.UDPAddr).AddrPort()
		eventually(t, "the answer is heard", func() bool {
			if err := l.Client.Do(func() error { return sendFrame(netip.AddrPortFrom(lab.DNS4, 53), me, answer) }); err != nil {
				t.Fatal(err)
			}
			_, heard := r.memories.hints.Lookup(lab.Client4, evil, time.Now())
			return heard
		})
		if name, believed := r.memories.garden.Lookup(lab.Client4, evil, time.Now()); believed {
			t.Errorf("%s is %s, the client says", evil, name)
		}
		refused(t, l, 4, evil)
	})
}

// sendFrame sends a datagram over IPv4 to the gateway, whatever its addresses are.
func sendFrame(from, to netip.AddrPort, payload []byte) error {
	gateway, err := net.ParseMAC(lab.GatewayMAC)
	if err != nil {
		return err
	}
	link, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	const ipv4 = 0x0008 // in the order of the wire
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	p := make([]byte, 28, 28+len(payload))
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(28+len(payload)))
	copy(p[12:], from.Addr().AsSlice())
	copy(p[16:], to.Addr().AsSlice())
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	binary.BigEndian.PutUint16(p[20:], from.Port())
	binary.BigEndian.PutUint16(p[22:], to.Port())
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(payload)))
	a := syscall.SockaddrLinklayer{Protocol: ipv4, Ifindex: link.Index, Halen: 6}
	copy(a.Addr[:], gateway)
	return syscall.Sendto(fd, append(p, payload...), 0, &a)
}
