// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// TLS record types and the longest record, ciphertext expansion included.
const (
	recordChangeCipher = 20
	recordAlert        = 21
	recordHandshake    = 22
	recordData         = 23
	maxRecord          = 16384 + 2048
)

func tlsDetector() detector {
	return detector{
		name: "TLS", upper: "TLS", category: "web", confidence: confidenceHello,
		starts: func(b byte) bool { return b >= recordChangeCipher && b <= recordData },
		stream: lookTLS,
	}
}

// lookTLS recognises a handshake from its first message, and a connection whose
// beginning was missed from its records.
func lookTLS(x *sight) verdict {
	if len(x.data) < 6 {
		if !isRecord(x.data) {
			return no
		}
		return wait
	}
	if !isRecord(x.data) {
		return no
	}
	if x.data[0] != recordHandshake {
		return lookTLSRecords(x)
	}
	switch x.data[5] {
	case 1:
		return lookClientHello(x)
	case 2:
		return lookServerHello(x)
	}
	return no
}

// lookClientHello reads as much of the hello as is there.
func lookClientHello(x *sight) verdict {
	message, ok := x.handshake(x.data)
	if !ok {
		return no
	}
	h := &x.hello
	switch h.parse(message) {
	case malformed:
		return no
	case partial:
		if h.version == 0 { // not a byte of the body is there to be sure by
			return wait
		}
		x.learnHello(h, 't', false)
		x.mailOverTLS()
		return found
	}
	x.learnHello(h, 't', true)
	x.mailOverTLS()
	if x.c.opts.Certificates {
		x.s.flags |= settled
		return enough
	}
	return done
}

// mailOverTLS gives TLS on the registered ports of its old services their names,
// and DNS over TLS and Google Cast their applications.
func (x *sight) mailOverTLS() {
	switch x.registered() {
	case 465:
		x.label(&labelSMTPS)
	case 990:
		x.label(&labelFTPS)
	case 993:
		x.label(&labelIMAPS)
	case 995:
		x.label(&labelPOPS)
	case 853:
		x.nameless("DOH_DOT", "dns", confidencePort)
	case 8009: // devices of Google Cast, which have no names
		if f := x.s.found; f != nil && f.hello != nil && f.hello.ja4.made && f.hello.sni == "" && isHouse(x.ends().Server.Addr()) {
			x.nameless("CHROMECAST", "streaming", confidencePort)
		}
	}
}

// isHouse reports whether a is of a network that the internet does not reach.
func isHouse(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsPrivate() || a.IsLinkLocalUnicast()
}

// lookTLSRecords judges records in the middle of a connection by their headers:
// either two in a row, or one that ends where the segment does.
func lookTLSRecords(x *sight) verdict {
	b, n := x.data, 0
	for len(b) >= 5 && isRecord(b) {
		size := 5 + int(binary.BigEndian.Uint16(b[3:]))
		n++
		if size == len(b) && size > 6 || n == 2 {
			if x.s.detector == nil {
				x.s.certainty = confidenceRecords
				x.s.note("tls/records", "records without a hello", 0)
				x.mailOverTLS()
			}
			return enough
		}
		if size > len(b) {
			return wait
		}
		b = b[size:]
	}
	if len(b) > 0 && isRecord(b) {
		return wait
	}
	return no
}

// isRecord reports whether b can begin with a TLS record.
func isRecord(b []byte) bool {
	switch {
	case len(b) > 0 && (b[0] < recordChangeCipher || b[0] > recordData),
		len(b) > 1 && b[1] != 3,
		len(b) > 2 && b[2] > 4:
		return false
	case len(b) < 5:
		return true
	}
	size := int(binary.BigEndian.Uint16(b[3:]))
	switch b[0] {
	case recordChangeCipher:
		return size == 1
	case recordAlert:
		return size >= 2 && size <= 256 // encrypted ones carry padding
	}
	return size > 0 && size <= maxRecord
}

// offers learns from the protocols offered: those of encrypted DNS, and of a few
// programs, are used for nothing else.
func (x *sight) offers(alpn []byte) {
	for len(alpn) > 1 && len(alpn) > int(alpn[0]) {
		name := alpn[1 : 1+alpn[0]]
		alpn = alpn[1+len(name):]
		if strings.HasPrefix(string(name), "anydesk/") {
			x.nameless("ANYDESK", "remote", confidenceName)
		}
		if strings.HasPrefix(string(name), "apns-") { // Apple's notifications
			x.nameless("APPLEPUSH", "push", confidenceName)
		}
		switch string(name) {
		case "dot", "doq", "doq-i00", "doq-i02", "doq-i03":
			x.nameless("DOH_DOT", "dns", confidenceName)
		case "bep/1.0": // Syncthing's exchange of blocks
			x.nameless("SYNCTHING", "p2p", confidenceName)
		}
	}
}

