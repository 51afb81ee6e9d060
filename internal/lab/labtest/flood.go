// SPDX-License-Identifier: MIT

package labtest

import (
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
)

// HalfOpen sends the first segment of n connections from the client's namespace to
// addresses by turns, in the names of neighbours of the client that do not exist. None
// is finished.
func HalfOpen(tb testing.TB, l *lab.Lab, n int, to ...netip.AddrPort) {
	tb.Helper()
	if err := l.Client.Do(func() error { return halfOpen(n, to) }); err != nil {
		tb.Fatalf("half-open connections: %v", err)
	}
}

func halfOpen(n int, to []netip.AddrPort) error {
	fd4, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd4)
	fd6, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd6)
	const neighbours = 200
	buf := gopacket.NewSerializeBuffer()
	for i := range n {
		dst := to[i%len(to)]
		tcp := &layers.TCP{SrcPort: layers.TCPPort(1024 + i/neighbours), DstPort: layers.TCPPort(dst.Port()), SYN: true, Seq: uint32(i) << 12, Window: 64240}
		var ip interface {
			gopacket.SerializableLayer
			gopacket.NetworkLayer
		}
		var at unix.Sockaddr
		src, fd := lab.Client4.AsSlice(), fd4
		if dst.Addr().Is6() {
			src, fd = lab.Client6.AsSlice(), fd6
		}
		src[len(src)-1] = byte(3 + i%neighbours)
		if dst.Addr().Is6() {
			ip = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: src, DstIP: dst.Addr().AsSlice()}
			at = &unix.SockaddrInet6{Addr: dst.Addr().As16()}
		} else {
			ip = &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: src, DstIP: dst.Addr().AsSlice()}
			at = &unix.SockaddrInet4{Addr: dst.Addr().As4()}
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			return err
		}
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp); err != nil {
			return err
		}
		if err := unix.Sendto(fd, buf.Bytes(), 0, at); err != nil {
			return err
		}
	}
	return nil
}
