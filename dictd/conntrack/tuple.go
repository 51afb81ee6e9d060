// SPDX-License-Identifier: MIT

package conntrack

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Tuple is one direction of a connection as conntrack keys it, without the
// zone. Tuples compare with ==.
//
// Ports are in host byte order. For ICMP echo both ports are the identifier;
// for protocols other than TCP, UDP and ICMP echo they are 0.
type Tuple struct {
	src, dst [16]byte // IPv4 in the last four bytes, the rest 0
	SrcPort  uint16
	DstPort  uint16
	Proto    uint8 // IP protocol number
	Family   uint8 // 4 or 6
}

// NewTuple returns the tuple of a packet from src to dst. Both addresses are of
// one family; an IPv4-mapped address counts as IPv6.
func NewTuple(proto uint8, src, dst netip.AddrPort) Tuple {
	t := Tuple{Proto: proto, SrcPort: src.Port(), DstPort: dst.Port(), Family: 6}
	if src.Addr().Is4() {
		t.Family = 4
		a, b := src.Addr().As4(), dst.Addr().As4()
		copy(t.src[12:], a[:])
		copy(t.dst[12:], b[:])
		return t
	}
	t.src, t.dst = src.Addr().As16(), dst.Addr().As16()
	return t
}

// Src returns the source address.
func (t *Tuple) Src() netip.Addr { return t.addr(&t.src) }

// Dst returns the destination address.
func (t *Tuple) Dst() netip.Addr { return t.addr(&t.dst) }

func (t *Tuple) addr(b *[16]byte) netip.Addr {
	switch t.Family {
	case 4:
		return netip.AddrFrom4([4]byte(b[12:]))
	case 6:
		return netip.AddrFrom16(*b)
	}
	return netip.Addr{}
}

// Reverse returns the tuple of the other direction, as it is without NAT.
func (t Tuple) Reverse() Tuple {
	t.src, t.dst = t.dst, t.src
	t.SrcPort, t.DstPort = t.DstPort, t.SrcPort
	return t
}

// String returns "6 10.0.0.1:1234 > 192.0.2.1:443".
func (t Tuple) String() string {
	return fmt.Sprintf("%d %s > %s", t.Proto,
		netip.AddrPortFrom(t.Src(), t.SrcPort), netip.AddrPortFrom(t.Dst(), t.DstPort))
}

// hasPorts reports whether conntrack keys the protocol by ports that a Tuple
// carries.
func hasPorts(proto uint8) bool { return proto == unix.IPPROTO_TCP || proto == unix.IPPROTO_UDP }
