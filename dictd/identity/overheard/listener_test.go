// SPDX-License-Identifier: MIT

package overheard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// The lab's gateway listens on lan0:
//
//	client, 192.168.77.2 ---- lan0 gateway wan0 ---- internet

const patience = 20 * time.Second

// say sends a datagram from a port of a namespace to all of its link.
func say(t *testing.T, ns *lab.Namespace, from, to string, data []byte) {
	t.Helper()
	err := ns.Do(func() error {
		local := netip.MustParseAddrPort(from)
		conf := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
				_ = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "eth0")
			})
		}}
		c, err := conf.ListenPacket(t.Context(), "udp", local.String())
		if err != nil {
			return err
		}
		_, err = c.(*net.UDPConn).WriteToUDPAddrPort(data, netip.MustParseAddrPort(to))
		return errors.Join(err, c.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ping sends a message of ICMP that would be to a port that is listened to, were it UDP.
func ping(t *testing.T, ns *lab.Namespace, network, from, to string, typ byte) {
	t.Helper()
	addr := netip.MustParseAddr(to)
	err := ns.Do(func() error {
		c, err := net.ListenPacket(network, from)
		if err != nil {
			return err
		}
		raw, err := c.(*net.IPConn).SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) {
				_ = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "eth0")
			})
		}
		if err == nil {
			_, err = c.WriteTo([]byte{typ, 0, 5353 >> 8, 5353 & 0xff, 0, 0, 0, 1}, &net.IPAddr{IP: addr.AsSlice(), Zone: addr.Zone()})
		}
		return errors.Join(err, c.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// index returns the index of an interface.
func index(tb testing.TB, ns *lab.Namespace, name string) uint32 {
	tb.Helper()
	var index uint32
	err := ns.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err == nil {
			index = uint32(link.Attrs().Index)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return index
}

func TestListen(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	var mu sync.Mutex
	heard := map[Source]Message{}
	n, err := Listen(Config{NetNS: l.Gateway.FD(), Handle: func(m *Message) {
		mu.Lock()
		defer mu.Unlock()
		heard[m.Source] = *m
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			t.Error(err)
		}
	}()
	wait := func(s Source, name string) {
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			m, ok := heard[s]
			mu.Unlock()
			if ok && len(m.Names) > 0 && m.Names[0].Name == name {
				if m.MAC != device {
					t.Errorf("%s by %x", name, m.MAC)
				}
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: heard %v; counted %+v", name, m, n.Stats())
			}
		}
	}
	mdns := announcement(t, "pc.local. 120 IN A 192.168.77.2")
	n.SetLinks(map[uint32]string{index(t, l.Gateway, "lan0"): "lan0"})
	say(t, l.Client, "0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0cby-dhcp"))
	wait(DHCP, "by-dhcp")
	say(t, l.Client, "192.168.77.2:5353", "224.0.0.251:5353", mdns)
	wait(MDNS, "pc")
	say(t, l.Client, "[fd77::2]:5353", "[ff02::fb%eth0]:5353", announcement(t, "six.local. 120 IN AAAA fd77::2"))
	wait(MDNS, "six")
	// What the internet's side says is not listened to, nor what is for one alone, nor
	// what is no UDP, although it is for all.
	refused := n.Stats()
	ping(t, l.Client, "ip4:icmp", "192.168.77.2", "224.0.0.251", 8)
	ping(t, l.Client, "ip6:ipv6-icmp", "fd77::2", "ff02::fb%eth0", 128)
	say(t, l.Internet, lab.Internet4.String()+":5353", "224.0.0.251:5353", mdns)
	say(t, l.Client, "192.168.77.2:5353", lab.GatewayLAN4.String()+":5353", mdns)
	say(t, l.Client, "0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0clast"))
	wait(DHCP, "last")
	if s := n.Stats(); s.Heard != refused.Heard+1 || s.Refused != refused.Refused {
		t.Errorf("counted %+v, before %+v", s, refused)
	}
	// An interface that is there no more, and one that never was.
	n.SetLinks(nil)
	say(t, l.Client, "0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0cunheard"))
	n.SetLinks(map[uint32]string{99999: "none"})
	if s := n.Stats(); s.Deaf != 2 || s.Heard != refused.Heard+1 {
		t.Errorf("counted %+v", s)
	}
	n.SetLinks(map[uint32]string{index(t, l.Gateway, "lan0"): "lan0"})
	say(t, l.Client, "0.0.0.0:68", "255.255.255.255:67", dhcpRequest(device, "\x0cagain"))
	wait(DHCP, "again")
}
