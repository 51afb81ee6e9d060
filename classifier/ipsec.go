// SPDX-License-Identifier: MIT

package classifier

// natTraversal is the port on which IKE and ESP share UDP (RFC 3948).
const natTraversal = 4500

func ipsecDetector() detector {
	return detector{
		name: "IPSec", upper: "IPSEC", category: "vpn", confidence: 92,
		datagram: lookIPsec,
		stream:   lookIPsecStream,
	}
}

// lookIPsec knows IKE version 1 (RFC 2408) and 2 (RFC 7296), bare or behind the
// four zeros that tell it from ESP, and ESP itself, which is believed on its
// port only.
func lookIPsec(x *sight) verdict {
	b := x.data
	if len(b) >= 32 && be32(b) == 0 {
		return sure(isIKE(b[4:]))
	}
	if isIKE(b) {
		return done
	}
	return sure(x.port(natTraversal) && len(b) >= 36 && len(b)%4 == 0 && be32(b) >= 256 && be32(b[4:])-1 < 1<<16 && isVaried(b[8:]))
}

// lookIPsecStream knows IKE over TCP (RFC 8229): a prefix, then a length, four
// zeros and a message.
func lookIPsecStream(x *sight) verdict {
	b := x.data
	const prefix = "IKETCP"
	if v := opens(b, prefix); v != enough {
		return v
	}
	if len(b) < len(prefix)+6+28 {
		return wait
	}
	return sure(be32(b[len(prefix)+2:]) == 0)
}

// isIKE checks every field of the header that has a range: the kind of the
// first payload, version, exchange, flags, and the length, which is all of b.
func isIKE(b []byte) bool {
	if len(b) < 28+4 || be32(b)|be32(b[4:]) == 0 || uint64(be32(b[24:])) != uint64(len(b)) {
		return false
	}
	next, version, exchange, flags := b[16], b[17], b[18], b[19]
	answered := be32(b[8:])|be32(b[12:]) != 0
	switch version {
	case 0x10:
		known := exchange >= 1 && exchange <= 6 || exchange >= 32 && exchange <= 34 || exchange == 243
		return known && flags < 8 && next < 24 || known && flags < 8 && next >= 130 && next <= 132
	case 0x20, 0x21:
		known := exchange >= 34 && exchange <= 37 || exchange == 43
		return known && flags&^0x38 == 0 && (next >= 33 && next <= 53 || next == 0) && (answered || exchange == 34)
	}
	return false
}
