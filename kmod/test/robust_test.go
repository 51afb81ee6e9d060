// SPDX-License-Identifier: MIT

package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
)

// TestSameAsSlow: what a connection of UDP meets on its way, translated by the
// gateway, is the same by the flowtable and by the card as by the rules: whom it comes
// from, life times, fragments, links that are too narrow, and errors of the far end.
func TestSameAsSlow(t *testing.T) {
	want := []string{
		"comes from the gateway", "arrives with a life of 63", "life of 1: no route to host", "1400 bytes undivided: message too long", "3000 bytes in fragments: echoed",
		"1200 bytes undivided: echoed", "after the far end has closed: connection refused",
	}
	for _, way := range []struct {
		name, flags, rules string
		bits               uint32
	}{
		{"slow", "", "", 0},
		{"software", "", addAll, statusOffload},
		{"hardware", "flags offload", addAll, statusHardware},
	} {
		t.Run(way.name, func(t *testing.T) {
			p := newPath(t, way.flags != "", way.flags, way.rules)
			if err := p.nft("table inet nat { chain post { type nat hook postrouting priority 100; oifname wan0 masquerade; }; }"); err != nil {
				t.Fatal(err)
			}
			for ns, name := range map[*lab.Namespace]string{p.Gateway: "wan0", p.Internet: "eth0"} {
				if out, err := ns.Command(context.Background(), "ip", "link", "set", name, "mtu", "1280").CombinedOutput(); err != nil {
					t.Fatal(err, string(out))
				}
			}
			for _, f := range datagrams {
				if diff := cmp.Diff(want, p.probes(t, f, way.bits)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", f.network, diff)
				}
			}
		})
	}
}

// datagram is UDP over one family: its socket options, and how one reads with the life
// that is left.
type datagram struct {
	network                       string
	at                            netip.Addr
	level, errors, life, discover int
	reader                        func(net.PacketConn) (func([]byte) (n, life int, from net.Addr, err error), error)
}

var datagrams = []datagram{
	{"udp4", lab.Internet4, unix.IPPROTO_IP, unix.IP_RECVERR, unix.IP_TTL, unix.IP_MTU_DISCOVER, func(pc net.PacketConn) (func([]byte) (int, int, net.Addr, error), error) {
		c := ipv4.NewPacketConn(pc)
		return func(b []byte) (n, life int, from net.Addr, err error) {
			n, cm, from, err := c.ReadFrom(b)
			if cm != nil {
				life = cm.TTL
			}
			return n, life, from, err
		}, c.SetControlMessage(ipv4.FlagTTL, true)
	}},
	{"udp6", lab.Internet6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.IPV6_UNICAST_HOPS, unix.IPV6_MTU_DISCOVER, func(pc net.PacketConn) (func([]byte) (int, int, net.Addr, error), error) {
		c := ipv6.NewPacketConn(pc)
		return func(b []byte) (n, life int, from net.Addr, err error) {
			n, cm, from, err := c.ReadFrom(b)
			if cm != nil {
				life = cm.HopLimit
			}
			return n, life, from, err
		}, c.SetControlMessage(ipv6.FlagHopLimit, true)
	}},
}

// probes sends what is out of the ordinary over a connection of UDP whose entry has
// the bits, and tells what comes of it.
func (p *path) probes(t *testing.T, f datagram, bits uint32) (found []string) {
	t.Helper()
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	pc, err := p.Internet.ListenPacket(t.Context(), f.network, netip.AddrPortFrom(f.at, 9).String())
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	read, err := f.reader(pc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Client.Dial(t.Context(), f.network, netip.AddrPortFrom(f.at, 9).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	option := func(name, value int) {
		t.Helper()
		raw, err := c.(*net.UDPConn).SyscallConn()
		if err == nil {
			e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), f.level, name, value) })
			err = errors.Join(err, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	option(f.errors, 1)
	var source netip.Addr // of what has arrived
	// round sends n bytes, has them answered, and returns the life they had left.
	round := func(n int) (life int, err error) {
		deadline := time.Now().Add(patience)
		if err := errors.Join(c.SetDeadline(deadline), pc.SetDeadline(deadline)); err != nil {
			return 0, err
		}
		if _, err := c.Write(make([]byte, n)); err != nil {
			return 0, err
		}
		buf := make([]byte, 4096)
		got, life, from, err := read(buf)
		if err != nil {
			return 0, err
		}
		source = ap(from).Addr()
		if _, err := pc.WriteTo(buf[:got], from); err != nil {
			return 0, err
		}
		if got, err = c.Read(buf); err == nil && got != n {
			err = io.ErrShortBuffer
		}
		return life, err
	}
	// failing sends n bytes until that fails.
	failing := func(n int) error {
		for range 20 {
			if err := c.SetDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
				return err
			}
			if _, err := c.Write(make([]byte, n)); err != nil {
				return err
			}
			if _, err := c.Read(make([]byte, 4096)); err != nil && !errors.Is(err, unix.EAGAIN) && !timedOut(err) {
				return err
			}
		}
		return errors.New("nothing comes back")
	}
	plain := func(err error) string {
		var errno unix.Errno
		if errors.As(err, &errno) {
			return errno.Error()
		}
		if err == nil {
			return "echoed"
		}
		return err.Error()
	}
	life := 0
	p.until("the connection goes its way", func() bool {
		if life, err = round(100); err != nil {
			t.Fatal(err)
		}
		return p.is(c, bits)
	})
	p.goes(t, bits, func() {
		if life, err = round(100); err != nil {
			t.Fatal(err)
		}
	})
	if source == lab.GatewayWAN4 || source == lab.GatewayWAN6 {
		say("comes from the gateway")
	} else {
		say("comes from %v", source)
	}
	say("arrives with a life of %d", life)
	option(f.life, 1)
	say("life of 1: %s", plain(failing(100)))
	option(f.life, 64)
	option(f.discover, unix.IP_PMTUDISC_DO)
	say("1400 bytes undivided: %s", plain(failing(1400)))
	option(f.discover, unix.IP_PMTUDISC_DONT)
	_, err = round(3000)
	say("3000 bytes in fragments: %s", plain(err))
	option(f.discover, unix.IP_PMTUDISC_DO)
	_, err = round(1200)
	say("1200 bytes undivided: %s", plain(err))
	if !p.is(c, bits) {
		t.Error("the connection has left its way")
	}
	pc.Close()
	say("after the far end has closed: %s", plain(failing(100)))
	return found
}

// goes checks that rounds, of a packet each way, go the way that the bits of their entry say.
func (p *path) goes(t *testing.T, bits uint32, round func()) {
	t.Helper()
	const rounds = 10
	figures := func() (slow, card uint64) {
		if p.card != nil {
			card = p.card.State().Packets
		}
		return p.counter("inet t", "slow"), card
	}
	slow, card := figures()
	for range rounds {
		round()
	}
	is, hard := figures()
	found, want := [...]uint64{is - slow, hard - card}, [...]uint64{0, 0}
	switch bits {
	case 0:
		want[0] = 2 * rounds
	case statusHardware:
		want[1] = 2 * rounds
	}
	if found != want {
		t.Errorf("of %d packets %d pass by the rules and %d by the card, want %v", 2*rounds, found[0], found[1], want)
	}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