// isResolverName reports whether a server is called what resolvers over HTTPS
// and TLS are called: doh, dot or dns, and perhaps a number.
func isResolverName(host string) bool {
	label, rest, ok := strings.Cut(host, ".")
	if !ok || !strings.Contains(rest, ".") || len(label) < 3 {
		return false
	}
	switch label[:3] {
	case "doh", "dot", "dns":
		return strings.Trim(label[3:], "-0123456789") == ""
	}
	return false
}

// nameless names the application where no name has done so.
func (x *sight) nameless(name, category string, confidence int) {
	if f := x.s.findings(); f.application == nil || f.inferred {
		x.application(name, category, confidence)
	}
}

// handshake returns the handshake bytes of the records in b as far as they are
// there: a part of b if one record holds them, else joined in x's memory. It
// reports false if something else comes before the first message is whole.
func (x *sight) handshake(b []byte) ([]byte, bool) {
	out := x.joined[:0]
	for first := true; len(b) > 0; first = false {
		if !isRecord(b) || b[0] != recordHandshake {
			return nil, false
		}
		if len(b) < 5 {
			break
		}
		size := int(binary.BigEndian.Uint16(b[3:]))
		body := b[5:min(len(b), 5+size)]
		b = b[5+len(body):]
		if first && (len(b) == 0 || isWholeMessage(body)) {
			return body, true
		}
		out = append(out, body...)
		x.joined = out
		if isWholeMessage(out) || len(out) > maxHello {
			break
		}
	}
	return out, true
}

// isWholeMessage reports whether b holds its first handshake message to the end.
func isWholeMessage(b []byte) bool {
	return len(b) >= 4 && len(b)-4 >= int(b[1])<<16|int(binary.BigEndian.Uint16(b[2:]))
}

// learnHello puts what a hello said into the session, for any protocol that
// carries one.
func (x *sight) learnHello(h *hello, transport byte, complete bool) {
	f := x.s.handshake()
	x.s.certainty = confidenceHello
	if transport != 't' && f.sni != "" && len(h.sni) > 0 && !equalFold(h.sni, f.sni) {
		// Another connection on the same ports, which alone may be the one that the
		// server takes.
		x.s.flags &^= sawSNI | sawALPN | sawECH
	}
	if len(h.sni) > 0 && x.s.once(sawSNI) {
		x.host(&f.sni, "tls/sni", h.sni)
		if isResolverName(f.sni) {
			x.nameless("DOH_DOT", "dns", confidencePort)
		}
	}
	if len(h.alpn) > 0 && x.s.once(sawALPN) {
		x.text(&f.alpn, "tls/alpn", x.joinALPN(h.alpn))
	}
	x.offers(h.alpn)
	// Browsers shuffle their extensions: the name may still be to come.
	if h.ech && (h.hasSNI || complete) && x.s.once(sawECH) {
		x.learnECH(string(h.sni))
	}
	if !complete {
		return
	}
	if h.isTor() {
		x.nameless("TOR", "vpn", confidenceName)
	}
	x.learnJA3(h)
	if h.ja4(transport, &x.ja4, &f.ja4) {
		x.s.note(ruleJA4, "", 0)
		x.s.touch()
	}
}

// learnECH says what an encrypted hello leaves of the name that can be read. That
// of a front stands for any of its customers; another is the server's own where
// the client only pretends, as browsers do wherever they have no key.
func (x *sight) learnECH(outer string) {
	confidence, seen := confidenceOuter, "encrypted client hello, or one pretended"
	switch outer {
	case "":
		confidence, seen = 0, "encrypted client hello, no name"
	case "cloudflare-ech.com", "cloudflare-esni.com", "public.tls-ech.dev", "cover.defo.ie":
		confidence, seen = confidenceFront, "encrypted client hello, behind a front's name"
	}
	f := x.s.findings()
	if confidence == confidenceFront && f.hint != nil {
		if app := x.c.opts.Domains.find(f.hint.server); app != nil { // it knows the site behind the front
			f.application, f.confidence, f.inferred = app, confidenceHint, true
			x.s.touch()
		}
	}
	if f.application != nil && !f.inferred && int(f.confidence) > confidence {
		f.confidence = uint8(confidence)
		x.s.touch()
	}
	x.s.note("tls/ech", seen, confidence)
}

// joinALPN returns the protocols of an ALPN list divided by commas. GREASE and
// names that could be mistaken for two are left out.
func (x *sight) joinALPN(list []byte) []byte {
	out := x.line[:0]
	for len(list) > 0 {
		n := int(list[0])
		if n == 0 || n >= len(list) {
			break
		}
		name := list[1 : 1+n]
		list = list[1+n:]
		if n == 2 && isGREASE(binary.BigEndian.Uint16(name)) || !isToken(name) {
			continue
		}
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = append(out, name...)
	}
	x.line = out
	return out
}

// isToken reports whether b is printable and free of blanks and commas.
func isToken(b []byte) bool {
	for _, c := range b {
		if c <= 0x20 || c > 0x7e || c == ',' {
			return false
		}
	}
	return true
}
