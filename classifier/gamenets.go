// SPDX-License-Identifier: MIT

package classifier

func tencentDetector() detector { return streamOnly("TencentGames", "gaming", "\x33", lookTGCP) }

// lookTGCP reads the head of Tencent's protocol for games: a mark, versions of
// head and body, a command, whether it is encrypted, a number, and the lengths
// of head and body. The first message has no body.
func lookTGCP(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x33\x66\x00"); v != enough {
		return v
	}
	if len(b) < 21 {
		return wait
	}
	opens := be16(b[6:]) == 0x1001 || be16(b[6:]) == 0x1002
	head, body := be32(b[13:]), be32(b[17:])
	return sure(b[3] <= 32 && b[4] == 0 && b[5] <= 32 && opens && b[8] <= 4 && head >= 21 && head <= 1024 && body <= 4096)
}

// photonDetector knows the transport of Photon, which many games for phones
// are made with.
func photonDetector() detector {
	return detector{
		name: "Photon", upper: "PHOTON", category: "gaming", confidence: 88,
		datagram: func(x *sight) verdict { return sure(isPhoton(x.data)) },
	}
}

// isPhoton walks over the commands behind the head of a datagram (the peer's
// id, no checksum, how many commands, a time, a challenge): each has a kind, a
// channel, flags, a length and a number, and together they fill it.
func isPhoton(b []byte) bool {
	const head = 12
	if len(b) < 2*head || b[2] != 0 || b[3] == 0 || b[3] > 32 || be32(b[8:]) == 0 {
		return false
	}
	count := b[3]
	opens := be16(b) == 0xffff
	for b = b[head:]; count > 0; count-- {
		if len(b) < head || b[0] == 0 || b[0] > 16 || b[1] > 32 && b[1] != 255 || b[2] > 3 {
			return false
		}
		size := be32(b[4:])
		if size < head || size > uint32(len(b)) {
			return false
		}
		// A connection opens with kind 2, which is answered with kind 3.
		if opens && (b[0] != 2 || size != 44) {
			return false
		}
		b = b[size:]
	}
	return len(b) == 0
}
