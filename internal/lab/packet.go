// SPDX-License-Identifier: MIT

package lab

import (
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Packet is one captured packet.
type Packet struct {
	Time time.Time
	// Outgoing tells that the capturing namespace sent it.
	Outgoing bool
	// Frame is the whole packet from the Ethernet header on. It belongs to
	// the capture and must not be changed.
	Frame []byte
}

// Segment is what a packet carries for TCP or UDP.
type Segment struct {
	TCP      bool // else UDP
	Src, Dst netip.AddrPort
	SYN, RST bool
	Seq      uint32 // TCP's number of the first byte, or of SYN
	// Payload is a part of the packet's frame, without padding.
	Payload []byte
}

// Segment decodes the packet; ok is false for anything but TCP and UDP.
func (p Packet) Segment() (s Segment, ok bool) {
	g := gopacket.NewPacket(p.Frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	network := g.NetworkLayer()
	if network == nil {
		return s, false
	}
	src, _ := netip.AddrFromSlice(network.NetworkFlow().Src().Raw())
	dst, _ := netip.AddrFromSlice(network.NetworkFlow().Dst().Raw())
	switch t := g.TransportLayer().(type) {
	case *layers.TCP:
		return Segment{
			TCP:     true,
			Src:     netip.AddrPortFrom(src, uint16(t.SrcPort)),
			Dst:     netip.AddrPortFrom(dst, uint16(t.DstPort)),
			SYN:     t.SYN,
			RST:     t.RST,
			Seq:     t.Seq,
			Payload: t.Payload,
		}, true
	case *layers.UDP:
		return Segment{
			Src:     netip.AddrPortFrom(src, uint16(t.SrcPort)),
			Dst:     netip.AddrPortFrom(dst, uint16(t.DstPort)),
			Payload: t.Payload,
		}, true
	}
	return s, false
}
