// SPDX-License-Identifier: MIT

package rule

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// ReversePath holds for packets for whose source there is no route back by the
// interface they came by, in chains at prerouting.
func ReversePath() Key[bool] {
	return Key[bool]{key: key{text: "fib saddr . iif oif", typ: nftables.TypeBoolean, load: func(b *builder, reg uint32) {
		b.add(&expr.Fib{Register: reg, FlagSADDR: true, FlagIIF: true, FlagPRESENT: true, ResultOIF: true})
	}}, enc: boolean(4, "exists", "missing")}
}

// AddrType is what an address is to this machine.
type AddrType uint32

// The types.
const (
	AddrUnicast   AddrType = 1
	AddrLocal     AddrType = 2
	AddrBroadcast AddrType = 3
	AddrAnycast   AddrType = 4
	AddrMulticast AddrType = 5
	AddrBlackhole AddrType = 6
)

// String returns the type as nft writes it.
func (a AddrType) String() string {
	words := [...]string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole"}
	if int(a) >= len(words) {
		return decimal(a)
	}
	return words[a]
}

// SaddrType is what the packet's source address is to this machine.
func SaddrType() Key[AddrType] {
	return fibType("fib saddr type", expr.Fib{FlagSADDR: true, ResultADDRTYPE: true})
}

// DaddrType is what the packet's destination address is to this machine.
func DaddrType() Key[AddrType] {
	return fibType("fib daddr type", expr.Fib{FlagDADDR: true, ResultADDRTYPE: true})
}

func fibType(text string, e expr.Fib) Key[AddrType] {
	return Key[AddrType]{key: key{text: text, typ: nftables.TypeFIBAddr, host: true, load: func(b *builder, reg uint32) {
		e := e
		e.Register = reg
		b.add(&e)
	}}, enc: hostOrder(named[AddrType])}
}

// NextHop is the IPv4 address of the gateway that the packet goes to.
func NextHop() Key[netip.Addr] {
	return routed("rt ip nexthop", IPv4, nftables.TypeIPAddr, expr.RtNexthop4)
}

// NextHop6 is the IPv6 address of the gateway that the packet goes to.
func NextHop6() Key[netip.Addr] {
	return routed("rt ip6 nexthop", IPv6, nftables.TypeIP6Addr, expr.RtNexthop6)
}

func routed(text string, family Family, typ nftables.SetDatatype, k expr.RtKey) Key[netip.Addr] {
	return Key[netip.Addr]{key: key{text: text, typ: typ, load: func(b *builder, reg uint32) {
		b.add(&expr.Rt{Register: reg, Key: k})
	}}, enc: address(family)}
}

// SocketTransparent is whether a transparent socket of this machine waits for
// the packet: what TProxy's rules look at first.
func SocketTransparent() Key[bool] {
	return Key[bool]{key: key{text: "socket transparent", typ: nftables.TypeBoolean, load: func(b *builder, reg uint32) {
		b.add(&expr.Socket{Key: expr.SocketKeyTransparent, Register: reg})
	}}, enc: boolean(1, "1", "0")}
}

// SocketMark is the mark of the socket that waits for the packet.
func SocketMark() Key[uint32] {
	return Key[uint32]{key: key{text: "socket mark", typ: nftables.TypeMark, host: true, load: func(b *builder, reg uint32) {
		b.add(&expr.Socket{Key: expr.SocketKeyMark, Register: reg})
	}}, enc: hostOrder(mark)}
}
