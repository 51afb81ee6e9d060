// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// maxServerFlight bounds the server's first messages, in bytes: certificates
// are long.
const maxServerFlight = 32 << 10

// Handshake messages that are read.
const (
	serverHello      = 2
	serverCert       = 11
	serverCertStatus = 22
	serverKeys       = 12
	serverHelloDone  = 14
)

// lookServerHello reads the server's first messages: its hello, and up to TLS
// 1.2 its certificate, which nothing hides.
func lookServerHello(x *sight) verdict {
	if len(x.data) < 5+4+2+32+1 {
		return wait
	}
	size := int(x.data[6])<<16 | int(binary.BigEndian.Uint16(x.data[7:]))
	if size < 38 || size > maxRecord || x.data[9] != 3 || x.data[43] > 32 {
		return no
	}
	fresh := x.s.detector == nil
	v := x.serverFlight()
	if v != no && fresh {
		x.mailOverTLS()
	}
	return v
}

// serverFlight reads the messages that a server begins with.
func (x *sight) serverFlight() verdict {
	b, ended := x.flight(x.data)
	for len(b) >= 4 {
		kind, size := b[0], int(b[1])<<16|int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+size {
			break
		}
		body := b[4 : 4+size]
		b = b[4+size:]
		switch kind {
		case serverHello:
			if !x.learnServerHello(body, false) {
				return no
			}
			if tlsVersionName(x.s.handshake().tls) == "TLSv1.3" {
				return x.finishedTLS()
			}
		case serverCert:
			x.learnCertificate(body)
			return x.finishedTLS()
		case serverCertStatus:
		default:
			return x.finishedTLS()
		}
	}
	if ended || len(x.data) > maxServerFlight {
		return x.finishedTLS()
	}
	return found
}

// finishedTLS ends the server's direction, and the session if its client's hello
// was seen: nothing comes after it that can be read.
func (x *sight) finishedTLS() verdict {
	if x.s.found != nil && x.s.found.hello != nil && x.s.found.hello.ja4.made {
		return done
	}
	return enough
}

// flight returns the handshake bytes of the records in b as far as they are
// there, and whether another kind of record ended them.
func (x *sight) flight(b []byte) (out []byte, ended bool) {
	out = x.joined[:0]
	for len(b) >= 5 {
		if !isRecord(b) || b[0] != recordHandshake {
			ended = true
			break
		}
		body := b[5:min(len(b), 5+int(binary.BigEndian.Uint16(b[3:])))]
		b = b[5+len(body):]
		out = append(out, body...)
	}
	x.joined = out
	return out, ended
}

// learnServerHello reads the body of a ServerHello and reports whether it is
// one.
func (x *sight) learnServerHello(b []byte, datagrams bool) bool {
	f := x.s.handshake()
	if f.hasJA3S {
		return true
	}
	r := newReader(b, len(b))
	legacy := r.u16()
	r.take(32) // random
	if id := r.vector8(); len(id) > 32 {
		return false
	}
	cipher := r.u16()
	method := r.u8()
	if r.state != whole || method > 64 {
		return false
	}
	version, chosen := legacy, []byte(nil)
	kinds := x.hello.extensions[:0]
	if r.pos < len(b) {
		if size := int(r.u16()); r.state != whole || r.pos+size != len(b) {
			return false
		}
	}
	for r.state == whole && r.pos < len(b) {
		kind := r.u16()
		body := r.vector16()
		if r.state != whole {
			return false
		}
		kinds = append(kinds, kind)
		switch {
		case kind == extSupportedVersions && len(body) == 2:
			version = binary.BigEndian.Uint16(body)
		case kind == extALPN && len(body) > 3 && int(body[2]) == len(body)-3:
			chosen = body[3:]
		}
	}
	x.hello.extensions = kinds
	if name := tlsVersionName(version); name != "" {
		f.tls = version
		x.s.note("tls/version", name, 0)
	}
	x.text(&f.chosen, "tls/alpn chosen", chosen)
	x.learnJA3S(legacy, cipher, kinds)
	if !datagrams && x.s.certainty < confidenceHello {
		x.s.certainty = confidenceHello
	}
	return true
}

// tlsVersionName returns the name of a protocol version, drafts of TLS 1.3
// included; empty for others.
func tlsVersionName(v uint16) string {
	switch {
	case v == 0x0300:
		return "SSLv3"
	case v == 0x0301:
		return "TLSv1"
	case v == 0x0302:
		return "TLSv1.1"
	case v == 0x0303:
		return "TLSv1.2"
	case v == 0x0304, v>>8 == 0x7f, v>>8 == 0xfb:
		return "TLSv1.3"
	case v == 0xfeff:
		return "DTLSv1.0"
	case v == 0xfefd:
		return "DTLSv1.2"
	case v == 0xfefc:
		return "DTLSv1.3"
	}
	return ""
}
