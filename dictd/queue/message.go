// SPDX-License-Identifier: MIT

package queue

import (
	"encoding/binary"

	"github.com/florianl/go-nfqueue/v2"
	"golang.org/x/sys/unix"

	"nftdict/dictd/conntrack"
)

// Messages of the nfqueue protocol (uapi/linux/netfilter/nfnetlink_queue.h).
const (
	msgPacket  = unix.NFNL_SUBSYS_QUEUE << 8
	msgVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	msgConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2
)

// Attributes of packets and verdicts.
const (
	attrPacketHdr  = 1
	attrVerdictHdr = 2
	attrMark       = 3
	attrInDev      = 5
	attrOutDev     = 6
	attrHwAddr     = 9
	attrPayload    = 10
	attrCt         = 11

	ctMark     = 8
	ctMarkMask = 21
)

// Attributes of configurations, and what is in them.
const (
	cfgCmd    = 1
	cfgParams = 2
	cfgLength = 3
	cfgMask   = 4
	cfgFlags  = 5

	cmdBind    = 1
	copyPacket = nfqueue.NfQnlCopyPacket

	flagFailOpen  = nfqueue.NfQaCfgFlagFailOpen
	flagConntrack = nfqueue.NfQaCfgFlagConntrack
	flagGSO       = nfqueue.NfQaCfgFlagGSO // large packets as they are: the kernel need not segment what only passes
)

// The kernel's verdicts.
const (
	accept = nfqueue.NfAccept
	drop   = nfqueue.NfDrop
)

// header is the length of the two headers that each message has.
const header = unix.NLMSG_HDRLEN + 4

// message is a message under construction.
type message []byte

// newMessage begins a message about a queue.
func newMessage(typ, flags uint16, seq uint32, num uint16) message {
	m := make(message, 0, 128)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint16(m, typ)
	m = binary.NativeEndian.AppendUint16(m, flags)
	m = binary.NativeEndian.AppendUint32(m, seq)
	m = binary.NativeEndian.AppendUint32(m, 0)
	return binary.BigEndian.AppendUint16(append(m, unix.AF_UNSPEC, unix.NFNETLINK_V0), num)
}

// attr appends an attribute.
func (m message) attr(typ uint16, data []byte) message {
	m = binary.NativeEndian.AppendUint16(m, uint16(unix.NLA_HDRLEN+len(data)))
	m = binary.NativeEndian.AppendUint16(m, typ)
	m = append(m, data...)
	for len(m)%unix.NLA_ALIGNTO != 0 {
		m = append(m, 0)
	}
	return m
}

// number appends an attribute that is a number in network byte order.
func (m message) number(typ uint16, n uint32) message {
	return m.attr(typ, binary.BigEndian.AppendUint32(nil, n))
}

// whole returns the message with its length.
func (m message) whole() []byte {
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	return m
}

// verdictID is where the number of the packet is in a verdict.
const verdictID = header + unix.NLA_HDRLEN + 4

// verdictMessage returns a message with a verdict on a packet, without its number. It
// asks for no answer.
func verdictMessage(c *Config, v Verdict) []byte {
	code := byte(accept)
	if v == Drop {
		code = drop
	}
	m := newMessage(msgVerdict, unix.NLM_F_REQUEST, 0, c.Num).attr(attrVerdictHdr, []byte{0, 0, 0, code, 0, 0, 0, 0})
	switch {
	case v != Finish || c.FinishMark == 0:
	case c.Source == ByConntrack: // these bits of the mark: the others are not ours
		bits := message(nil).number(ctMark, c.FinishMark).number(ctMarkMask, c.FinishMark)
		m = m.attr(attrCt|unix.NLA_F_NESTED, bits)
	default:
		m = m.number(attrMark, c.FinishMark)
	}
	return m.whole()
}

// received is a message of the kernel.
type received struct {
	typ, flags uint16
	seq        uint32
	num        uint16 // of the queue
	errno      unix.Errno
	attrs      []byte
}

// next splits the first message from b, or what is there of it. ok is false if there
// is none.
func next(b []byte) (m received, rest []byte, ok bool) {
	if len(b) < header {
		return m, nil, false
	}
	n := min(int(binary.NativeEndian.Uint32(b)), len(b))
	if n < header {
		return m, nil, false
	}
	m.typ, m.flags = binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:])
	m.seq = binary.NativeEndian.Uint32(b[8:])
	if m.typ == unix.NLMSG_ERROR {
		m.errno = unix.Errno(-int32(binary.NativeEndian.Uint32(b[unix.NLMSG_HDRLEN:])))
	} else {
		m.num = binary.BigEndian.Uint16(b[header-2:])
		m.attrs = b[header:n]
	}
	return m, b[min(len(b), (n+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):], true
}

// attribute splits the first attribute from b. ok is false if there is none.
func attribute(b []byte) (typ uint16, v, rest []byte, ok bool) {
	if len(b) < unix.NLA_HDRLEN {
		return 0, nil, nil, false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < unix.NLA_HDRLEN || n > len(b) {
		return 0, nil, nil, false
	}
	typ = binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
	return typ, b[unix.NLA_HDRLEN:n], b[min(len(b), (n+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1)):], true
}

// number returns a number in network byte order, 0 if v is none.
func number(v []byte) uint32 {
	if len(v) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// fill reads the attributes of a packet's message. numbered says that it tells the
// number of the packet, id; whose, that it tells whose packet it is.
func (p *Packet) fill(b []byte, s Source) (id uint32, numbered, whose bool) {
	*p = Packet{First: p.First}
	whose = s == ByMark // the kernel leaves out a mark of 0
	for len(b) > 0 {
		typ, v, rest, ok := attribute(b)
		if !ok {
			return id, numbered, false
		}
		b = rest
		switch typ {
		case attrPacketHdr:
			if numbered = len(v) >= 4; numbered {
				id = binary.BigEndian.Uint32(v)
			}
		case attrMark:
			if s == ByMark {
				p.CtID = idOfMark(number(v))
			}
		case attrInDev:
			p.InDev = number(v)
		case attrOutDev:
			p.OutDev = number(v)
		case attrHwAddr:
			if len(v) >= 4+len(p.MAC) && binary.BigEndian.Uint16(v) == uint16(len(p.MAC)) {
				p.MAC = [6]byte(v[4:])
			}
		case attrPayload:
			p.Payload = v
		case attrCt:
			if s == ByConntrack {
				var err error
				p.CtID, p.Zone, err = conntrack.Identify(v)
				whose, p.ZoneKnown = err == nil, err == nil
			}
		}
	}
	return id, numbered, whose && p.Payload != nil
}

// idOfMark returns the conntrack id that the rules stored, in the order of the
// wire, as a mark.
func idOfMark(mark uint32) uint32 {
	return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, mark))
}
