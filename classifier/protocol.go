// SPDX-License-Identifier: MIT

package classifier

import "strings"

// ProtocolName names IP protocols by number, in capitals. It is empty for those
// without a name here.
func ProtocolName(n uint8) string {
	switch n {
	case ProtoICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case 4:
		return "IPIP"
	case ProtoTCP:
		return "TCP"
	case 8:
		return "EGP"
	case ProtoUDP:
		return "UDP"
	case 33:
		return "DCCP"
	case 41:
		return "IPV6"
	case 46:
		return "RSVP"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case 51:
		return "AH"
	case ProtoICMPv6:
		return "ICMPV6"
	case 88:
		return "EIGRP"
	case 89:
		return "OSPF"
	case 97:
		return "ETHERIP"
	case 103:
		return "PIM"
	case 108:
		return "IPCOMP"
	case 112:
		return "VRRP"
	case 113:
		return "PGM"
	case 115:
		return "L2TP"
	case 124:
		return "ISIS"
	case 132:
		return "SCTP"
	case 136:
		return "UDPLITE"
	case 137:
		return "MPLS"
	}
	return ""
}

// bareProtocols returns the protocols that their IP protocol number tells, by
// that number.
func bareProtocols() (bare [256]*detector) {
	for n := range 256 {
		name, category, confidence := ProtocolName(uint8(n)), "network", uint8(100)
		switch n {
		case ProtoTCP, ProtoUDP, 33, 136: // they carry others
			continue
		case 4, 41: // IP in IP
			name, category = "IP_in_IP", "vpn"
		case 50, 51, 108:
			name, category = "IPSec", "vpn"
		case 47, 97, 115:
			category = "vpn"
		}
		if name != "" {
			bare[n] = &detector{name: name, upper: strings.ToUpper(name), category: category, confidence: confidence}
		}
	}
	return bare
}

// inspectOther settles a session whose IP protocol number says all there is.
func (c *Classifier) inspectOther(s *Session) {
	if d := c.bare[s.proto]; d != nil {
		s.lock(d, 0)
	}
	s.finish()
}
