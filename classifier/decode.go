// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Errors of Decode.
var (
	// ErrTruncated says that bytes are missing at the end: the headers that
	// were there are decoded and Payload holds what was captured of it.
	ErrTruncated = errors.New("packet truncated")
	// ErrMalformed says that the packet contradicts itself or is not IP.
	// The contents of the Packet are then of no use.
	ErrMalformed = errors.New("packet malformed")
)

// maxExtensions bounds the IPv6 extension headers of one packet.
const maxExtensions = 8

// Decode reads the IP packet in b, which starts at the IP header, into p.
// Bytes behind the packet's own length (link padding) are ignored; a total
// length of 0, as segmentation offload leaves it, stands for all of b. It does
// not allocate and returns ErrTruncated, ErrMalformed or nil.
func Decode(b []byte, p *Packet) error {
	*p = Packet{}
	if len(b) < 1 {
		return ErrTruncated
	}
	switch b[0] >> 4 {
	case 4:
		return p.decode4(b)
	case 6:
		return p.decode6(b)
	}
	return ErrMalformed
}

func (p *Packet) decode4(b []byte) error {
	if len(b) < 20 {
		return ErrTruncated
	}
	head := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 {
		total = len(b)
	}
	if head < 20 || total < head {
		return ErrMalformed
	}
	frag := binary.BigEndian.Uint16(b[6:])
	p.Family = 4
	p.Length = total
	p.Hops = b[8]
	p.Proto = b[9]
	p.MoreFragments = frag&0x2000 != 0
	p.Fragment = frag&0x1fff != 0
	p.Src = netip.AddrFrom4([4]byte(b[12:16]))
	p.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	if len(b) < head {
		return ErrTruncated
	}
	if len(b) < total {
		return p.transport(b[head:], total-head)
	}
	return p.transport(b[head:total], total-head)
}

func (p *Packet) decode6(b []byte) error {
	if len(b) < 40 {
		return ErrTruncated
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	next := b[6]
	p.Family = 6
	p.Hops = b[7]
	p.Src = netip.AddrFrom16([16]byte(b[8:24]))
	p.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	b = b[40:]
	if length == 0 && next != 59 {
		length = len(b)
	}
	p.Length = 40 + length
	if len(b) > length {
		b = b[:length]
	}
	for range maxExtensions {
		var size int
		switch next {
		case 0, 43, 60, 135, 139, 140: // hop-by-hop, routing, destination, mobility, HIP, shim6
			if length < 8 {
				return ErrMalformed
			}
			if len(b) < 8 {
				return ErrTruncated
			}
			size = 8 + int(b[1])*8
		case 44: // fragment
			if length < 8 {
				return ErrMalformed
			}
			if len(b) < 8 {
				return ErrTruncated
			}
			size = 8
			frag := binary.BigEndian.Uint16(b[2:])
			p.MoreFragments = frag&1 != 0
			p.Fragment = frag&^7 != 0
		case 51: // authentication
			if length < 8 {
				return ErrMalformed
			}
			if len(b) < 8 {
				return ErrTruncated
			}
			size = 8 + int(b[1])*4
		default:
			p.Proto = next
			return p.transport(b, length)
		}
		if size > length {
			return ErrMalformed
		}
		if size > len(b) {
			return ErrTruncated
		}
		fragment := next == 44
		next = b[0]
		b = b[size:]
		length -= size
		if fragment && p.Fragment {
			p.Proto = next
			return p.transport(b, length)
		}
	}
	return ErrMalformed
}

// transport reads the transport header in b. The packet says that length bytes
// are there; b has fewer if the capture was cut.
func (p *Packet) transport(b []byte, length int) error {
	cut := error(nil)
	if len(b) < length {
		cut = ErrTruncated
	}
	if p.Fragment {
		p.Payload = b
		return cut
	}
	switch p.Proto {
	case ProtoTCP:
		if length < 20 {
			return ErrMalformed
		}
		if len(b) < 20 {
			return ErrTruncated
		}
		head := int(b[12]>>4) * 4
		if head < 20 || head > length {
			return ErrMalformed
		}
		p.SrcPort = binary.BigEndian.Uint16(b)
		p.DstPort = binary.BigEndian.Uint16(b[2:])
		p.Seq = binary.BigEndian.Uint32(b[4:])
		p.Ack = binary.BigEndian.Uint32(b[8:])
		p.TCPFlags = b[13]
		if head > len(b) {
			return ErrTruncated
		}
		p.Payload = b[head:]
	case ProtoUDP:
		if length < 8 {
			return ErrMalformed
		}
		if len(b) < 8 {
			return ErrTruncated
		}
		p.SrcPort = binary.BigEndian.Uint16(b)
		p.DstPort = binary.BigEndian.Uint16(b[2:])
		size := int(binary.BigEndian.Uint16(b[4:]))
		if size == 0 {
			size = length
		}
		switch {
		case size < 8, size > length && !p.MoreFragments:
			return ErrMalformed
		case size < len(b):
			b = b[:size]
		}
		p.Payload = b[8:]
	case ProtoICMP, ProtoICMPv6:
		if length < 4 {
			return ErrMalformed
		}
		if len(b) < 4 {
			return ErrTruncated
		}
		p.ICMPType, p.ICMPCode = b[0], b[1]
		p.Payload = b[4:]
	default:
		p.Payload = b
	}
	return cut
}
