// SPDX-License-Identifier: MIT

package main

import (
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"nftdict/classifier"
	"nftdict/internal/lab"
)

// epoch is when every recording begins, so that one made anew differs in less.
var epoch = time.Unix(1_767_225_600, 0) // 2026-01-01

// Frames of the link that are kept.
const (
	etherHeader = 14
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
)

// flowID is the two ends of a flow, the lesser first.
type flowID struct {
	proto uint8
	ends  [2]string
}

// cut leaves of the packets those that a capture is to hold, from the IP header
// on: the beginning of each flow that says anything, and nothing of the link's own.
func (r *Recipe) cut(packets []lab.Packet) []lab.Packet {
	type sum struct{ packets, bytes, payload int }
	seen := map[flowID]*sum{}
	var out []lab.Packet
	var of []*sum // the flow of each packet in out
	for _, p := range packets {
		if len(p.Frame) <= etherHeader {
			continue
		}
		kind, ip := binary.BigEndian.Uint16(p.Frame[12:]), p.Frame[etherHeader:]
		if kind != etherIPv4 && kind != etherIPv6 {
			continue
		}
		var c classifier.Packet
		if classifier.Decode(ip, &c) != nil || noise(&c) || r.drops(&c) {
			continue
		}
		e := c.Endpoints()
		id := flowID{c.Proto, [2]string{e.Client.String(), e.Server.String()}}
		slices.Sort(id.ends[:])
		s := seen[id]
		if s == nil {
			s = &sum{}
			seen[id] = s
		}
		if s.packets >= r.FlowPackets || s.bytes+c.Length > r.FlowBytes {
			s.bytes = r.FlowBytes // no hole: what follows goes, too
			continue
		}
		s.packets++
		s.bytes += c.Length
		s.payload += len(c.Payload)
		out, of = append(out, lab.Packet{Time: p.Time, Frame: ip[:c.Length]}), append(of, s)
	}
	kept := out[:0]
	for i, p := range out {
		if of[i].payload > 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// drops reports whether the recipe leaves out the packet's ports.
func (r *Recipe) drops(c *classifier.Packet) bool {
	for _, text := range r.Drop {
		p, err := ParsePort(text)
		if err == nil && p.TCP == (c.Proto == classifier.ProtoTCP) && (c.SrcPort == p.Number || c.DstPort == p.Number) {
			return true
		}
	}
	return false
}

// write writes packets that begin with the IP header.
func write(w io.Writer, packets []lab.Packet) error {
	out := pcapgo.NewWriter(w)
	if err := out.WriteFileHeader(1<<16, layers.LinkTypeRaw); err != nil {
		return err
	}
	for _, p := range packets {
		info := gopacket.CaptureInfo{
			Timestamp:     epoch.Add(p.Time.Sub(packets[0].Time)),
			CaptureLength: len(p.Frame), Length: len(p.Frame),
		}
		if err := out.WritePacket(info, p.Frame); err != nil {
			return err
		}
	}
	return nil
}

// noise reports whether a packet is the network's own: groups, neighbours, and
// word that something did not arrive.
func noise(c *classifier.Packet) bool {
	const igmp, unreachable, unreachable6, groups6 = 2, 3, 1, 130
	switch c.Proto {
	case igmp:
		return true
	case classifier.ProtoICMP:
		return c.ICMPType == unreachable
	case classifier.ProtoICMPv6:
		return c.ICMPType == unreachable6 || c.ICMPType >= groups6
	}
	return false
}
