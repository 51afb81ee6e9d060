// SPDX-License-Identifier: MIT

package torture

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	vnl "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wire is what packets are sent on, all in one namespace:
//
//	sockets -- lo             ip, ip6, inet: output ... input
//	frames -- end ===== device -- bridge 10.9.9.1, fd99::1
//	                    netdev: ingress; bridge, ip, ip6, inet, arp: the way in and the answers
type wire struct {
	device string
	v4, v6 int // UDP sockets
	frames int
	index  int
	ether  [6]byte // of the bridge
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{device: "device"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bridge := &vnl.Bridge{LinkAttrs: vnl.LinkAttrs{Name: "bridge"}}
	check(vnl.LinkAdd(bridge))
	check(vnl.LinkAdd(&vnl.Veth{LinkAttrs: vnl.LinkAttrs{Name: "end"}, PeerName: w.device}))
	for _, name := range []string{"bridge", "end", w.device} {
		link, err := vnl.LinkByName(name)
		check(err)
		switch name {
		case "bridge":
			for _, a := range []string{"10.9.9.1/24", "fd99::1/64"} {
				addr, err := vnl.ParseAddr(a)
				check(err)
				addr.Flags = unix.IFA_F_NODAD
				check(vnl.AddrAdd(link, addr))
			}
			copy(w.ether[:], link.Attrs().HardwareAddr)
		case "end":
			w.index = link.Attrs().Index
		default:
			check(vnl.LinkSetMaster(link, bridge))
		}
		check(vnl.LinkSetUp(link))
	}
	if link, err := vnl.LinkByName("bridge"); err == nil { // it takes that of its first port
		copy(w.ether[:], link.Attrs().HardwareAddr)
	}
	open := func(domain, typ, protocol int) int {
		fd, err := unix.Socket(domain, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
		check(err)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	w.v4 = open(unix.AF_INET, unix.SOCK_DGRAM, 0)
	w.v6 = open(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	w.frames = open(unix.AF_PACKET, unix.SOCK_RAW, 0)
	return w
}

// send sends a packet of every kind, and returns how many left. Rules may stop
// any.
func (w *wire) send(t *testing.T, r *rand.Rand) (sent int) {
	t.Helper()
	count := func(err error) {
		if err == nil {
			sent++
		}
	}
	port := 40000 + r.IntN(32)
	payload := make([]byte, r.IntN(200))
	count(unix.Sendto(w.v4, payload, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}))
	count(unix.Sendto(w.v6, payload, 0, &unix.SockaddrInet6{Addr: [16]byte{15: 1}, Port: port}))
	source := byte(r.IntN(8))
	to := &unix.SockaddrLinklayer{Ifindex: w.index}
	count(unix.Sendto(w.frames, w.frame(source, unix.ETH_P_IP, ipv4(source, uint16(port))), 0, to))
	count(unix.Sendto(w.frames, w.frame(source, unix.ETH_P_IPV6, ipv6(source, uint16(port))), 0, to))
	count(unix.Sendto(w.frames, w.frame(source, unix.ETH_P_ARP, arp(source)), 0, to))
	return sent
}

func (w *wire) frame(source byte, protocol uint16, payload []byte) []byte {
	b := append(w.ether[:len(w.ether):len(w.ether)], 2, 0, 0, 0, 0, source)
	return append(binary.BigEndian.AppendUint16(b, protocol), payload...)
}

// udp is a datagram without a checksum, as IPv4 allows.
func udp(port uint16) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x10, 0x00}, port)
	return append(b, 0, 12, 0, 0, 'd', 'a', 't', 'a')
}

func ipv4(source byte, port uint16) []byte {
	b := []byte{0x45, 0, 0, 32, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0, 10, 9, 9, 100 + source, 10, 9, 9, 1}
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum+sum>>16))
	return append(b, udp(port)...)
}

func ipv6(source byte, port uint16) []byte {
	b := []byte{0x60, 0, 0, 0, 0, 12, unix.IPPROTO_UDP, 64}
	for _, last := range []byte{100 + source, 1} {
		b = append(b, 0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
	}
	return append(b, udp(port)...)
}

// arp asks for the address of the bridge.
func arp(source byte) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, source, 10, 9, 9, 100 + source}
	return append(append(b, make([]byte, 6)...), 10, 9, 9, 1)
}
