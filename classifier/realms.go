// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// warcraftDetector knows World of Warcraft: the challenge that opens a login,
// which names the game, the processor, the system and the language, each turned
// round, and the line by which both sides of a realm open theirs.
func warcraftDetector() detector {
	return streamOnly("WorldOfWarcraft", "gaming", "\x00\x30\x31\x32\x33W", func(x *sight) verdict {
		const line = "WORLD OF WARCRAFT CONNECTION - "
		b := x.data
		if len(b) < 6 {
			return wait
		}
		for _, at := range [...]int{0, 2, 4} { // its length may go before
			if v := opens(b[at:], line); v != no {
				return certain(v)
			}
		}
		if b[0] != 0 || b[1] < 2 || b[1] > 8 {
			return no
		}
		if len(b) < 17 {
			if opens(b[4:], "WoW\x00") == no {
				return no
			}
			return wait
		}
		processor := string(b[13:17])
		return sure(opens(b[4:], "WoW\x00") == enough && le16(b[2:]) >= 30 && le16(b[2:]) < 300 && (processor == "68x\x00" || processor == "46x\x00" || processor == "CPP\x00"))
	})
}

// frozenThroneDetector knows Warcraft III: how its games are looked for and told
// of in a local network, with the name of the game turned round, and how a
// player joins one.
func frozenThroneDetector() detector {
	const search, told, created, refreshed = 0x2f, 0x30, 0x31, 0x32
	return detector{
		name: "Warcraft3", upper: "WARCRAFT3", category: "gaming", confidence: 93,
		starts: oneOf("\xf7"),
		datagram: func(x *sight) verdict {
			b := x.data
			if len(b) < 8 || le16(b[2:]) != len(b) {
				return no
			}
			switch b[1] {
			case search, told, created:
				return sure(len(b) >= 16 && hasAny(b[4:], "PX3W", "3RAW"))
			case refreshed:
				return sure(len(b) == 16 && le32(b[8:]) <= 24 && le32(b[12:]) <= 24 && le32(b[12:]) > 0)
			}
			return no
		},
		stream: func(x *sight) verdict {
			b := x.data
			if v := opens(b, "\xf7\x1e"); v != enough {
				return v
			}
			if len(b) < 4 {
				return wait
			}
			size := le16(b[2:])
			if size < 24 || size > 80 {
				return no
			}
			if len(b) < size {
				return wait
			}
			// The game's and the player's keys, a port, the player's name.
			name, rest, ended := bytes.Cut(b[19:size], []byte{0})
			return sure(ended && len(name) > 0 && len(name) < 16 && isText(name) && len(rest) >= 4)
		},
	}
}

// amongUsDetector knows the transport under Among Us: a greeting with number 1,
// version, and the player's name behind its length, and that it is acknowledged.
func amongUsDetector() detector {
	return datagramOnly("AmongUs", "gaming", "\x08\x0a", func(x *sight) verdict {
		b := x.data
		memo := x.memo()
		if memo == nil {
			return no
		}
		if b[0] == 0x0a {
			return sure(memo[0] == 1 && len(b) == 4 && string(b[:3]) == "\x0a\x00\x01")
		}
		if len(b) < 10 || string(b[:4]) != "\x08\x00\x01\x00" || b[7] != 2 && b[7] != 3 || int(b[8]) > len(b)-9 || b[8] == 0 || b[8] > 40 || !isText(b[9:9+b[8]]) {
			return no
		}
		memo[0] = 1
		return wait
	})
}

// nintendoDetector knows the packets of Pia, by which Nintendo's consoles play
// with each other: a mark, then whether they are encrypted, or a version with a
// bit.
func nintendoDetector() detector {
	return datagramOnly("Nintendo", "gaming", "\x32", func(x *sight) verdict {
		b := x.data
		return sure(len(b) >= 24 && be32(b) == 0x32ab9864 && (b[4] == 1 || b[4] == 2 || b[4]&0x80 != 0 && b[4]&0x7f <= 20))
	})
}
