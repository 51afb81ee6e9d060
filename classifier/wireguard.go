// SPDX-License-Identifier: MIT

package classifier

func wireGuardDetector() detector {
	return detector{
		name: "WireGuard", upper: "WIREGUARD", category: "vpn", confidence: 93, opening: opensWireGuard,
		starts:   oneOf("\x01\x02\x04"),
		datagram: func(x *sight) verdict { return sure(isWireGuard(x.data)) },
	}
}

// isWireGuard knows the messages of the protocol by their type, three zeros
// behind it, and their lengths; a cookie never comes first. Initiation and
// response are fixed in length and look random; data is a multiple of 16 with a
// counter that a real connection keeps far below 2^40.
func isWireGuard(b []byte) bool {
	if len(b) < 32 || b[1]|b[2]|b[3] != 0 {
		return false
	}
	switch b[0] {
	case 1:
		return len(b) == 148 && isVaried(b[8:40])
	case 2:
		return len(b) == 92 && isVaried(b[12:44])
	case 4:
		return len(b)%16 == 0 && le32(b[4:]) != 0 && b[13]|b[14]|b[15] == 0 && (len(b) < 48 || isVaried(b[16:]))
	}
	return false
}
