// SPDX-License-Identifier: MIT

package rule

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Direction of a packet within its connection.
type Direction uint8

// The directions: as the connection's first packet, and against it.
const (
	Original Direction = 0
	Reply    Direction = 1
)

// String returns the direction as nft writes it.
func (d Direction) String() string {
	if d == Original {
		return "original"
	}
	return "reply"
}

// ctKey is a key of the packet's connection.
func ctKey[T any](text string, k expr.CtKey, typ nftables.SetDatatype, host bool, enc func(T) (value, error)) Key[T] {
	return Key[T]{key: key{text: text, typ: typ, host: host, load: func(b *builder, reg uint32) {
		b.add(&expr.Ct{Key: k, Register: reg})
	}}, enc: enc}
}

// directed is ctKey for one direction. google/nftables writes a direction as
// four bytes, of which the kernel reads the first.
func directed[T any](d Direction, text string, k expr.CtKey, typ nftables.SetDatatype, host bool, enc func(T) (value, error)) Key[T] {
	return Key[T]{key: key{text: "ct " + d.String() + " " + text, typ: typ, host: host, load: func(b *builder, reg uint32) {
		b.raw("ct", func(e *netlink.AttributeEncoder) {
			e.Uint32(unix.NFTA_CT_KEY, uint32(k))
			e.Uint32(unix.NFTA_CT_DREG, reg)
			e.Uint8(unix.NFTA_CT_DIRECTION, uint8(d))
		})
	}}, enc: enc}
}

// CtID is the connection's number, as conntrack shows it.
func CtID() Key[uint32] {
	return ctKey("ct id", unix.NFT_CT_ID, nftables.TypeInteger, false, netOrder(decimal[uint32]))
}

// CtMark is the connection's mark.
func CtMark() Writable[uint32] {
	k := ctKey("ct mark", expr.CtKeyMARK, nftables.TypeMark, true, hostOrder(mark))
	return writable(k, func(b *builder, reg uint32) {
		b.add(&expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true})
	})
}

// CtZone is the connection's zone. It is set at prerouting and output, before
// conntrack (priority below -200).
func CtZone() Writable[uint16] {
	typ := nftables.TypeInteger
	typ.Bytes = 2
	k := ctKey("ct zone", expr.CtKeyZONE, typ, true, hostOrder(decimal[uint16]))
	return writable(k, func(b *builder, reg uint32) {
		b.add(&expr.Ct{Key: expr.CtKeyZONE, Register: reg, SourceRegister: true})
	})
}

// CtDirection is the packet's direction within its connection.
func CtDirection() Key[Direction] {
	return ctKey("ct direction", expr.CtKeyDIRECTION, nftables.TypeCTDir, false, hostOrder(named[Direction]))
}

// CtProtocol is the connection's transport protocol.
func CtProtocol(d Direction) Key[Protocol] {
	return directed(d, "protocol", expr.CtKeyPROTOCOL, nftables.TypeInetProto, false, hostOrder(named[Protocol]))
}

// CtIPSaddr is the IPv4 address that packets of a direction come from, as
// conntrack knows it: for the original direction before NAT.
func CtIPSaddr(d Direction) Key[netip.Addr] {
	return directed(d, "ip saddr", unix.NFT_CT_SRC_IP, nftables.TypeIPAddr, false, address(IPv4))
}

// CtIPDaddr is the IPv4 address that packets of a direction go to.
func CtIPDaddr(d Direction) Key[netip.Addr] {
	return directed(d, "ip daddr", unix.NFT_CT_DST_IP, nftables.TypeIPAddr, false, address(IPv4))
}

// CtIP6Saddr is the IPv6 address that packets of a direction come from.
func CtIP6Saddr(d Direction) Key[netip.Addr] {
	return directed(d, "ip6 saddr", unix.NFT_CT_SRC_IP6, nftables.TypeIP6Addr, false, address(IPv6))
}

