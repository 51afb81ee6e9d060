// SPDX-License-Identifier: MIT

package conntrack

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// Flow is a conntrack entry. All numbers are in host byte order.
type Flow struct {
	ID     uint32 // as `ct id` and `conntrack -L -o id` show it
	Zone   uint16
	Orig   Tuple  // as the first packet came
	Reply  Tuple  // as the answer comes: differs from Orig.Reverse() after NAT
	Mark   uint32 // 0 in events of kernels that leave it out
	Labels [16]byte
	Status uint32 // IPS_* bits; 0 where the message has none
	State  uint8  // of a TCP connection, as the kernel numbers them; 0 where the message has none

	// Counters are what conntrack has counted in the original and the reply
	// direction; zero where it does not count (Counted).
	Counters [2]Counter
	Counted  bool
	// Start and Stop are when the entry was confirmed and ended, in nanoseconds of
	// Unix time; 0 where the kernel did not note it. Stop is in Destroy events only.
	Start, Stop uint64
}

// States of a TCP connection whose end the kernel has seen.
const (
	tcpTimeWait = 7
	tcpClose    = 8
)

// Ended reports whether the entry is that of a TCP connection which is over. The
// kernel keeps it for a while, and may let the next connection of the tuple go on
// in it, without an event.
func (f *Flow) Ended() bool {
	return f.Orig.Proto == unix.IPPROTO_TCP && (f.State == tcpTimeWait || f.State == tcpClose)
}

// Bits of Flow.Status that matter here.
const (
	statusDying     = 1 << 9
	statusOffload   = 1 << 14
	statusHWOffload = 1 << 15
)

// Dying reports whether the entry has ended: its Destroy event is sent already, or
// is being sent.
func (f *Flow) Dying() bool { return f.Status&statusDying != 0 }

// Offloaded reports whether packets of the connection bypass the rules by a
// flowtable, in software or hardware.
func (f *Flow) Offloaded() bool { return f.Status&(statusOffload|statusHWOffload) != 0 }

// InHardware reports whether devices carry the connection.
func (f *Flow) InHardware() bool { return f.Status&statusHWOffload != 0 }

// Attributes of ctnetlink messages that are read here.
const (
	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaStatus     = 3
	ctaProtoInfo  = 4
	ctaMark       = 8
	ctaCountOrig  = 9
	ctaCountReply = 10
	ctaID         = 12
	ctaZone       = 18
	ctaTimestamp  = 20
	ctaLabels     = 22

	ctaTupleIP    = 1
	ctaTupleProto = 2
	ctaTupleZone  = 3

	ctaIPv4Src = 1
	ctaIPv4Dst = 2
	ctaIPv6Src = 3
	ctaIPv6Dst = 4

	ctaProtoInfoTCP      = 1
	ctaProtoInfoTCPState = 1

	ctaProtoNum      = 1
	ctaProtoSrcPort  = 2
	ctaProtoDstPort  = 3
	ctaProtoICMPID   = 4
	ctaProtoICMPv6ID = 7
)

var errAttributes = errors.New("malformed netlink attributes")

// ParseFlow reads the attributes of a ctnetlink message, or of an NFQA_CT
// attribute. What is missing stays zero. It does not keep b.
func ParseFlow(b []byte, f *Flow) error {
	*f = Flow{}
	return eachAttr(b, func(typ uint16, v []byte) error {
		switch typ {
		case ctaTupleOrig:
			return parseTuple(v, &f.Orig, &f.Zone)
		case ctaTupleReply:
			return parseTuple(v, &f.Reply, nil)
		case ctaStatus:
			return be32(v, &f.Status)
		case ctaProtoInfo:
			return parseProtoInfo(v, f)
		case ctaMark:
			return be32(v, &f.Mark)
		case ctaCountOrig:
			f.Counted = true
			return parseCounter(v, &f.Counters[0])
		case ctaCountReply:
			f.Counted = true
			return parseCounter(v, &f.Counters[1])
		case ctaTimestamp:
			return parseTimestamp(v, f)
		case ctaID:
			return be32(v, &f.ID)
		case ctaLabels:
			copy(f.Labels[:], v)
		case ctaZone:
			return be16(v, &f.Zone)
		}
		return nil
	})
}

