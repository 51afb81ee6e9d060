// SPDX-License-Identifier: MIT

package rule

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// payload is a key of bytes of a header.
func payload[T any](k key, base expr.PayloadBase, offset uint32, enc func(T) (value, error)) Key[T] {
	k.load = func(b *builder, reg uint32) {
		b.add(&expr.Payload{DestRegister: reg, Base: base, Offset: offset, Len: k.typ.Bytes})
	}
	return Key[T]{key: k, enc: enc}
}

func network[T any](text string, family Family, typ nftables.SetDatatype, offset uint32, enc func(T) (value, error)) Key[T] {
	return payload(key{text: text, typ: typ, l3: uint8(family)}, expr.PayloadBaseNetworkHeader, offset, enc)
}

func transport[T any](text string, p Protocol, typ nftables.SetDatatype, offset uint32, enc func(T) (value, error)) Key[T] {
	return payload(key{text: text, typ: typ, l4: uint8(p)}, expr.PayloadBaseTransportHeader, offset, enc)
}

// addressAt is a key of an address of the network header.
func addressAt(text string, family Family, typ nftables.SetDatatype, offset uint32) Address {
	at := bytesOf{base: expr.PayloadBaseNetworkHeader, offset: offset, pseudo: true}
	if family == IPv4 {
		at.sum, at.sumOffset = unix.NFT_PAYLOAD_CSUM_INET, 10
	}
	return Address{rewritten(network(text, family, typ, offset, address(family)), at)}
}

// IPSaddr is the IPv4 address that the packet comes from.
func IPSaddr() Address { return addressAt("ip saddr", IPv4, nftables.TypeIPAddr, 12) }

// IPDaddr is the IPv4 address that the packet goes to.
func IPDaddr() Address { return addressAt("ip daddr", IPv4, nftables.TypeIPAddr, 16) }

// IP6Saddr is the IPv6 address that the packet comes from.
func IP6Saddr() Address { return addressAt("ip6 saddr", IPv6, nftables.TypeIP6Addr, 8) }

// IP6Daddr is the IPv6 address that the packet goes to.
func IP6Daddr() Address { return addressAt("ip6 daddr", IPv6, nftables.TypeIP6Addr, 24) }

// IPProtocol is the protocol field of the IPv4 header.
func IPProtocol() Key[Protocol] {
	k := network("ip protocol", IPv4, nftables.TypeInetProto, 9, netOrder(named[Protocol]))
	k.learn = learnProtocol
	return k
}

// IP6NextHeader is the next header field of the IPv6 header itself; L4Proto
// looks behind extension headers.
func IP6NextHeader() Key[Protocol] {
	k := network("ip6 nexthdr", IPv6, nftables.TypeInetProto, 6, netOrder(named[Protocol]))
	k.learn = learnProtocol
	return k
}

// IPTTL is the IPv4 header's time to live, in hops.
func IPTTL() Key[uint8] {
	return network("ip ttl", IPv4, octet(), 8, netOrder(decimal[uint8]))
}

// IP6HopLimit is the IPv6 header's hop limit.
func IP6HopLimit() Key[uint8] {
	return network("ip6 hoplimit", IPv6, octet(), 7, netOrder(decimal[uint8]))
}

// IPLength is the length of the IPv4 packet, header included, in bytes.
func IPLength() Key[uint16] {
	t := nftables.TypeInteger
	t.Bytes = 2
	return network("ip length", IPv4, t, 2, netOrder(decimal[uint16]))
}

// IPDSCP is the IPv4 header's class of service, 0 to 63: for Is and Not with one
// value.
func IPDSCP() Key[uint8] {
	k := network("ip dscp", IPv4, nftables.TypeDSCP, 1, func(v uint8) (value, error) {
		return value{data: []byte{v << 2}, text: fmt.Sprintf("0x%02x", v)}, nil
	})
	k.alone = true
	load := k.load
	k.load = func(b *builder, reg uint32) {
		load(b, reg)
		b.add(&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 1, Mask: []byte{0xfc}, Xor: []byte{0}})
	}
	return k
}

func octet() nftables.SetDatatype {
	t := nftables.TypeInteger
	t.Bytes = 1
	return t
}

func ports(name string, p Protocol, offset uint32) Key[uint16] {
	k := transport(name, p, nftables.TypeInetService, offset, netOrder(decimal[uint16]))
	at := bytesOf{base: expr.PayloadBaseTransportHeader, offset: offset, sum: unix.NFT_PAYLOAD_CSUM_INET}
	switch p {
	case TCP:
		at.sumOffset = 16
	case UDP:
		at.sumOffset = 6
	case SCTP:
		at.sum, at.sumOffset = sctpSum, 8
	default:
		return k
	}
	return rewritten(k, at)
}

// Offsets of ports, the same in all protocols that have them.
const (
	sport = 0
	dport = 2
)

// TCPSport is the port that a TCP packet comes from.
func TCPSport() Key[uint16] { return ports("tcp sport", TCP, sport) }

