// SPDX-License-Identifier: MIT

package classifier

// eNetDetector knows the transport ENet, which many games are made with, by how
// its connections begin.
func eNetDetector() detector {
	return detector{
		name: "ENet", upper: "ENET", category: "gaming", confidence: 93,
		datagram: func(x *sight) verdict { return sure(isENet(x.data)) },
	}
}

// isENet reads the request for a connection, by itself in a datagram, or its
// confirmation, which an acknowledgement may go before: the peer's number (all
// ones yet), the time, perhaps a checksum, then the command on channel 255, which
// is the first there, with sizes and rates that the library allows (enet's
// protocol.h, version 1.3).
func isENet(b []byte) bool {
	const head, acknowledgement, body = 4, 8, 44
	if len(b) < head+body || len(b) > 96 || b[0]&0x80 == 0 {
		return false
	}
	opens := be16(b)&0x8fff == 0x8fff
	for _, checksum := range [...]int{0, 4} {
		c := b[head+checksum:]
		if !opens && len(c) > acknowledgement && c[0] == 1 && c[1] == 0xff {
			c = c[acknowledgement:]
		}
		if len(c) >= body && isENetCommand(c, opens) {
			return true
		}
	}
	return false
}

// isENetCommand reads command 2, a request, or 3, its confirmation, to the end of
// the datagram.
func isENetCommand(c []byte, opens bool) bool {
	kind, size := byte(0x83), 44
	if opens {
		kind, size = 0x82, 48
	}
	if len(c) != size || c[0] != kind || c[1] != 0xff || be16(c[2:]) != 1 || be16(c[4:]) > 0xfff {
		return false
	}
	mtu, window, channels := be32(c[8:]), be32(c[12:]), be32(c[16:])
	interval, faster, slower := be32(c[28:]), be32(c[32:]), be32(c[36:])
	return mtu >= 576 && mtu <= 4096 && window >= 4096 && window <= 65536 && channels >= 1 && channels <= 255 &&
		interval > 0 && interval <= 60000 && faster <= 32 && slower <= 32
}

// steamSocketsDetector knows Valve's GameNetworkingSockets, whose source is open,
// where two programs speak to each other without a relay.
func steamSocketsDetector() detector {
	return detector{
		name: "SteamNetworkingSockets", upper: "STEAMNETWORKINGSOCKETS", category: "gaming", confidence: 94,
		starts:   oneOf("\x20\x21\x22\x23"),
		datagram: func(x *sight) verdict { return sure(isSteamSockets(x.data)) },
	}
}

// isSteamSockets reads the messages that open a connection: a kind, and a message
// in Protocol Buffers whose fields begin with the connection's number. What a
// client sends before the server knows its address has a length in little endian,
// and is filled up with zeros to 512 bytes, so that answers are no longer.
func isSteamSockets(b []byte) bool {
	const padded = 512
	switch {
	case b[0] == 0x20 || b[0] == 0x22: // may I, and the request
		if len(b) < padded {
			return false
		}
		n := le16(b[1:])
		if n < 6 || 3+n > len(b) {
			return false
		}
		for _, c := range b[3+n:] {
			if c != 0 {
				return false
			}
		}
		b = b[3 : 3+n]
	case len(b) < 16 || len(b) > 2048:
		return false
	default: // the answers are as long as they are
		b = b[1:]
	}
	return isSteamFields(b)
}

// isSteamFields reports whether b is fields that fill it, with numbers that do
// not fall, the first one of four bytes and another of eight.
func isSteamFields(b []byte) bool {
	if len(b) < 5 || b[0] != 0x0d || be32(b[1:]) == 0 {
		return false
	}
	eight, last := false, byte(0)
	for len(b) > 0 {
		field, kind := b[0]>>3, b[0]&7
		if b[0]&0x80 != 0 || field < last || field == 0 {
			return false
		}
		last, b = field, b[1:]
		size := 0
		switch kind {
		case 0:
			for size < len(b) && size < 10 && b[size]&0x80 != 0 {
				size++
			}
			size++
		case 1:
			size, eight = 8, true
		case 2:
			if len(b) == 0 {
				return false // a length is missing
			}
			n, used := 0, 0
			for used < len(b) && used < 3 {
				n |= int(b[used]&0x7f) << (7 * used)
				used++
				if b[used-1]&0x80 == 0 {
					break
				}
			}
			size = used + n
		case 5:
			size = 4
		default:
			return false
		}
		if size > len(b) {
			return false
		}
		b = b[size:]
	}
	return eight
}
