// SPDX-License-Identifier: MIT

package classifier

// isRTP reports whether b can be a packet of RTP (RFC 3550): version 2, a kind
// of payload that RTCP does not collide with, room for the sources it counts.
// This says little: several packets have to agree. What has zeros behind its first
// byte is a refusal of QUIC (RFC 9000, 17.2.1), which every client can ask for.
func isRTP(b []byte) bool {
	if len(b) < 12 || b[0]>>6 != 2 || be32(b[1:]) == 0 {
		return false
	}
	kind := b[1] & 0x7f
	return (kind <= 34 || kind >= 96) && len(b) >= 12+4*int(b[0]&15) && be32(b[8:]) != 0
}

// minRTP is how many packets of a direction have to follow each other.
const minRTP = 3

func rtpDetector() detector {
	return detector{
		name: "RTP", upper: "RTP", category: "voip", confidence: 88,
		starts:   func(b byte) bool { return b>>6 == 2 || b < 8 },
		stream:   lookRTPStream,
		datagram: lookRTP,
	}
}

// lookRTP claims the session once a direction has shown packets of one source
// that count up and whose time goes on. For each direction the memory holds the
// source, the last number, the low bits of the time, and how many agreed.
func lookRTP(x *sight) verdict {
	b := x.data
	if !isRTP(b) {
		if isRTCP(b) {
			return wait
		}
		return no
	}
	if x.nth == 1 && x.announcedMedia() {
		return done
	}
	memo := x.memo()
	if memo == nil {
		return no
	}
	m := memo[8*x.dir : 8*x.dir+8]
	step := (be16(b[2:]) - be16(m[4:])) & 0xffff
	// The time is kept in units of 2^16; it does not jump by more than minutes.
	passed := b[5] - m[6]
	same := m[7] > 0 && string(m[:4]) == string(b[8:12])
	switch {
	case same && (step == 0 || step >= 1<<16-8): // sent again, or overtaken
		return wait
	case same && step <= 16 && passed < 64:
		m[7]++
	default:
		m[7] = 1
	}
	copy(m, b[8:12])
	m[4], m[5], m[6] = b[2], b[3], b[5]
	if m[7] >= minRTP {
		return done
	}
	return wait
}

// lookRTPStream reads two packets with their lengths in front (RFC 4571) of one
// source and with numbers that follow each other.
func lookRTPStream(x *sight) verdict {
	b := x.data
	if len(b) < 14 {
		if len(b) > 2 && b[2]>>6 != 2 {
			return no
		}
		return wait
	}
	size := be16(b)
	if len(b) < 14+4*int(b[2]&15) && b[2]>>6 == 2 && size <= 1500 {
		return wait
	}
	if size < 13 || size > 1500 || !isRTP(b[2:]) {
		return no
	}
	next := 2 + size
	if len(b) < next+14 || len(b) < next+14+4*int(b[next+2]&15) {
		return wait
	}
	first, second := b[2:], b[next+2:]
	return sure(isRTP(second) && string(first[8:12]) == string(second[8:12]) && (be16(second[2:])-be16(first[2:]))&0xffff == 1 && be16(b[next:]) >= 13)
}

func rtcpDetector() detector {
	return detector{
		name: "RTCP", upper: "RTCP", category: "voip", confidence: 88,
		starts:   func(b byte) bool { return b>>6 == 2 },
		datagram: func(x *sight) verdict { return sure(isRTCP(x.data)) },
	}
}

// isRTCP reports whether b is a compound packet of RTCP: it begins with a
// report, and the lengths of what it holds lead exactly to its end.
func isRTCP(b []byte) bool {
	if len(b) < 8 || b[1] != 200 && b[1] != 201 {
		return false
	}
	first, blocks := 4+4*be16(b[2:]), int(b[0]&31)
	switch {
	case b[1] == 200 && first < 28+24*blocks, b[1] == 201 && first < 8+24*blocks:
		return false
	}
	// Where it is encrypted (RFC 3711), what follows the head of the first report
	// cannot be read; behind all stand a bit, a number and a tag of ten bytes.
	if n := len(b) - 14; n == first && b[n]&0x80 != 0 && b[n]&0x7f == 0 && b[n+1] == 0 {
		return true
	}
	count := 0
	for ; len(b) > 0; count++ {
		if len(b) < 4 || b[0]>>6 != 2 || b[1] < 192 || b[1] > 213 {
			return false
		}
		size := 4 + 4*be16(b[2:])
		if size > len(b) {
			return false
		}
		b = b[size:]
	}
	// One empty report alone is too little.
	return count > 1 || blocks > 0 || first >= 28
}

func mpegTSDetector() detector {
	return detector{
		name: "MPEG_TS", upper: "MPEG_TS", category: "streaming", confidence: 92,
		starts:   oneOf("\x47"),
		datagram: func(x *sight) verdict { return sure(isTransportStream(x.data)) },
	}
}

// isTransportStream reports whether b is packets of 188 bytes, each with the
// byte that begins them, no error and not scrambled in a reserved way (ISO/IEC
// 13818-1). Two are the least.
func isTransportStream(b []byte) bool {
	const size = 188
	if len(b) < 2*size || len(b)%size != 0 {
		return false
	}
	for ; len(b) > 0; b = b[size:] {
		if b[0] != 0x47 || b[1]&0x80 != 0 || b[3]&0xc0 == 0x40 || b[3]&0x30 == 0 {
			return false
		}
	}
	return true
}
