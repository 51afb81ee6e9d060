// SPDX-License-Identifier: MIT

package queue

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

// Verdict is what becomes of a packet.
type Verdict uint8

// The verdicts.
const (
	Accept Verdict = iota // it goes on; more packets of the connection are wanted
	Finish                // it goes on; the connection's later packets need not come
	Drop                  // it does not go on, and is sent again
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
