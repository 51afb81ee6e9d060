// SPDX-License-Identifier: MIT

package conntrack

import "encoding/binary"

// Counter is what conntrack has counted of one direction of a connection. Bytes
// are those of IP packets, headers and all, as they were when conntrack met them:
// before rules could drop them, and fragments put together.
type Counter struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Sub returns how much c is beyond o.
func (c Counter) Sub(o Counter) Counter { return Counter{c.Packets - o.Packets, c.Bytes - o.Bytes} }

// Add returns the sum.
func (c Counter) Add(o Counter) Counter { return Counter{c.Packets + o.Packets, c.Bytes + o.Bytes} }

// Below reports whether anything of c is less than in o: a counter of the same
// connection never is.
func (c Counter) Below(o Counter) bool { return c.Packets < o.Packets || c.Bytes < o.Bytes }

// Attributes within ctaCountOrig, ctaCountReply and ctaTimestamp.
const (
	ctaCountPackets = 1
	ctaCountBytes   = 2
	ctaTimeStart    = 1
	ctaTimeStop     = 2
)

func parseCounter(b []byte, c *Counter) error {
	return eachAttr(b, func(typ uint16, v []byte) error {
		switch typ {
		case ctaCountPackets:
			return be64(v, &c.Packets)
		case ctaCountBytes:
			return be64(v, &c.Bytes)
		}
		return nil
	})
}

func parseTimestamp(b []byte, f *Flow) error {
	return eachAttr(b, func(typ uint16, v []byte) error {
		switch typ {
		case ctaTimeStart:
			return be64(v, &f.Start)
		case ctaTimeStop:
			return be64(v, &f.Stop)
		}
		return nil
	})
}

func be64(v []byte, n *uint64) error {
	if len(v) != 8 {
		return errAttributes
	}
	*n = binary.BigEndian.Uint64(v)
	return nil
}
