// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func telegramDetector() detector {
	return detector{
		name: "Telegram", upper: "TELEGRAM", category: "messaging", confidence: 88,
		stream:   lookMTProto,
		datagram: func(x *sight) verdict { return sure(isReflector(x.data)) },
	}
}

// lookMTProto knows MTProto over TCP where it is not disguised: the abridged
// transport (0xef, a length in words), the intermediate one (four bytes 0xee,
// a length) and the full one (length, number), each followed by an id of a key,
// which is 0 in a first message, the id of the message, its length and the
// request for the server's number.
func lookMTProto(x *sight) verdict {
	b, at := x.data, 0
	switch b[0] {
	case 0xef:
		if len(b) < 2 {
			return wait
		}
		if at = 2; b[1] != 10 && b[1] != 15 {
			return no
		}
	case 0xee:
		at = 8
		if v := opens(b, "\xee\xee\xee\xee"); v != enough {
			return v
		}
	default:
		if at = 8; len(b) < 8 {
			if len(b) > 3 && (b[1]|b[2]|b[3] != 0 || b[0] < 40) || len(b) > 4 && b[4] != 0 {
				return no
			}
			return wait
		}
		if le32(b) > 200 || le32(b[4:]) != 0 {
			return no
		}
	}
	if n := min(len(b), at+8); n > at && len(bytes.Trim(b[at:n], "\x00")) != 0 {
		return no
	}
	if len(b) < at+24 {
		return wait
	}
	switch le32(b[at+20:]) {
	case 0x60469778, 0xbe7e8ef1: // req_pq, req_pq_multi
		return sure(le32(b[at+16:]) == 20)
	case 0x05162463: // resPQ
		return sure(le32(b[at+16:]) < 200)
	}
	return no
}

// isReflector knows what callers send to a relay of Telegram's calls: the tag
// of the call, then twelve bytes 0xff and a kind.
func isReflector(b []byte) bool {
	return len(b) >= 32 && be32(b[16:])&be32(b[20:])&be32(b[24:]) == 0xffffffff && b[29]&b[30]&b[31] == 0xff && b[28] >= 0xf0 && isVaried16(b)
}

func whatsAppDetector() detector {
	return detector{
		name: "WhatsApp", upper: "WHATSAPP", category: "messaging", confidence: 92,
		starts: oneOf("WE"),
		stream: lookWhatsApp,
	}
}

// lookWhatsApp reads what a client sends first: a mark with the versions of the
// protocol and of its dictionary, a length of three bytes, and the first
// message of the Noise handshake, a field of one key. Where the client was
// given a route, that goes before: a mark, its length and it.
func lookWhatsApp(x *sight) verdict {
	b := x.data
	switch v := opens(b, "ED\x00\x01"); v {
	case wait:
		return wait
	case enough:
		if len(b) < 7 {
			return wait
		}
		size := int(b[4])<<16 | be16(b[5:])
		if size > 512 {
			return no
		}
		if len(b) <= 7+size {
			return wait
		}
		b = b[7+size:]
	}
	if v := opens(b, "WA"); v != enough {
		return v
	}
	if len(b) >= 3 && b[2] == 1 {
		return lookFunXMPP(b)
	}
	if len(b) >= 3 && (b[2] < 2 || b[2] > 9) || len(b) >= 4 && b[3] > 15 || len(b) >= 5 && b[4] != 0 {
		return no
	}
	if len(b) < 8 {
		return wait
	}
	return sure(b[7] == 0x12 && be16(b[5:]) >= 32)
}

// lookFunXMPP reads the first list of the encoding that came before: a version,
// a length of three bytes, and the mark of a list.
func lookFunXMPP(b []byte) verdict {
	if len(b) < 8 {
		return wait
	}
	return sure(b[3] < 16 && b[4] == 0 && be16(b[5:]) < 2048 && b[7] == 0xf8)
}

func threemaDetector() detector {
	return detector{
		name: "Threema", upper: "THREEMA", category: "messaging", confidence: 70,
		stream: lookThreema,
	}
}

// lookThreema knows the greeting that Threema's paper on its cryptography
// describes: the client sends a key and half a nonce, 48 bytes, and waits; the
// server answers with half a nonce and a box, 80 bytes. Nothing else in it can
// be read, so it is believed on the chat servers' port only.
func lookThreema(x *sight) verdict {
	const port, hello, answer = 5222, 48, 80
	if !x.port(port) || x.dir == Original && len(x.data) > hello || x.dir == Reply && len(x.data) > answer {
		return no
	}
	if len(x.data) >= 32 && !isVaried(x.data) {
		return no
	}
	if x.dir == Original || len(x.data) < answer {
		return wait
	}
	return sure(len(x.peer()) == hello)
}

func jabberDetector() detector {
	return detector{
		name: "Jabber", upper: "JABBER", category: "messaging", confidence: 94,
		starts: oneOf("<"),
		stream: lookJabber,
	}
}

// lookJabber finds the element that opens a stream of XMPP (RFC 6120), or its
// framing for web sockets, behind a declaration of XML or not.
func lookJabber(x *sight) verdict {
	const longest = 300
	b := x.data[:min(len(x.data), longest)]
	if v := opensAny(b, "<?xml ", "<stream:stream", "<stream:features", "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing"); v != enough || b[1] != '?' {
		return certain(v)
	}
	_, rest, ok := bytes.Cut(b, []byte("?>"))
	if !ok {
		if len(b) >= longest {
			return no
		}
		return wait
	}
	rest = bytes.TrimLeft(rest, " \r\n\t")
	if len(rest) == 0 {
		return wait
	}
	return certain(opensAny(rest, "<stream:stream", "<flash:stream"))
}

// smppDetector knows the binding of a sender of short messages: length, one of
// three commands or its answer, no error, a number, and names that end in zeros.
func smppDetector() detector {
	return detector{
		name: "SMPP", upper: "SMPP", category: "messaging", confidence: 90,
		starts: oneOf("\x00"),
		stream: func(x *sight) verdict {
			b := x.data
			if len(b) < 16 {
				if len(b) >= 3 && b[1]|b[2] != 0 {
					return no
				}
				return wait
			}
			size, command := be32(b), be32(b[4:])&0x7fffffff
			if size < 17 || size > 255 || command != 1 && command != 2 && command != 9 || b[5]|b[6] != 0 || be32(b[8:]) > 0xff || be32(b[12:]) > 1<<16 || be32(b[12:]) == 0 {
				return no
			}
			if len(b) < int(size) {
				return wait
			}
			name, rest, ok := bytes.Cut(b[16:size], []byte{0})
			if !ok || !isPrintable(name) || len(name) > 16 || len(name) == 0 {
				return no
			}
			if b[4]&0x80 != 0 {
				return done
			}
			secret, rest, ok := bytes.Cut(rest, []byte{0})
			if !ok || !isPrintable(secret) || len(secret) > 9 {
				return no
			}
			_, rest, ok = bytes.Cut(rest, []byte{0})
			return sure(ok && len(rest) >= 4 && (rest[0] == 0x34 || rest[0] == 0x33 || rest[0] == 0x50))
		},
	}
}
