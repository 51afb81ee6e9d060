// SPDX-License-Identifier: MIT

package classifier

func l2tpDetector() detector {
	return detector{
		name: "L2TP", upper: "L2TP", category: "vpn", confidence: 95,
		starts:   oneOf("\xc8"),
		datagram: func(x *sight) verdict { return sure(isL2TP(x.data)) },
	}
}

// isL2TP reports whether b is a control message of L2TP version 2 (RFC 2661) or
// 3 (RFC 3931): its length is the datagram's, and its first attribute is the
// type of the message.
func isL2TP(b []byte) bool {
	if len(b) < 20 || b[0] != 0xc8 || be16(b[2:]) != len(b) || b[1] != 2 && b[1] != 3 {
		return false
	}
	first := b[12:]
	return first[0]&0x3c == 0 && be16(first)&0x3ff == 8 && be32(first[2:]) == 0 && be16(first[6:]) >= 1 && be16(first[6:]) <= 28
}

func pptpDetector() detector {
	return detector{
		name: "PPTP", upper: "PPTP", category: "vpn", confidence: 97,
		starts: oneOf("\x00"),
		stream: lookPPTP,
	}
}

// lookPPTP reads the head of a control message (RFC 2637): length, kind 1 and
// the magic cookie; the first request or answer is 156 bytes long.
func lookPPTP(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x00\x9c\x00\x01\x1a\x2b\x3c\x4d\x00"); v != enough {
		return v
	}
	if len(b) < 10 {
		return wait
	}
	return sure(b[9] == 1 || b[9] == 2)
}
