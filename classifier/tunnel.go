// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// Ports of tunnels over UDP.
const (
	portGTPU   = 2152
	portTeredo = 3544
	portVXLAN  = 4789
	portGeneve = 6081
	portL2TP   = 1701
)

// Types of what Ethernet and GRE carry.
const (
	etherIPv4     = 0x0800
	etherIPv6     = 0x86dd
	etherVLAN     = 0x8100
	etherQinQ     = 0x88a8
	etherPPP      = 0x880b
	etherBridging = 0x6558
	etherPPPoE    = 0x8864
)

// maxTunnelHeaders bounds the headers between two IP headers.
const maxTunnelHeaders = 8

// Inner returns the IP packet that p carries in a tunnel, a part of its
// payload, and whether there is one: IP in IP, GRE (of PPTP, too), EtherIP, and
// over UDP, on its port and with a header that agrees with it, GTP-U, VXLAN,
// Geneve, L2TP and Teredo. Nothing is decrypted, uncompressed or put together.
func (p *Packet) Inner() ([]byte, bool) {
	b := p.Payload
	if p.Fragment {
		return nil, false
	}
	switch p.Proto {
	case 4, 41:
		return innerIP(b)
	case 47:
		return innerGRE(b)
	case 97: // EtherIP (RFC 3378)
		if len(b) < 2 || b[0]>>4 != 3 {
			return nil, false
		}
		return innerEthernet(b[2:])
	case ProtoUDP:
		switch {
		case p.isPort(portGTPU):
			return innerGTP(b)
		case p.DstPort == portVXLAN: // RFC 7348
			if len(b) < 8 || b[0] != 0x08 || b[7] != 0 {
				return nil, false
			}
			return innerEthernet(b[8:])
		case p.DstPort == portGeneve:
			return innerGeneve(b)
		case p.isPort(portL2TP):
			return innerL2TP(b)
		case p.isPort(portTeredo):
			return innerTeredo(b)
		}
	}
	return nil, false
}

func (p *Packet) isPort(n uint16) bool { return p.SrcPort == n || p.DstPort == n }

// innerIP returns b if it begins like an IP packet that is as long as it says.
func innerIP(b []byte) ([]byte, bool) {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && b[0]&15 >= 5 && int(binary.BigEndian.Uint16(b[2:])) >= 20,
		len(b) >= 40 && b[0]>>4 == 6:
		return b, true
	}
	return nil, false
}

// innerEthernet looks behind an Ethernet header.
func innerEthernet(b []byte) ([]byte, bool) {
	if len(b) < 14 {
		return nil, false
	}
	return innerType(binary.BigEndian.Uint16(b[12:]), b[14:])
}

// innerType looks behind VLAN tags, bridging, PPPoE and PPP.
func innerType(kind uint16, b []byte) ([]byte, bool) {
	for range maxTunnelHeaders {
		switch {
		case kind == etherIPv4, kind == etherIPv6:
			return innerIP(b)
		case (kind == etherVLAN || kind == etherQinQ) && len(b) >= 4:
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case kind == etherBridging && len(b) >= 14:
			kind, b = binary.BigEndian.Uint16(b[12:]), b[14:]
		case kind == etherPPPoE && len(b) >= 6:
			return innerPPP(b[6:])
		case kind == etherPPP:
			return innerPPP(b)
		default:
			return nil, false
		}
	}
	return nil, false
}

// innerPPP looks behind a PPP header (RFC 1661, 1662), whose address and
// protocol fields may be shortened.
func innerPPP(b []byte) ([]byte, bool) {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) < 2 {
		return nil, false
	}
	kind, rest := uint16(b[0]), b[1:]
	if b[0]&1 == 0 {
		kind, rest = binary.BigEndian.Uint16(b), b[2:]
	}
	if kind != 0x21 && kind != 0x57 {
		return nil, false
	}
	return innerIP(rest)
}

// innerGRE looks behind GRE (RFC 2784, 2890) and the GRE of PPTP (RFC 2637).
func innerGRE(b []byte) ([]byte, bool) {
	if len(b) < 4 {
		return nil, false
	}
	flags, version, kind := b[0], b[1]&7, binary.BigEndian.Uint16(b[2:])
	skip := 4
	switch {
	case version == 0 && flags&0x40 == 0: // routing, of RFC 1701, is no more
		for _, bit := range [...]byte{0x80, 0x20, 0x10} { // checksum, key, sequence
			if flags&bit != 0 {
				skip += 4
			}
		}
	case version == 1 && kind == etherPPP && flags&0xe0 == 0x20:
		skip += 4 // length and call
		if flags&0x10 == 0 {
			return nil, false // an acknowledgement alone
		}
		skip += 4
		if b[1]&0x80 != 0 {
			skip += 4
		}
	default:
		return nil, false
	}
	if len(b) < skip {
		return nil, false
	}
	return innerType(kind, b[skip:])
}

// innerGTP looks behind GTP-U, version 1 (3GPP TS 29.281): a G-PDU and its
// extension headers.
func innerGTP(b []byte) ([]byte, bool) {
	if len(b) < 8 || b[0]>>4 != 3 || b[1] != 255 || int(binary.BigEndian.Uint16(b[2:])) != len(b)-8 {
		return nil, false
	}
	rest := b[8:]
	if b[0]&7 == 0 {
		return innerIP(rest)
	}
	if len(rest) < 4 {
		return nil, false
	}
	next := rest[3]
	if b[0]&4 == 0 {
		next = 0
	}
	rest = rest[4:]
	for range maxTunnelHeaders {
		if next == 0 {
			return innerIP(rest)
		}
		if len(rest) < 4 || rest[0] == 0 || len(rest) < 4*int(rest[0]) {
			return nil, false
		}
		size := 4 * int(rest[0])
		next, rest = rest[size-1], rest[size:]
	}
	return nil, false
}

// innerGeneve looks behind Geneve (RFC 8926).
func innerGeneve(b []byte) ([]byte, bool) {
	if len(b) < 8 || b[0]>>6 != 0 || b[1]&0x3f != 0 || b[7] != 0 {
		return nil, false
	}
	skip := 8 + 4*int(b[0]&0x3f)
	if len(b) < skip {
		return nil, false
	}
	return innerType(binary.BigEndian.Uint16(b[2:]), b[skip:])
}

// innerL2TP looks behind a data message of L2TP, version 2 (RFC 2661).
func innerL2TP(b []byte) ([]byte, bool) {
	if len(b) < 6 || b[0]&0x80 != 0 || b[1]&0x0f != 2 {
		return nil, false
	}
	skip := 6 // flags, tunnel, session
	if b[0]&0x40 != 0 {
		if int(binary.BigEndian.Uint16(b[2:])) != len(b) {
			return nil, false
		}
		skip += 2
	}
	if b[0]&0x08 != 0 { // numbers
		skip += 4
	}
	if b[0]&0x02 != 0 { // offset
		if len(b) < skip+2 {
			return nil, false
		}
		skip += 2 + int(binary.BigEndian.Uint16(b[skip:]))
	}
	if len(b) < skip {
		return nil, false
	}
	return innerPPP(b[skip:])
}

// innerTeredo looks behind the authentication and the origin of Teredo
// (RFC 4380).
func innerTeredo(b []byte) ([]byte, bool) {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		skip := 4 + int(b[2]) + int(b[3]) + 9
		if len(b) < skip {
			return nil, false
		}
		b = b[skip:]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 || int(binary.BigEndian.Uint16(b[4:])) > len(b)-40 {
		return nil, false
	}
	return b, true
}
