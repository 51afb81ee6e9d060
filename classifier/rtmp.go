// SPDX-License-Identifier: MIT

package classifier

func rtmpDetector() detector { return streamOnly("RTMP", "streaming", "\x03", lookRTMP) }

// lookRTMP reads the first two parts of the handshake that Adobe published:
// version 3, then 1536 bytes: a time, four zeros or the version of a player or
// server, and what looks random. Neither side sends more before the other has
// answered, but a server may put its echo behind it.
func lookRTMP(x *sight) verdict {
	const size = 1 + 1536
	b := x.data
	if len(b) < 9 {
		return wait
	}
	// A version is four numbers, of which the first is 9 to 13 for players, and
	// below 8, or with its upper bit set, for others.
	if be32(b[5:]) != 0 && (b[5]&0x7f > 16 || b[6] > 16) {
		return no
	}
	if len(b) < size {
		return wait
	}
	if x.dir == Original && len(b) > size {
		return no
	}
	return sure(isVaried(b[100:164]) && isVaried(b[800:864]))
}
