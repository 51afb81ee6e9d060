// SPDX-License-Identifier: MIT

package pcap

import "encoding/binary"

// Link is a link-layer type as capture files number them.
type Link uint32

// The links whose packets are read. Raw IP has three numbers.
const (
	LinkNull     Link = 0 // loopback: address family in the writer's byte order
	LinkEthernet Link = 1
	LinkRawBSD   Link = 12
	LinkRawOther Link = 14
	LinkRaw      Link = 101
	LinkLoop     Link = 108 // loopback: address family in network byte order
	LinkSLL      Link = 113 // Linux cooked
	LinkIPv4     Link = 228
	LinkIPv6     Link = 229
	LinkSLL2     Link = 276 // Linux cooked, version 2
)

// Ethernet types that are looked behind or into.
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherVLAN  = 0x8100
	etherQinQ  = 0x88a8
	etherPPPoE = 0x8864
)

// maxTags bounds the VLAN tags of a frame.
const maxTags = 4

// IP returns the IP packet in a frame, a part of it, and whether there is one.
func (l Link) IP(b []byte) ([]byte, bool) {
	switch l {
	case LinkRaw, LinkRawBSD, LinkRawOther, LinkIPv4, LinkIPv6:
		return b, len(b) > 0
	case LinkNull, LinkLoop:
		if len(b) < 4 {
			return nil, false
		}
		return isIP(b[4:])
	case LinkEthernet:
		if len(b) < 14 {
			return nil, false
		}
		return payload(binary.BigEndian.Uint16(b[12:]), b[14:])
	case LinkSLL:
		if len(b) < 16 {
			return nil, false
		}
		return payload(binary.BigEndian.Uint16(b[14:]), b[16:])
	case LinkSLL2:
		if len(b) < 20 {
			return nil, false
		}
		return payload(binary.BigEndian.Uint16(b), b[20:])
	}
	return nil, false
}

// Ends returns the hardware addresses of a frame's sender and of whom it is for,
// zero where the link is not Ethernet.
func (l Link) Ends(b []byte) (src, dst [6]byte) {
	if l == LinkEthernet && len(b) >= 12 {
		copy(dst[:], b)
		copy(src[:], b[6:])
	}
	return src, dst
}

// payload looks behind VLAN tags and PPPoE.
func payload(kind uint16, b []byte) ([]byte, bool) {
	for range maxTags {
		switch {
		case kind == etherIPv4, kind == etherIPv6:
			return isIP(b)
		case (kind == etherVLAN || kind == etherQinQ) && len(b) >= 4:
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case kind == etherPPPoE && len(b) >= 8:
			switch binary.BigEndian.Uint16(b[6:]) {
			case 0x0021, 0x0057: // IPv4, IPv6
				return isIP(b[8:])
			}
			return nil, false
		default:
			return nil, false
		}
	}
	return nil, false
}

// isIP returns b if its version says IP.
func isIP(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0]>>4 != 4 && b[0]>>4 != 6 {
		return nil, false
	}
	return b, true
}
