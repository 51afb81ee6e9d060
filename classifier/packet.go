// SPDX-License-Identifier: MIT

package classifier

import "net/netip"

// IP protocol numbers a Packet can carry in Proto and that Decode looks into.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
)

// TCP flags as they stand in Packet.TCPFlags.
const (
	FlagFIN = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
)

// Packet is a decoded view of one IP packet. It copies nothing: Payload is part
// of the bytes given to Decode and valid only as long as they are. Ports,
// sequence numbers and lengths are in host byte order. A Packet may be reused.
type Packet struct {
	Family        uint8      // 4 or 6
	Proto         uint8      // IP protocol number behind all extension headers
	Hops          uint8      // TTL or hop limit
	TCPFlags      uint8      // low eight flag bits; 0 unless TCP
	ICMPType      uint8      // 0 unless ICMP or ICMPv6
	ICMPCode      uint8      // 0 unless ICMP or ICMPv6
	Fragment      bool       // a fragment other than the first: no ports, Payload is its bytes
	MoreFragments bool       // the datagram goes on in another fragment
	SrcPort       uint16     // 0 unless TCP or UDP
	DstPort       uint16     // 0 unless TCP or UDP
	Src           netip.Addr // never an IPv4-mapped address in an IPv4 packet
	Dst           netip.Addr
	Seq           uint32 // TCP sequence number of the first payload byte (of the SYN, if set)
	Ack           uint32 // TCP acknowledgement number
	Length        int    // bytes of the IP packet, header included
	Payload       []byte // behind the transport header; nil if there is none
	Device        uint32 // by which it came, as the caller numbers them: handed on to Options.Answered alone
}

// Endpoints names the two ends of a connection as its original tuple does:
// the client is the side that sent the first packet.
type Endpoints struct {
	Proto  uint8 // IP protocol number
	Client netip.AddrPort
	Server netip.AddrPort
}

// Endpoints returns the ends of the connection that p opens, sender first.
func (p *Packet) Endpoints() Endpoints {
	return Endpoints{
		Proto:  p.Proto,
		Client: netip.AddrPortFrom(p.Src, p.SrcPort),
		Server: netip.AddrPortFrom(p.Dst, p.DstPort),
	}
}

// Between makes p a packet of the connection e in direction d: what its addresses
// and ports were before they were translated, where e is an original tuple.
func (p *Packet) Between(e Endpoints, d Dir) {
	if d == Reply {
		e = e.Reverse()
	}
	p.Src, p.SrcPort, p.Dst, p.DstPort = e.Client.Addr(), e.Client.Port(), e.Server.Addr(), e.Server.Port()
}

// Reverse returns e with the two ends exchanged.
func (e Endpoints) Reverse() Endpoints {
	e.Client, e.Server = e.Server, e.Client
	return e
}

// Dir is the direction of a packet within its connection.
type Dir uint8

// The directions, as conntrack names them.
const (
	Original Dir = iota // sent by the side that opened the connection
	Reply               // sent by the other side
)

// String returns "original" or "reply".
func (d Dir) String() string {
	if d == Original {
		return "original"
	}
	return "reply"
}