// CtIP6Daddr is the IPv6 address that packets of a direction go to.
func CtIP6Daddr(d Direction) Key[netip.Addr] {
	return directed(d, "ip6 daddr", unix.NFT_CT_DST_IP6, nftables.TypeIP6Addr, false, address(IPv6))
}

// CtProtoSrc is the port that packets of a direction come from.
func CtProtoSrc(d Direction) Key[uint16] {
	return directed(d, "proto-src", expr.CtKeyPROTOSRC, nftables.TypeInetService, false, netOrder(decimal[uint16]))
}

// CtProtoDst is the port that packets of a direction go to.
func CtProtoDst(d Direction) Key[uint16] {
	return directed(d, "proto-dst", expr.CtKeyPROTODST, nftables.TypeInetService, false, netOrder(decimal[uint16]))
}

// CtBytes is how many bytes the connection has carried, if conntrack counts.
func CtBytes() Key[uint64] { return counted("bytes", expr.CtKeyBYTES) }

// CtPackets is how many packets the connection has carried, if conntrack counts.
func CtPackets() Key[uint64] { return counted("packets", expr.CtKeyPKTS) }

// CtBytesOf is how many bytes the connection has carried in one direction, if
// conntrack counts.
func CtBytesOf(d Direction) Key[uint64] {
	typ := nftables.TypeInteger
	typ.Bytes = 8
	return directed(d, "bytes", expr.CtKeyBYTES, typ, true, hostOrder(decimal[uint64]))
}

// CtPacketsOf is how many packets the connection has carried in one direction, if
// conntrack counts.
func CtPacketsOf(d Direction) Key[uint64] {
	typ := nftables.TypeInteger
	typ.Bytes = 8
	return directed(d, "packets", expr.CtKeyPKTS, typ, true, hostOrder(decimal[uint64]))
}

func counted(text string, k expr.CtKey) Key[uint64] {
	typ := nftables.TypeInteger
	typ.Bytes = 8
	return ctKey("ct "+text, k, typ, true, hostOrder(decimal[uint64]))
}

// CtHelper is the name of the connection's helper.
func CtHelper() Key[string] {
	typ := nftables.TypeString
	typ.Bytes = 16
	return ctKey("ct helper", expr.CtKeyHELPER, typ, false, ifname)
}

// State is a set of states of packets within connections.
type State uint32

// The states.
const (
	StateInvalid     = State(expr.CtStateBitINVALID)
	StateEstablished = State(expr.CtStateBitESTABLISHED)
	StateRelated     = State(expr.CtStateBitRELATED)
	StateNew         = State(expr.CtStateBitNEW)
	StateUntracked   = State(expr.CtStateBitUNTRACKED)
)

// CtState is the packet's state within its connection.
func CtState() Flags[State] {
	return flags("ct state", nftables.TypeCTState, true, []string{"invalid", "established", "related", "new", "", "", "untracked"}, hostOrder[State],
		func(b *builder, reg uint32) { b.add(&expr.Ct{Key: expr.CtKeySTATE, Register: reg}) })
}

// Status is a set of properties of connections.
type Status uint32

// The properties.
const (
	StatusExpected  Status = 1 << 0
	StatusSeenReply Status = 1 << 1
	StatusAssured   Status = 1 << 2
	StatusConfirmed Status = 1 << 3
	StatusSNAT      Status = 1 << 4
	StatusDNAT      Status = 1 << 5
	StatusDying     Status = 1 << 9
)

// CtStatus is what has become of the packet's connection.
func CtStatus() Flags[Status] {
	return flags("ct status", nftables.TypeCTStatus, true, []string{"expected", "seen-reply", "assured", "confirmed", "snat", "dnat", "", "", "", "dying"}, hostOrder[Status],
		func(b *builder, reg uint32) { b.add(&expr.Ct{Key: expr.CtKeySTATUS, Register: reg}) })
}
