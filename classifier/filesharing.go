// SPDX-License-Identifier: MIT

package classifier

func gnutellaDetector() detector {
	return detector{
		name: "Gnutella", upper: "GNUTELLA", category: "p2p", confidence: 96,
		starts: oneOf("G"),
		stream: func(x *sight) verdict {
			return certain(opensAny(x.data, "GNUTELLA CONNECT/0.", "GNUTELLA/0.", "GNUTELLA OK"))
		},
	}
}

// directConnectDetector knows NMDC's first commands and ADC's.
func directConnectDetector() detector {
	return detector{
		name: "DirectConnect", upper: "DIRECTCONNECT", category: "p2p", confidence: 92,
		starts: oneOf("$HC"),
		stream: func(x *sight) verdict {
			return certain(opensAny(x.data, "$Lock EXTENDEDPROTOCOL", "$MyNick ", "$Supports ", "HSUP ADBAS", "CSUP ADBAS", "HSUP ADTIGR"))
		},
	}
}

// libp2pDetector knows the negotiation of IPFS and its relatives: the name of
// multistream-select with its length in front.
func libp2pDetector() detector {
	return detector{
		name: "IPFS", upper: "IPFS", category: "p2p", confidence: 90,
		starts: oneOf("\x13"),
		stream: func(x *sight) verdict { return certain(opens(x.data, "\x13/multistream/1.0.0\n")) },
	}
}

func soulseekDetector() detector {
	return detector{
		name: "Soulseek", upper: "SOULSEEK", category: "p2p", confidence: 92,
		stream: lookSoulseek,
	}
}

// lookSoulseek reads a login to the server (length, code 1, name, password,
// version, MD5 of both as 32 digits) or a peer's first message (length, code
// byte 1, name, a type of one letter, token). All numbers are little endian.
func lookSoulseek(x *sight) verdict {
	b := x.data
	if len(b) < 8 {
		if len(b) > 3 && b[2]|b[3] != 0 {
			return no
		}
		return wait
	}
	size := int(le32(b))
	if size < 12 || size > 512 || b[4] != 1 {
		return no
	}
	if len(b) < 4+size {
		return wait
	}
	if len(b) > 4+size && b[5]|b[6]|b[7] != 0 {
		return no
	}
	body := b[4 : 4+size]
	if le32(body) == 1 {
		name, rest, ok := soulseekString(body[4:])
		if !ok || len(name) == 0 {
			return no
		}
		_, rest, ok = soulseekString(rest)
		if !ok || len(rest) < 8+32 || le32(rest) > 1000 {
			return no
		}
		digest, rest, ok := soulseekString(rest[4:])
		return sure(ok && len(digest) == 32 && len(rest) <= 4)
	}
	name, rest, ok := soulseekString(body[1:])
	if !ok || len(name) == 0 || len(rest) != 9 || le32(rest) != 1 {
		return no
	}
	return sure(rest[4] == 'P' || rest[4] == 'F' || rest[4] == 'D')
}

// soulseekString takes a printable string with its length in four bytes.
func soulseekString(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := le32(b)
	if n > 128 || int(n) > len(b)-4 {
		return nil, nil, false
	}
	s = b[4 : 4+n]
	return s, b[4+n:], isPrintable(s)
}
