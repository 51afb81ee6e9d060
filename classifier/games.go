// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// gameDetectors lists the protocols of games.
func gameDetectors() []detector {
	return []detector{
		rakNetDetector(),
		sourceDetector(),
		quakeDetector(),
		steamDetector(),
		minecraftDetector(),
		genshinDetector(),
		yojimboDetector(),
		tencentDetector(),
		battleNetDetector(),
		eNetDetector(),
		steamSocketsDetector(),
		photonDetector(),
		kcpDetector(),
		warcraftDetector(),
		frozenThroneDetector(),
		amongUsDetector(),
		nintendoDetector(),
	}
}

// rakNetMagic stands in every message of RakNet outside of a connection, behind
// a kind, a time or an id; games put bytes of their own in front.
const rakNetMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"

func rakNetDetector() detector {
	return detector{
		name: "RakNet", upper: "RAKNET", category: "gaming", confidence: 97,
		datagram: func(x *sight) verdict {
			return sure(bytes.Contains(x.data[:min(len(x.data), 64)], []byte(rakNetMagic)))
		},
	}
}

// connectionless begins what the engines of Quake's family say outside of a
// connection.
const connectionless = "\xff\xff\xff\xff"

func sourceDetector() detector {
	return detector{
		name: "Source_Engine", upper: "SOURCE_ENGINE", category: "gaming", confidence: 93,
		starts:   oneOf("\xff\xfe"),
		datagram: func(x *sight) verdict { return sure(isSource(x.data)) },
	}
}

// isSource knows the questions to servers, as Valve's documents describe them,
// and their answers.
func isSource(b []byte) bool {
	if opens(b, connectionless) != enough || len(b) < 9 {
		return false
	}
	body := b[5:]
	switch b[4] {
	case 'T':
		return hasAny(body, "Source Engine Query\x00") && (len(b) == 25 || len(b) == 29)
	case 'U', 'V', 'A': // players, rules, and the number to ask them with
		return len(b) == 9
	case 'W', 'i':
		return len(b) <= 9 && len(b) > 5
	case 'I':
		return isSourceInfo(body)
	case 'D', 'E': // players and rules: a count, then text that ends in zeros
		return len(b) > 12 && body[0] > 0 && bytes.Count(body, []byte{0}) >= int(min(body[0], 4)) && isSourceText(body[2:])
	}
	return false
}

// isSourceInfo reads a version of the protocol and four strings.
func isSourceInfo(b []byte) bool {
	if b[0] == 0 || len(b) < 20 {
		return false
	}
	b = b[1:]
	for range 4 {
		text, rest, ok := bytes.Cut(b, []byte{0})
		if !ok || len(text) > 128 {
			return false
		}
		for _, c := range text {
			if c < 0x20 && c != 1 && c != '\t' {
				return false
			}
		}
		b = rest
	}
	return len(b) >= 9
}

// isSourceText reports whether b begins with text of at most 64 bytes.
func isSourceText(b []byte) bool {
	text, _, ok := bytes.Cut(b[:min(len(b), 64)], []byte{0})
	for _, c := range text {
		if c < 0x20 {
			return false
		}
	}
	return ok
}

// quakeDetector knows the words that Quake III and its children send to
// servers, and their answers.
func quakeDetector() detector {
	return detector{
		name: "Quake", upper: "QUAKE", category: "gaming", confidence: 92,
		starts: oneOf("\xff"),
		datagram: func(x *sight) verdict {
			b := x.data
			return sure(opens(b, connectionless) == enough && hasAny(b[4:], "getstatus", "statusResponse\n", "getinfo ", "getinfo\n", "infoResponse\n", "getchallenge", "challengeResponse ", "getservers"))
		},
	}
}

