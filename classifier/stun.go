// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// stunCookie stands in every message since RFC 5389.
const stunCookie = 0x2112a442

// Attributes of STUN and TURN that name someone.
const (
	stunUsername = 0x0006
	stunRealm    = 0x0014
	stunSoftware = 0x8022
	stunOrigin   = 0x802f
)

func stunDetector() detector {
	return detector{
		name: "STUN", upper: "STUN", category: "voip", confidence: 93, answers: answersSTUN,
		starts:   func(b byte) bool { return b < 0x40 || b == 0xff },
		stream:   lookSTUNStream,
		datagram: lookSTUN,
	}
}

// lookSTUN reads messages of RFC 8489 and its forerunner RFC 3489, which has no
// cookie. Once it is known what they are it goes on for a few packets: a later
// one may carry the attribute that tells the application. Where DTLS follows,
// the session is DTLS, and where media follow it is SRTP: STUN has only found
// the way, and nobody who needs it sends them in the clear.
func lookSTUN(x *sight) verdict {
	if inner := multiplexed(x.data); inner != nil {
		b := x.data
		x.data = inner
		v := lookSTUN(x)
		x.data = b
		return v
	}
	b := x.data
	size, ok := stunMessage(b)
	known := x.s.detector != nil
	if !ok || size != len(b) {
		switch {
		case !known:
			return no
		case len(b) > 13 && b[0] == 22 && b[1] == 0xfe:
			return x.handOver("DTLS")
		case isRTP(b):
			return x.handOver("SRTP")
		}
		return found
	}
	if stunAttributes(x, b[20:size]) {
		x.relate()
	} else {
		x.related()
	}
	return found
}

// multiplexed returns what a relay of Microsoft carries for one of several of a
// socket's sessions (MS-TURN): behind a mark, a length and the session's id.
func multiplexed(b []byte) []byte {
	const head = 12
	if len(b) < head+12 || be16(b) != 0xff10 || be16(b[2:])+4 != len(b) || be16(b[head:]) == 0xff10 {
		return nil
	}
	return b[head:]
}

// handOver gives a session to the detector of that name, which is shown the
// datagram at hand; without one nothing changes.
func (x *sight) handOver(name string) verdict {
	for i := range x.c.detectors {
		d := &x.c.detectors[i]
		if d.name != name || d.datagram == nil {
			continue
		}
		was := x.s.detector
		x.s.detector = d
		v := d.datagram(x)
		if v == no || v == wait {
			x.s.detector = was
			return found
		}
		x.s.certainty = d.confidence
		x.s.note("protocol", name, int(d.confidence))
		x.s.touch()
		return v
	}
	return found
}

// maxSTUNStream bounds the messages of one direction of a stream that are read:
// the first may come without the attribute that the next one has.
const maxSTUNStream = 4

// lookSTUNStream reads the first messages of a stream, bare (RFC 8489) or with
// their length in front (RFC 4571, as ICE over TCP has it).
func lookSTUNStream(x *sight) verdict {
	for _, skip := range [...]int{0, 2} {
		if v := x.stunStream(skip); v != no {
			return v
		}
	}
	return no
}

func (x *sight) stunStream(skip int) verdict {
	more, end := wait, no // before the first message
	b := x.data
	for range maxSTUNStream {
		if len(b) < skip+20 {
			if len(b) >= skip+2 && b[skip]&0xc0 != 0 || len(b) >= skip+8 && be32(b[skip+4:]) != stunCookie {
				return end
			}
			return more
		}
		m := b[skip:]
		size := 20 + be16(m[2:])
		if m[0]&0xc0 != 0 || be32(m[4:]) != stunCookie || size%4 != 0 || size > 2048 || skip == 2 && be16(b) != size {
			return end
		}
		if len(m) < size {
			return more
		}
		if _, ok := stunMessage(m[:size]); !ok {
			return end
		}
		if stunAttributes(x, m[20:size]) {
			return done
		}
		more, end = found, enough
		b = m[size:]
	}
	return enough
}

// stunMessage returns the size of the message in b, header included. Without
// the cookie it must be a binding with attributes that fill it.
func stunMessage(b []byte) (size int, ok bool) {
	if len(b) < 20 || b[0]&0xc0 != 0 {
		return 0, false
	}
	size = 20 + be16(b[2:])
	kind, classic := be16(b), be32(b[4:]) != stunCookie
	if size > len(b) || classic && size%4 != 0 {
		return 0, false
	}
	if classic {
		switch kind {
		case 0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112:
		default:
			return 0, false
		}
		if size == 20 && !isVaried16(b[4:20]) {
			return 0, false
		}
	}
	count := 0
	for rest := b[20:size]; len(rest) > 0; count++ {
		if len(rest) < 4 {
			return 0, false
		}
		n := stunPadded(be16(rest[2:]), size)
		if n > len(rest)-4 || classic && be16(rest) > 0x0020 && be16(rest) != 0x0101 && rest[0] < 0x80 {
			return 0, false
		}
		rest = rest[4+n:]
	}
	return size, count <= 64
}