// TCPDport is the port that a TCP packet goes to.
func TCPDport() Key[uint16] { return ports("tcp dport", TCP, dport) }

// UDPSport is the port that a UDP packet comes from.
func UDPSport() Key[uint16] { return ports("udp sport", UDP, sport) }

// UDPDport is the port that a UDP packet goes to.
func UDPDport() Key[uint16] { return ports("udp dport", UDP, dport) }

// SCTPSport is the port that an SCTP packet comes from.
func SCTPSport() Key[uint16] { return ports("sctp sport", SCTP, sport) }

// SCTPDport is the port that an SCTP packet goes to.
func SCTPDport() Key[uint16] { return ports("sctp dport", SCTP, dport) }

// Sport is the port that a packet comes from, of whichever protocol: match
// that before.
func Sport() Key[uint16] { return ports("th sport", 0, sport) }

// Dport is the port that a packet goes to, of whichever protocol: match that
// before.
func Dport() Key[uint16] { return ports("th dport", 0, dport) }

// TCPFlag is a set of flags of TCP packets.
type TCPFlag uint8

// The flags.
const (
	FIN TCPFlag = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// TCPFlags are the flags of a TCP packet.
func TCPFlags() Flags[TCPFlag] {
	const offset = 13
	f := flags("tcp flags", nftables.TypeTCPFlag, false, []string{"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"}, netOrder[TCPFlag],
		func(b *builder, reg uint32) {
			b.add(&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 1})
		})
	f.l4 = uint8(TCP)
	return f
}

// ICMPType is the type of an ICMP packet.
func ICMPType() Key[uint8] {
	k := transport("icmp type", ICMP, nftables.TypeICMPType, 0, netOrder(func(t uint8) string {
		switch t {
		case 0:
			return "echo-reply"
		case 3:
			return "destination-unreachable"
		case 5:
			return "redirect"
		case 8:
			return "echo-request"
		case 11:
			return "time-exceeded"
		case 12:
			return "parameter-problem"
		}
		return decimal(t)
	}))
	k.l3 = uint8(IPv4)
	return k
}

// ICMPv6Type is the type of an ICMPv6 packet.
func ICMPv6Type() Key[uint8] {
	k := transport("icmpv6 type", ICMPv6, nftables.TypeICMP6Type, 0, netOrder(func(t uint8) string {
		switch t {
		case 1:
			return "destination-unreachable"
		case 2:
			return "packet-too-big"
		case 3:
			return "time-exceeded"
		case 4:
			return "parameter-problem"
		case 128:
			return "echo-request"
		case 129:
			return "echo-reply"
		case 133:
			return "nd-router-solicit"
		case 134:
			return "nd-router-advert"
		case 135:
			return "nd-neighbor-solicit"
		case 136:
			return "nd-neighbor-advert"
		}
		return decimal(t)
	}))
	k.l3 = uint8(IPv6)
	return k
}

// EtherSaddr is the hardware address that the packet comes from.
func EtherSaddr() Key[net.HardwareAddr] {
	return link("ether saddr", nftables.TypeEtherAddr, 6, ethernet)
}

// EtherDaddr is the hardware address that the packet goes to.
func EtherDaddr() Key[net.HardwareAddr] {
	return link("ether daddr", nftables.TypeEtherAddr, 0, ethernet)
}

// EtherType is the protocol in the Ethernet header, such as 0x0800.
func EtherType() Key[uint16] {
	return link("ether type", nftables.TypeEtherType, 12, netOrder(func(t uint16) string {
		switch t {
		case unix.ETH_P_IP:
			return "ip"
		case unix.ETH_P_IPV6:
			return "ip6"
		case unix.ETH_P_ARP:
			return "arp"
		case unix.ETH_P_8021Q:
			return "8021q"
		}
		return fmt.Sprintf("0x%04x", t)
	}))
}

func link[T any](text string, typ nftables.SetDatatype, offset uint32, enc func(T) (value, error)) Key[T] {
	k := payload(key{text: text, typ: typ, ether: true}, expr.PayloadBaseLLHeader, offset, enc)
	return rewritten(k, bytesOf{base: expr.PayloadBaseLLHeader, offset: offset})
}

// Raw is a key of any bytes of a header, a number in network order; the text
// stands for it in errors.
func Raw[T unsigned](text string, base expr.PayloadBase, offset uint32) Key[T] {
	typ := nftables.TypeInteger
	var zero T
	typ.Bytes = uint32(binary.Size(zero))
	return payload(key{text: text, typ: typ}, base, offset, netOrder(decimal[T]))
}

// Address is a key of addresses of one family.
type Address struct{ Key[netip.Addr] }

// Within holds for packets whose address is in one of the prefixes.
func (a Address) Within(prefixes ...netip.Prefix) Statement { return a.prefixes(false, prefixes) }

// NotWithin holds for packets whose address is in none of the prefixes.
func (a Address) NotWithin(prefixes ...netip.Prefix) Statement { return a.prefixes(true, prefixes) }