// steamDetector knows the heads of Steam's own transport, over UDP and TCP, and
// of the search for computers that play for each other.
func steamDetector() detector {
	return detector{
		name: "Steam", upper: "STEAM", category: "gaming", confidence: 93,
		stream: func(x *sight) verdict {
			b := x.data
			if len(b) < 8 {
				if len(b) > 4 {
					return min(opens(b[4:], "VT01"), wait)
				}
				if len(b) > 3 && b[2]|b[3] != 0 {
					return no
				}
				return wait
			}
			return sure(string(b[4:8]) == "VT01" && le32(b) < 1<<16)
		},
		datagram: func(x *sight) verdict {
			b := x.data
			switch {
			case len(b) >= 36 && opens(b, "VS01") == enough:
				return sure(le16(b[4:]) == len(b)-36 && b[6] <= 7)
			case len(b) >= 16 && opens(b, "\xff\xff\xff\xff\x21\x4c\x5f\xa0") == enough:
				return sure(le32(b[8:]) < 256)
			}
			return no
		},
	}
}

func minecraftDetector() detector {
	return detector{
		name: "Minecraft", upper: "MINECRAFT", category: "gaming", confidence: 90,
		starts: func(b byte) bool { return b >= 6 && b <= 127 },
		stream: lookMinecraft,
	}
}

// lookMinecraft reads the handshake of the Java edition: its length, kind 0,
// the version of the protocol, the server's name, its port, and what the client
// wants: its state, or to play.
func lookMinecraft(x *sight) verdict {
	b := x.data
	size := int(b[0])
	if size < 6 || size > 127 {
		return no
	}
	if len(b) < 2 {
		return wait
	}
	if b[1] != 0 {
		return no
	}
	if len(b) < 1+size {
		return wait
	}
	b = b[2 : 1+size]
	at := 0
	for at < len(b) && at < 5 && b[at]&0x80 != 0 { // the version, 7 bits a byte
		at++
	}
	if at++; at+1 >= len(b) {
		return no
	}
	n := int(b[at])
	if n < 1 || n > 120 || len(b) != at+1+n+3 {
		return no
	}
	name, _, _ := bytes.Cut(b[at+1:at+1+n], []byte{0})
	if _, _, ok := cleanHost(name); !ok {
		return no
	}
	state := b[len(b)-1]
	return sure(state >= 1 && state <= 3)
}

// genshinDetector knows how the games of miHoYo greet their servers before they
// speak KCP: a number, ids, a constant, and the number's opposite.
func genshinDetector() detector {
	return detector{
		name: "GenshinImpact", upper: "GENSHINIMPACT", category: "gaming", confidence: 95,
		starts: oneOf("\x00"),
		datagram: func(x *sight) verdict {
			b := x.data
			if len(b) != 20 || be32(b[12:]) != 1234567890 {
				return no
			}
			head, tail := be32(b), be32(b[16:])
			return sure(head == 0xff && tail == 0xffffffff || head == 0x145 && tail == 0x14514545 || head == 0x194 && tail == 0x19419494)
		},
	}
}

func kcpDetector() detector {
	return detector{
		name: "KCP", upper: "KCP", category: "network", confidence: 82,
		datagram: lookKCP,
	}
}

// lookKCP walks over the segments in a datagram: each has a head of 24 bytes,
// all numbers little endian, and they fill it. All belong to one conversation.
// A segment without data says little: two datagrams have to agree then.
func lookKCP(x *sight) verdict {
	const head = 24
	b, segments := x.data, 0
	if len(b) > head && le32(b[20:]) > 0 && le32(b[20:]) == uint32(len(b)-head) {
		segments++ // the length of data is worth as much as a second segment
	}
	if len(b) < head {
		return no
	}
	conversation := le32(b)
	if conversation == 0 {
		return no
	}
	for len(b) > 0 {
		if len(b) < head || le32(b) != conversation || b[4] < 81 || b[4] > 84 {
			return no
		}
		size := le32(b[20:])
		number, expected := le32(b[12:]), le32(b[16:])
		if size > uint32(len(b)-head) || b[4] != 81 && size != 0 || number > 1<<24 || expected > 1<<24 {
			return no
		}
		b = b[head+size:]
		segments++
	}
	memo := x.memo()
	if memo == nil {
		return no
	}
	if le32(memo[:]) == conversation {
		segments += int(memo[4])
	}
	copy(memo[:4], x.data)
	memo[4] = byte(min(segments, 255))
	if segments >= 2 {
		return done
	}
	return wait
}
