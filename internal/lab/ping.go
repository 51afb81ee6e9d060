// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Ping sends one ICMP echo request from the namespace and waits for the reply
// until the context ends.
func (n *Namespace) Ping(ctx context.Context, to netip.Addr) error {
	network, protocol := "ip4:icmp", 1
	var request, reply icmp.Type = ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply
	if to.Is6() {
		network, protocol = "ip6:ipv6-icmp", 58
		request, reply = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply
	}
	conn, err := n.Dial(ctx, network, to.String())
	if err != nil {
		return fmt.Errorf("ping %s from %s: %w", to, n.name, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	echo := &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: 1, Data: []byte("lab")}
	// For ICMPv6 the kernel fills the checksum in.
	packet, err := (&icmp.Message{Type: request, Body: echo}).Marshal(nil)
	if err != nil {
		return err
	}
	if _, err := conn.Write(packet); err != nil {
		return fmt.Errorf("ping %s from %s: %w", to, n.name, err)
	}
	buf := make([]byte, 1500)
	for {
		size, err := readICMP(conn, buf)
		if ctx.Err() != nil {
			return fmt.Errorf("ping %s from %s: %w", to, n.name, ctx.Err())
		}
		if err != nil {
			return fmt.Errorf("ping %s from %s: %w", to, n.name, err)
		}
		m, err := icmp.ParseMessage(protocol, buf[:size])
		if err != nil || m.Type != reply {
			continue
		}
		if got, ok := m.Body.(*icmp.Echo); ok && got.ID == echo.ID && got.Seq == echo.Seq {
			return nil
		}
	}
}

// readICMP reads one message; IPConn.ReadFrom leaves the IPv4 header out,
// where Read does not.
func readICMP(conn net.Conn, buf []byte) (int, error) {
	if ip, ok := conn.(*net.IPConn); ok {
		size, _, err := ip.ReadFromIP(buf)
		return size, err
	}
	return conn.Read(buf)
}
