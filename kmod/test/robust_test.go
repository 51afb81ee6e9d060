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
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
)

// TestSameAsSlow: what a connection of UDP meets on its way, translated by the
// gateway, is the same by the flowtable and by the card as by the rules: life times,
// fragments, links that are too narrow, and errors of the far end.
func TestSameAsSlow(t *testing.T) {
	want := []string{
		"arrives with a life of 63", "life of 1: no route to host", "3000 bytes in fragments: echoed", "1400 bytes undivided: message too long",
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
			if diff := cmp.Diff(want, p.probes(t, way.bits)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// probes sends what is out of the ordinary over a connection of UDP whose entry has
// the bits, and tells what comes of it.
func (p *path) probes(t *testing.T, bits uint32) (found []string) {
	t.Helper()
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	pc, err := p.Internet.ListenPacket(t.Context(), "udp4", netip.AddrPortFrom(lab.Internet4, 9).String())
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	server := ipv4.NewPacketConn(pc)
	if err := server.SetControlMessage(ipv4.FlagTTL, true); err != nil {
		t.Fatal(err)
	}
	c, err := p.Client.Dial(t.Context(), "udp4", netip.AddrPortFrom(lab.Internet4, 9).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	option := func(name, value int) {
		t.Helper()
		raw, err := c.(*net.UDPConn).SyscallConn()
		if err == nil {
			e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, name, value) })
			err = errors.Join(err, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	option(unix.IP_RECVERR, 1)
	// round sends n bytes, has them answered, and returns the life they had left.
	round := func(n int) (ttl int, err error) {
		deadline := time.Now().Add(patience)
		if err := errors.Join(c.SetDeadline(deadline), pc.SetDeadline(deadline)); err != nil {
			return 0, err
		}
		if _, err := c.Write(make([]byte, n)); err != nil {
			return 0, err
		}
		buf := make([]byte, 4096)
		got, cm, from, err := server.ReadFrom(buf)
		if err != nil {
			return 0, err
		}
		if _, err := server.WriteTo(buf[:got], nil, from); err != nil {
			return 0, err
		}
		if got, err = c.Read(buf); err == nil && got != n {
			err = io.ErrShortBuffer
		}
		return cm.TTL, err
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
	ttl := 0
	p.until("the connection goes its way", func() bool {
		if ttl, err = round(100); err != nil {
			t.Fatal(err)
		}
		return p.is(c, bits)
	})
	if ttl, err = round(100); err != nil {
		t.Fatal(err)
	}
	say("arrives with a life of %d", ttl)
	option(unix.IP_TTL, 1)
	say("life of 1: %s", plain(failing(100)))
	option(unix.IP_TTL, 64)
	option(unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
	_, err = round(3000)
	say("3000 bytes in fragments: %s", plain(err))
	option(unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	say("1400 bytes undivided: %s", plain(failing(1400)))
	_, err = round(1200)
	say("1200 bytes undivided: %s", plain(err))
	if !p.is(c, bits) {
		t.Error("the connection has left its way")
	}
	pc.Close()
	say("after the far end has closed: %s", plain(failing(100)))
	return found
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