// stunPadded returns the room for n bytes of an attribute in a message of size
// bytes. A message that is not in words has none filled up, as before RFC 5389.
func stunPadded(n, size int) int {
	if size%4 != 0 {
		return n
	}
	return (n + 3) &^ 3
}

// isVaried16 reports whether sixteen bytes look like a random identifier.
func isVaried16(b []byte) bool {
	distinct := 0
	for i, c := range b[:16] {
		if bytes.IndexByte(b[:i], c) < 0 {
			distinct++
		}
	}
	return distinct >= 11
}

// stunAttributes reads what attributes say of the application and reports
// whether they named one. Microsoft documents its own in MS-TURN and MS-ICE2;
// those of WhatsApp stand in a part of the comprehension-required range that
// nobody else has.
func stunAttributes(x *sight, b []byte) bool {
	teams, whatsApp, all := 0, 0, len(b)
	for len(b) >= 4 {
		kind, n := be16(b), be16(b[2:])
		if n > len(b)-4 {
			break
		}
		value := b[4 : 4+n]
		switch {
		case kind == 0x8008 && n == 4, // MS-VERSION
			kind == 0x8054,                          // CANDIDATE-IDENTIFIER
			kind == 0x8055,                          // MS-SERVICE-QUALITY
			kind == 0x8070 && n == 4,                // MS-IMPLEMENTATION-VERSION
			kind == 0x8095, kind == 0x8050 && n > 0: // MS-ALTERNATE-MAPPED..., MS-SEQUENCE-NUMBER
			teams++
		case kind == 0xc057 && x.onGooglePort():
			x.application("GOOGLECALL", "voip", 70)
			return true
		case kind >= 0x4000 && kind <= 0x4007:
			whatsApp++
		case kind == stunSoftware:
			x.text(&x.s.heads().agent, "stun/software", value)
		case kind == stunRealm, kind == stunOrigin:
			if app := x.stunRealm(value); app {
				return true
			}
		}
		b = b[min(len(b), 4+stunPadded(n, all)):]
	}
	switch {
	case teams >= 1:
		x.application("SKYPE_TEAMSCALL", "voip", 85)
	case whatsApp >= 1:
		x.application("WHATSAPPCALL", "voip", 85)
	default:
		return false
	}
	return true
}

// onGooglePort reports whether one end has a port that Google's documents
// give to the media of its calls. With it the attribute of network costs, which
// is Google's invention, stands for them.
func (x *sight) onGooglePort() bool {
	from := func(port uint16) bool { return port >= 19302 && port <= 19309 }
	return from(x.p.SrcPort) || from(x.p.DstPort)
}

// stunRealm takes the name of a relay's realm for the service behind it.
func (x *sight) stunRealm(realm []byte) bool {
	if i := bytes.Index(realm, []byte("://")); i >= 0 {
		realm = realm[i+3:]
	}
	name, address, ok := cleanHost(realm)
	if !ok || address || !bytes.Contains(realm, []byte(".")) || len(name) > x.c.opts.MaxString {
		return false
	}
	if x.s.findings().detail != name {
		x.s.note("stun/realm", name, 0)
		x.detail(name)
	}
	app := x.c.opts.Domains.find(name)
	if app == nil {
		return false
	}
	x.application(callsOf(app.Name), "voip", 75)
	return true
}

// callsOf returns the name that a service's calls have, where it is another
// than the service's own.
func callsOf(service string) string {
	switch service {
	case "GOOGLE", "GOOGLESERVICES":
		return "GOOGLECALL"
	case "SIGNAL":
		return "SIGNALVOIP"
	case "FACEBOOK", "FACEBOOKMESSENGER":
		return "FACEBOOKVOIP"
	case "WHATSAPP":
		return "WHATSAPPCALL"
	case "SNAPCHAT":
		return "SNAPCHATCALL"
	case "TELEGRAM":
		return "TELEGRAMVOIP"
	case "SKYPE_TEAMS", "TEAMS", "SKYPE":
		return "SKYPE_TEAMSCALL"
	}
	return service
}
