// SPDX-License-Identifier: MIT

package overheard

import (
	"encoding/binary"
	"net/netip"
)

// Ports by which devices speak to all of their link.
const (
	portDHCP    = 67
	portNetBIOS = 137
	portDHCPv6  = 547
	portMDNS    = 5353
	portLLMNR   = 5355
)

const protoUDP = 17

// Parse reads a packet, from its IP header on, that the device mac has sent. It
// returns false if it says nothing of the device.
func Parse(packet []byte, mac [6]byte) (m Message, ok bool) {
	if mac == ([6]byte{}) || mac[0]&1 != 0 {
		return Message{}, false
	}
	from, dst, src, data, ok := datagram(packet)
	if !ok {
		return Message{}, false
	}
	m.MAC = mac
	if !from.IsUnspecified() {
		m.From = from
	}
	switch {
	case dst == portDHCP && from.Is4():
		m.Source, ok = DHCP, m.dhcp(data)
	case dst == portDHCPv6 && from.Is6():
		m.Source, ok = DHCP, m.dhcpv6(data)
	case dst == portMDNS && src == portMDNS:
		m.Source, ok = MDNS, m.mdns(data)
	case dst == portLLMNR:
		m.Source, ok = LLMNR, m.llmnr(data)
	case dst == portNetBIOS && src == portNetBIOS && from.Is4():
		m.Source, ok = NetBIOS, m.netbios(data)
	default:
		ok = false
	}
	return m, ok && (len(m.Names) > 0 || len(m.Services) > 0 || m.Class != "" || m.Options != "")
}

// datagram returns what a packet carries that is one whole UDP datagram.
func datagram(b []byte) (from netip.Addr, dst, src uint16, data []byte, ok bool) {
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 {
	case 4:
		header := int(b[0]&0xf) * 4
		if len(b) < 20 || header < 20 || b[9] != protoUDP || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
			return
		}
		total := int(binary.BigEndian.Uint16(b[2:]))
		if total < header || total > len(b) {
			return
		}
		from, b = netip.AddrFrom4([4]byte(b[12:16])), b[header:total]
	case 6:
		const header = 40
		if len(b) < header || b[6] != protoUDP {
			return
		}
		total := header + int(binary.BigEndian.Uint16(b[4:]))
		if total > len(b) {
			return
		}
		if from = netip.AddrFrom16([16]byte(b[8:24])); from.Is4In6() {
			return
		}
		b = b[header:total]
	default:
		return
	}
	if len(b) < 8 {
		return
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	if size < 8 || size > len(b) {
		return
	}
	return from, binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b), b[8:size], true
}
