// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/config"
	"nftdict/dictd/rules"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// A connection of which one end alone says something, and nothing that is known: what the
// other sends carries nothing, so it is not queued, and counts. When rules queue no more of
// it, its row says that it is settled, and a flowtable takes it.
func TestOnlyOneEndSpeaks(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Sessions.Packets = true, 16 })
		site, _ := l.Site("example.org")
		server := netip.AddrPortFrom(site.Addr4, 9999)
		listen(t, l, server)
		conn, err := l.Client.Dial(t.Context(), "tcp", server.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const few = 12 // segments, of which each is answered
		for range few {
			write(t, conn, 20)
			time.Sleep(20 * time.Millisecond)
		}
		f, err := lookUp(d, conn)
		if err != nil {
			t.Fatal(err)
		}
		if n := f.Counters[0].Packets + f.Counters[1].Packets; n < 16 {
			t.Fatalf("conntrack counts %d packets", n)
		}
		goesOn := func(f func() bool) func() bool {
			return func() bool {
				write(t, conn, 20)
				time.Sleep(200 * time.Millisecond)
				return f()
			}
		}
		eventually(t, "its row says that it is settled", goesOn(func() bool {
			return len(rows(t, on.Store, map[string]string{"server_port": "9999", "final": "true", "bypass_packetd": "true"})) == 1
		}))
		if s := d.Status().Sessions; s.GivenUp != 1 {
			t.Errorf("%d are given up", s.GivenUp)
		}
		if rules.ProbeFlowtable(l.Gateway.FD()) == nil && on.Compiler != nil {
			eventually(t, "it is in the flowtable", goesOn(func() bool { return inFlowtable(t, l, 9999) == 1 }))
		}
	})
}

// listen has a server at an address that hears, acknowledges at once, and says nothing.
func listen(t *testing.T, l *lab.Lab, at netip.AddrPort) {
	t.Helper()
	listener, err := l.Internet.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		raw, err := conn.(*net.TCPConn).SyscallConn()
		for err == nil {
			if cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) }); err == nil && cerr == nil {
				_, err = io.ReadAtLeast(conn, make([]byte, 20), 1)
			}
		}
	}()
}
