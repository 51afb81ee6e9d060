// SPDX-License-Identifier: MIT

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// ask opens a TCP connection from a port of the client to a site's echo service
// and sends a request for a host; the answer is the request.
func (r *rig) ask(port int, to netip.Addr, host string) (net.Conn, error) {
	var conn net.Conn
	err := r.Client.Do(func() error {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: lab.Client4.AsSlice(), Port: port}, Timeout: 3 * time.Second, Control: reuse}
		c, err := d.Dial("tcp4", netip.AddrPortFrom(to, lab.EchoPort).String())
		if err != nil {
			return err
		}
		request := "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		if _, err = io.WriteString(c, request); err == nil {
			_, err = io.ReadFull(c, make([]byte, len(request)))
		}
		if err != nil {
			return errors.Join(err, c.Close())
		}
		conn = c
		return nil
	})
	return conn, err
}

// TestEntryOfTwoConnections has a packet of the server follow the end of a
// connection: conntrack then lets the next connection of the same ports go on in
// the old entry, with its id and its mark, and tells nobody.
func TestEntryOfTwoConnections(t *testing.T) {
	for _, bit := range []string{"0x40000000", "0"} {
		t.Run("finish bit "+bit, func(t *testing.T) {
			r := newRig(t, lab.Config{})
			r.start("[rules]", "finish_bit = "+bit)
			r.forward()
			site, _ := r.Site("example.org")
			server := labtest.Capture(t, r.Internet, "eth0")
			client := labtest.Capture(t, r.Client, "eth0")
			const port = 40321
			first, err := r.ask(port, site.Addr4, "www.netflix.com")
			if err != nil {
				t.Fatal(err)
			}
			id := r.connection(lab.EchoPort)
			if got := r.field("sessions", id, "application"); got != "NETFLIX" {
				t.Fatalf("application is %q", got)
			}
			// More packets than a connection is looked at for.
			for range 70 {
				_, _ = io.WriteString(first, "x")
				if _, err := io.ReadFull(first, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			abort(first)
			await(t, server, 1, func(s lab.Segment) bool { return s.RST })
			// The client must not answer what now comes to nobody.
			if out, err := r.Client.Command(t.Context(), "nft", "add table ip quiet; add chain ip quiet output { type filter hook output priority 0; }; "+
				"add rule ip quiet output tcp flags rst drop").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := resend(server, r.Internet, "www.netflix.com"); err != nil {
				t.Fatal(err)
			}
			await(t, client, 2, func(s lab.Segment) bool {
				return s.Src.Port() == lab.EchoPort && strings.Contains(string(s.Payload), "www.netflix.com")
			})
			r.nft("add rule ip filter forward dict sessions ct id application NETFLIX counter reject with tcp reset")

			second, err := r.ask(port, site.Addr4, "example.org")
			if err != nil {
				t.Fatalf("the connection is taken for the one before: %v", err)
			}
			defer second.Close()
			if again := r.connection(lab.EchoPort); again != id {
				t.Fatalf("the kernel made a new entry, %s after %s: this run shows nothing", again, id)
			}
			if got := r.field("sessions", id, "application_detail"); got != "example.org" {
				t.Errorf("application_detail is %q", got)
			}
		})
	}
}

// await waits until n segments that fit have passed.
func await(t *testing.T, wire *lab.Capture, n int, fits func(lab.Segment) bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		found, err := wire.Segments(fits)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) >= n {
			return
		}
	}
	t.Fatal("a segment never came")
}

// resend sends the last packet of the internet that holds a text once more.
func resend(wire *lab.Capture, from *lab.Namespace, text string) error {
	all, err := wire.Packets()
	if err != nil {
		return err
	}
	var packet []byte
	for _, p := range all {
		if s, ok := p.Segment(); ok && p.Outgoing && strings.Contains(string(s.Payload), text) {
			packet = slices.Clone(p.Frame[14:]) // behind the Ethernet header
		}
	}
	if packet == nil {
		return fmt.Errorf("no packet with %q among %d", text, len(all))
	}
	if err := sum(packet); err != nil {
		return err
	}
	return from.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: [4]byte(packet[16:20])})
	})
}

// sum puts the checksum into an IPv4 packet of TCP: what never left the machine
// may be without.
func sum(packet []byte) error {
	decoded := gopacket.NewPacket(packet, layers.LayerTypeIPv4, gopacket.Default)
	ip, ok := decoded.NetworkLayer().(*layers.IPv4)
	tcp, isTCP := decoded.TransportLayer().(*layers.TCP)
	if !ok || !isTCP {
		return errors.New("no TCP over IPv4")
	}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		return err
	}
	head := packet[int(ip.IHL)*4:]
	head[16], head[17] = 0, 0
	tcp.Contents = head[:len(tcp.Contents)]
	n, err := tcp.ComputeChecksum()
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(head[16:], n)
	return nil
}
