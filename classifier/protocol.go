// SPDX-License-Identifier: MIT

package classifier

// ProtocolName names the IP protocols that are told apart by number alone, and
// the two that carry everything else. It is empty for others.
func ProtocolName(n uint8) string {
	switch n {
	case ProtoICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case ProtoTCP:
		return "TCP"
	case ProtoUDP:
		return "UDP"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case 51:
		return "AH"
	case ProtoICMPv6:
		return "ICMPV6"
	case 89:
		return "OSPF"
	case 112:
		return "VRRP"
	case 132:
		return "SCTP"
	}
	return ""
}

// inspectOther settles a session whose IP protocol number says all there is.
func (c *Classifier) inspectOther(s *Session, p *Packet) {
	if name := ProtocolName(p.Proto); name != "" {
		s.lock(&detector{name: name, upper: name, category: "network", confidence: 100}, 0)
	}
	s.finish()
}