func parseProtoInfo(b []byte, f *Flow) error {
	return eachAttr(b, func(typ uint16, v []byte) error {
		if typ != ctaProtoInfoTCP {
			return nil
		}
		return eachAttr(v, func(typ uint16, v []byte) error {
			if typ == ctaProtoInfoTCPState {
				if len(v) != 1 {
					return errAttributes
				}
				f.State = v[0]
			}
			return nil
		})
	})
}

func parseTuple(b []byte, t *Tuple, zone *uint16) error {
	var id uint16
	isICMP := false
	err := eachAttr(b, func(typ uint16, v []byte) error {
		switch typ {
		case ctaTupleIP:
			return parseIP(v, t)
		case ctaTupleZone:
			if zone != nil {
				return be16(v, zone)
			}
		case ctaTupleProto:
			return eachAttr(v, func(typ uint16, v []byte) error {
				switch typ {
				case ctaProtoNum:
					if len(v) < 1 {
						return errAttributes
					}
					t.Proto = v[0]
				case ctaProtoSrcPort:
					return be16(v, &t.SrcPort)
				case ctaProtoDstPort:
					return be16(v, &t.DstPort)
				case ctaProtoICMPID, ctaProtoICMPv6ID:
					isICMP = true
					return be16(v, &id)
				}
				return nil
			})
		}
		return nil
	})
	switch {
	case isICMP:
		t.SrcPort, t.DstPort = id, id
	case !hasPorts(t.Proto):
		t.SrcPort, t.DstPort = 0, 0
	}
	return err
}

func parseIP(b []byte, t *Tuple) error {
	return eachAttr(b, func(typ uint16, v []byte) error {
		switch {
		case (typ == ctaIPv4Src || typ == ctaIPv4Dst) && len(v) == 4:
			t.Family = 4
			if typ == ctaIPv4Src {
				copy(t.src[12:], v)
			} else {
				copy(t.dst[12:], v)
			}
		case (typ == ctaIPv6Src || typ == ctaIPv6Dst) && len(v) == 16:
			t.Family = 6
			if typ == ctaIPv6Src {
				copy(t.src[:], v)
			} else {
				copy(t.dst[:], v)
			}
		case typ >= ctaIPv4Src && typ <= ctaIPv6Dst:
			return errAttributes
		}
		return nil
	})
}

// eachAttr calls f for each netlink attribute in b.
func eachAttr(b []byte, f func(typ uint16, v []byte) error) error {
	for len(b) >= unix.NLA_HDRLEN {
		typ, v, rest, err := cutAttr(b)
		if err == nil {
			err = f(typ, v)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// cutAttr splits the first attribute from b, which has room for its header.
func cutAttr(b []byte) (typ uint16, v, rest []byte, err error) {
	n := int(binary.NativeEndian.Uint16(b))
	if n < unix.NLA_HDRLEN || n > len(b) {
		return 0, nil, nil, errAttributes
	}
	typ = binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
	return typ, b[unix.NLA_HDRLEN:n], b[min(len(b), (n+3)&^3):], nil
}

func be32(v []byte, n *uint32) error {
	if len(v) != 4 {
		return errAttributes
	}
	*n = binary.BigEndian.Uint32(v)
	return nil
}

func be16(v []byte, n *uint16) error {
	if len(v) != 2 {
		return errAttributes
	}
	*n = binary.BigEndian.Uint16(v)
	return nil
}

// Identify returns the id and the zone that an NFQA_CT attribute tells, without the
// rest of the entry.
func Identify(b []byte) (id uint32, zone uint16, err error) {
	found := false
	for len(b) >= unix.NLA_HDRLEN && err == nil {
		var typ uint16
		var v []byte
		if typ, v, b, err = cutAttr(b); err != nil {
			break
		}
		switch typ {
		case ctaTupleOrig:
			zone, err = zoneOf(v, zone)
		case ctaID:
			found = true
			err = be32(v, &id)
		case ctaZone:
			err = be16(v, &zone)
		}
	}
	if err == nil && !found {
		err = errAttributes
	}
	return id, zone, err
}

// zoneOf returns the zone of a tuple, or otherwise.
func zoneOf(b []byte, otherwise uint16) (zone uint16, err error) {
	for zone = otherwise; len(b) >= unix.NLA_HDRLEN && err == nil; {
		var typ uint16
		var v []byte
		if typ, v, b, err = cutAttr(b); err == nil && typ == ctaTupleZone {
			err = be16(v, &zone)
		}
	}
	return zone, err
}
