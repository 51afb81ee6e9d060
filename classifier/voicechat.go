// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func discordDetector() detector {
	return detector{
		name: "Discord", upper: "DISCORD", category: "messaging", confidence: 93,
		starts:   oneOf("\x00"),
		datagram: func(x *sight) verdict { return sure(isDiscord(x.data)) },
	}
}

// isDiscord knows the discovery of the own address that Discord's documents for
// developers (Voice Connections, IP Discovery) tell of: kind 1 or 2, length 70, source, then 64 bytes for the address, empty
// in the question, and a port.
func isDiscord(b []byte) bool {
	if len(b) != 74 || be16(b[2:]) != 70 || be32(b[4:]) == 0 {
		return false
	}
	address := b[8:72]
	switch be16(b) {
	case 1:
		return len(bytes.Trim(address, "\x00")) == 0
	case 2:
		text, rest, _ := bytes.Cut(address, []byte{0})
		_, isAddress, _ := cleanHost(text)
		return isAddress && len(bytes.Trim(rest, "\x00")) == 0
	}
	return false
}

// teamSpeakDetector knows the start of TeamSpeak 3's handshake, and that of
// version 2: a class of packet, a kind, and nothing known of the session yet.
func teamSpeakDetector() detector {
	return detector{
		name: "TeamSpeak", upper: "TEAMSPEAK", category: "voip", confidence: 95,
		starts: oneOf("T\xf4"),
		datagram: func(x *sight) verdict {
			b := x.data
			switch {
			case len(b) >= 20 && opens(b, "TS3INIT1") == enough:
				return done
			case len(b) == 180:
				return sure(opens(b, "\xf4\xbe\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00") == enough)
			}
			return no
		},
	}
}

func zoomDetector() detector {
	return detector{
		name: "Zoom", upper: "ZOOM", category: "conferencing", confidence: 85,
		starts:   oneOf("\x01\x02\x03\x05"),
		datagram: lookZoom,
	}
}

// lookZoom knows the greeting of client and server, kind 1 and 2, by the sixteen
// bytes that both carry behind a number, and media.
func lookZoom(x *sight) verdict {
	const id, end = 4, 20
	b := x.data
	switch b[0] {
	case 1, 2:
		if len(b) < 32 || b[1] != 0 || !isVaried16(b[id:end]) {
			return no
		}
		memo := x.memo()
		if memo == nil {
			return no
		}
		// The last byte of the memory says who has greeted.
		kept := [15]byte(b[id:])
		if memo[15] == 3-b[0] && kept == [15]byte(memo[:]) {
			return done
		}
		copy(memo[:], kept[:])
		memo[15] = b[0]
		return wait
	case 3:
		return wait
	}
	return sure(isZoom(b))
}

// isZoom knows what Zoom puts in front of RTP, as measurements of it describe:
// between a client and a server a head of 8 bytes (kind 5, direction 0 or 4 in
// the last), then the kind of medium, which tells where RTP begins.
func isZoom(b []byte) bool {
	if b[0] != 5 || len(b) < 8+24+12 || b[7] != 0 && b[7] != 4 {
		return false
	}
	b = b[8:]
	at := 0
	switch b[0] {
	case 13: // screen
		at = 27
	case 15: // audio
		at = 19
	case 16: // video
		at = 24
	case 30: // screen, newer
		at = 20
	default:
		return false
	}
	if len(b) < at+12 || !isRTP(b[at:]) {
		return false
	}
	switch b[at+1] & 0x7f {
	case 98, 99, 110, 112, 113:
	default:
		return false
	}
	// The head repeats the low byte or all of what RTP numbers; its own source
	// is small.
	return b[at]&0x20 == 0 && b[at]&15 == 0 && b[at+8] == 0 && b[at+9]|b[at+10]|b[at+11] != 0
}

// oicqDetector knows the frame of QQ's old protocol: a byte 2 in front, a byte
// 3 behind, the version of the client, a command, a number, the user.
func oicqDetector() detector {
	return detector{
		name: "OICQ", upper: "OICQ", category: "messaging", confidence: 75,
		starts: oneOf("\x02"),
		datagram: func(x *sight) verdict {
			b := x.data
			if len(b) < 24 || b[len(b)-1] != 3 || b[1] < 0x09 || b[1] > 0x3f || be32(b[7:]) < 10000 {
				return no
			}
			if !x.port(8000) {
				return no
			}
			switch be16(b[3:]) {
			case 0x0001, 0x0002, 0x0006, 0x000d, 0x0016, 0x0017, 0x0018, 0x001c, 0x001d, 0x0022, 0x0026, 0x0027, 0x0030, 0x0058, 0x005c, 0x0062, 0x0065,
				0x0067, 0x0081, 0x0091, 0x00b5, 0x00cd, 0x00ce, 0x00dd, 0x0115, 0x0116, 0x0126, 0x0134, 0x0135, 0x0352, 0x0391, 0x0825, 0x0826, 0x0828, 0x0836:
				return done
			}
			return no
		},
	}
}
