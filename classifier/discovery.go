// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// syncthingDetector knows the announcements in a local network: a magic, and
// the first field of a message, an id of 32 bytes.
func syncthingDetector() detector {
	return datagramOnly("Syncthing", "p2p", "\x2e", func(x *sight) verdict {
		return sure(len(x.data) >= 38 && opens(x.data, "\x2e\xa7\xd9\x0b\x0a\x20") == enough)
	})
}

func tpLinkDetector() detector {
	return detector{
		name: "TPLINK_SHP", upper: "TPLINK_SHP", category: "home", confidence: 93,
		starts: oneOf("\x00\xd0"),
		stream: func(x *sight) verdict {
			b := x.data
			if len(b) < 16 {
				if len(b) > 4 && b[4] != 0xd0 {
					return no
				}
				return wait
			}
			size := be32(b)
			if size > 1<<16 || size < 10 || b[4] != 0xd0 {
				return no
			}
			if len(b) < 4+int(min(size, 40)) {
				return wait
			}
			return sure(isTPLink(b[4:]))
		},
		datagram: func(x *sight) verdict { return sure(isTPLink(x.data)) },
	}
}

// isTPLink reads the beginning of an object of JSON in the disguise of
// TP-Link's things: each byte is changed by the one before it as it was sent,
// the first by 171.
func isTPLink(b []byte) bool {
	if len(b) < 10 {
		return false
	}
	key, open := byte(171), 0
	for i, c := range b[:min(len(b), 40)] {
		plain := c ^ key
		key = c
		switch {
		case i == 0 && plain != '{', i == 1 && plain != '"', plain < 0x20 || plain > 0x7e:
			return false
		case i > 2 && plain == '"' && open == 0:
			open = i
		case open > 0 && i == open+1:
			return plain == ':' && len(b) >= open+6
		case open == 0 && i > 1 && plain != '_' && plain != '.' && !isDigit(plain) && (plain|0x20 < 'a' || plain|0x20 > 'z'):
			return false
		}
	}
	return false
}

// ubiquitiDetector knows what Ubiquiti's devices tell of themselves: a version,
// a command, the length of all that follows, and fields that fill it.
func ubiquitiDetector() detector {
	return datagramOnly("UBNTAC2", "network", "\x01\x02", func(x *sight) verdict {
		b := x.data
		if len(b) < 24 || be16(b[2:]) != len(b)-4 {
			return no
		}
		count, hardware := 0, false
		for b = b[4:]; len(b) > 0; count++ {
			if len(b) < 3 || 3+be16(b[1:]) > len(b) {
				return no
			}
			// The first fields are a hardware address, alone or with an IP one.
			hardware = hardware || b[0] == 1 && be16(b[1:]) == 6 || b[0] == 2 && be16(b[1:]) == 10
			b = b[3+be16(b[1:]):]
		}
		return sure(count >= 3 && hardware)
	})
}

// teredoDetector knows IPv6 in UDP (RFC 4380), bare or behind an indication of
// the sender's origin: it must fill the datagram, and one end has an address of
// Teredo's, or asks the routers of a link.
func teredoDetector() detector {
	return datagramOnly("Teredo", "network", "\x00\x60", func(x *sight) verdict {
		b := x.data
		if len(b) > 13 && b[0] == 0 && b[1] == 1 { // an authentication goes before
			b = b[min(len(b), 13+int(b[2])+int(b[3])):]
		}
		if len(b) > 8 && b[0] == 0 && b[1] == 0 {
			b = b[8:]
		}
		if len(b) < 40 || b[0] != 0x60 || be16(b[4:]) != len(b)-40 {
			return no
		}
		const prefix = "\x20\x01\x00\x00"
		link := b[8] == 0xfe && b[9] == 0x80 && (b[24] == 0xff && b[25] == 2 || b[24] == 0xfe && b[25] == 0x80)
		return sure(string(b[8:12]) == prefix || string(b[24:28]) == prefix || link && b[6] == 58)
	})
}

func mumbleDetector() detector { return datagramOnly("Mumble", "voip", "\x00", lookMumble) }

// lookMumble knows the question how full a server is: four zeros and an id, and
// the answer: the server's version, the id, users, how many there can be, and
// the bandwidth.
func lookMumble(x *sight) verdict {
	b := x.data
	switch {
	case len(b) == 12 && be32(b) == 0 && be32(b[4:])|be32(b[8:]) != 0:
		memo := x.memo()
		if memo == nil {
			return no
		}
		copy(memo[:8], b[4:])
		memo[15] = 1 + byte(x.dir)
		return wait
	case len(b) == 24 && b[1] >= 1 && b[1] <= 2:
		memo := x.memo()
		return sure(memo != nil && memo[15] == 2-byte(x.dir) && bytes.Equal(memo[:8], b[4:12]) && be32(b[12:]) <= 1<<16 && be32(b[16:]) <= 1<<16)
	}
	return no
}

// yojimboDetector knows the request to connect of netcode, the protocol below
// the library of that name.
func yojimboDetector() detector {
	return datagramOnly("Yojimbo", "gaming", "\x00", func(x *sight) verdict {
		return sure(len(x.data) >= 100 && opens(x.data, "\x00NETCODE 1.0") == enough)
	})
}
