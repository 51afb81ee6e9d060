// SPDX-License-Identifier: MIT

package queue

import (
	"encoding/binary"

	"github.com/florianl/go-nfqueue/v2"

	"nftdict/dictd/conntrack"
)

// Packet is a packet that waits in the queue. Handle may use it until it
// returns, and must not keep Payload.
type Packet struct {
	CtID    uint32  // conntrack id
	Zone    uint16  // conntrack zone, if ZoneKnown
	InDev   uint32  // ifindex, 0 if the packet did not arrive by an interface
	OutDev  uint32  // ifindex, 0 before routing
	MAC     [6]byte // who sent the frame; zeros if the kernel does not tell
	Payload []byte  // from the IP header on, at most CopyRange bytes
	// First says that the packet opens its conntrack entry, which is not yet
	// confirmed: it came by a queue for such packets.
	First     bool
	ZoneKnown bool
}

// Verdict is what becomes of a packet: it goes on in any case.
type Verdict uint8

// The verdicts.
const (
	Accept Verdict = iota // more packets of the connection are wanted
	Finish                // the connection's later packets need not come
)

// Source is where the conntrack id of a packet comes from.
type Source uint8

// The sources.
const (
	ByMark      Source = iota // the packet's mark
	ByConntrack               // the NFQA_CT attribute
)

// String returns "mark" or "conntrack".
func (s Source) String() string {
	if s == ByConntrack {
		return "conntrack"
	}
	return "mark"
}

// fill reads a message of the kernel. It returns false if the message does not
// tell whose packet it is.
func (p *Packet) fill(a *nfqueue.Attribute, s Source, flow *conntrack.Flow) bool {
	*p = Packet{First: p.First}
	if a.Payload == nil {
		return false
	}
	p.Payload = *a.Payload
	if a.InDev != nil {
		p.InDev = *a.InDev
	}
	if a.OutDev != nil {
		p.OutDev = *a.OutDev
	}
	if a.HwAddr != nil && len(*a.HwAddr) == len(p.MAC) {
		p.MAC = [6]byte(*a.HwAddr)
	}
	switch {
	case s == ByMark && a.Mark != nil:
		p.CtID = idOfMark(*a.Mark)
	case s == ByMark: // the kernel leaves out a mark of 0
	case a.Ct == nil || conntrack.ParseFlow(*a.Ct, flow) != nil:
		return false
	default:
		p.CtID, p.Zone, p.ZoneKnown = flow.ID, flow.Zone, true
	}
	return true
}

// idOfMark returns the conntrack id that the rules stored, in the order of the
// wire, as a mark.
func idOfMark(mark uint32) uint32 {
	return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, mark))
}
