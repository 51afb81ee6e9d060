// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/hex"
	"strings"
)

// findings is the part of a session that lives once something is known. What
// only some protocols tell is aside.
type findings struct {
	application *Application // of the table, nil if unknown
	label       *label       // another name for the protocol, nil: the detector's
	lookup      *Application // the service whose name was asked for, nil if unknown
	hello       *handshake   // nil: none was seen
	heads       *heads       // nil: nothing of the kind was seen
	detail      string
	hint        *askedFor // nil: none
	log         log
	confidence  uint8 // in application
	inferred    bool  // application rests on hint, or on history
}

// handshake is what TLS, DTLS and QUIC show before they are encrypted. Fingerprints
// are kept as the bytes that they are made of.
type handshake struct {
	sni         string
	alpn        string // comma-separated
	chosen      string // protocol the server chose
	certificate *Certificate
	quic        uint32 // version; 0: none
	tls         uint16 // version, the server's choice; 0: none
	ja4         ja4Print
	ja3, ja3s   [16]byte
	hasJA3      bool
	hasJA3S     bool
}

// heads is what protocols of text say of themselves.
type heads struct {
	host   string
	url    string
	agent  string
	banner string
}

// askedFor is what DNS called the two ends before the session began: the client asked
// for the server, the server for the client.
type askedFor struct{ server, client string }

// askedFor returns the hints, made if need be.
func (f *findings) askedFor() *askedFor {
	if f.hint == nil {
		f.hint = new(askedFor)
	}
	return f.hint
}

// findings returns the session's findings, made if need be.
func (s *Session) findings() *findings {
	if s.found == nil {
		s.found = new(findings)
	}
	return s.found
}

// handshake returns the session's handshake, made if need be.
func (s *Session) handshake() *handshake {
	f := s.findings()
	if f.hello == nil {
		f.hello = new(handshake)
	}
	return f.hello
}

// heads returns the session's heads, made if need be.
func (s *Session) heads() *heads {
	f := s.findings()
	if f.heads == nil {
		f.heads = new(heads)
	}
	return f.heads
}

// Result returns what is known.
func (s *Session) Result() Result {
	r := Result{Version: uint64(s.version)}
	chain := [4]string{"IP"}
	n := 1
	if name := ProtocolName(s.proto); name != "" {
		chain[n] = name
		n++
	}
	if d := s.detector; d != nil {
		r.Protocol, r.Application = d.name, d.upper
		r.Category, r.Confidence = d.category, int(s.certainty)
		if f := s.found; f != nil && f.label != nil {
			r.Protocol, r.Application, r.Category = f.label.name, strings.ToUpper(f.label.name), f.label.category
		}
		if s.proto == ProtoTCP || s.proto == ProtoUDP {
			chain[n] = r.Application
			n++
		}
	}
	if f := s.found; f != nil {
		if f.application != nil {
			r.Application, r.Category = f.application.Name, f.application.Category
			r.Confidence, r.Inferred = int(f.confidence), f.inferred
			chain[n] = r.Application
			n++
		}
		r.Detail = f.detail
		if f.hint != nil {
			r.Hint, r.ClientHint = f.hint.server, f.hint.client
		}
		if f.lookup != nil {
			r.Lookup = f.lookup.Name
		}
		f.hello.tell(&r)
		if h := f.heads; h != nil {
			r.HTTPHost, r.URL, r.UserAgent, r.SSHBanner = h.host, h.url, h.agent, h.banner
		}
	}
	r.Chain = strings.Join(chain[:n], "/")
	return r
}

// tell puts what was shown into r.
func (h *handshake) tell(r *Result) {
	if h == nil {
		return
	}
	r.SNI, r.QUICVersion, r.TLSVersion, r.ALPNChosen, r.Certificate = h.sni, quicName(h.quic), tlsVersionName(h.tls), h.chosen, h.certificate
	r.JA4 = h.ja4.String()
	if h.hasJA3 {
		r.JA3 = hex.EncodeToString(h.ja3[:])
	}
	if h.hasJA3S {
		r.JA3S = hex.EncodeToString(h.ja3s[:])
	}
	if h.alpn != "" {
		r.ALPN = strings.Split(h.alpn, ",")
	}
}
