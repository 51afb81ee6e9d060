// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// maxHello bounds a ClientHello, in bytes.
const maxHello = 64 << 10

// TLS extensions that are read.
const (
	extServerName        = 0x0000
	extGroups            = 0x000a
	extPointFormats      = 0x000b
	extSignatureAlgs     = 0x000d
	extALPN              = 0x0010
	extSupportedVersions = 0x002b
	extECH               = 0xfe0d
)

// hello is what a ClientHello said so far. Its slices are parts of the message
// given to parse and valid as long as that.
type hello struct {
	version    uint16   // highest offered, 0x0303 for TLS 1.2
	legacy     uint16   // in the old place
	datagrams  bool     // the hello is DTLS's: it has a cookie
	ciphers    []byte   // two bytes each
	extensions []uint16 // in order, GREASE left out
	sigAlgs    []byte   // two bytes each
	groups     []byte   // two bytes each
	points     []byte
	alpn       []byte // each with a length byte in front
	sni        []byte // nil if none was seen
	hasSNI     bool
	used       bool // something was read into it
	ech        bool // an encrypted inner hello is (or pretends to be) there
}

// parse reads the handshake message b, which may be cut anywhere. What the part
// that is there says is in h even if the result is partial. It does not
// allocate beyond h.extensions.
func (h *hello) parse(b []byte) parsed {
	*h = hello{extensions: h.extensions[:0], datagrams: h.datagrams, used: true}
	if len(b) == 0 {
		return partial
	}
	if b[0] != 1 {
		return malformed
	}
	if len(b) < 4 {
		return partial
	}
	total := 4 + int(b[1])<<16 + int(binary.BigEndian.Uint16(b[2:]))
	if total > maxHello {
		return malformed
	}
	r := newReader(b[:min(len(b), total)], total)
	r.take(4)
	h.version = r.u16()
	h.legacy = h.version
	major := uint16(3)
	if h.datagrams {
		major = 0xfe
	}
	if r.state == whole && h.version>>8 != major && (!h.datagrams || h.version != dtlsOld) {
		return malformed
	}
	r.take(32) // random
	if id := r.vector8(); len(id) > 32 {
		return malformed
	}
	if h.datagrams {
		r.vector8() // cookie
	}
	h.ciphers = r.vector16()
	if r.state == whole && (len(h.ciphers) < 2 || len(h.ciphers)%2 != 0) {
		return malformed
	}
	if methods := r.vector8(); r.state == whole && len(methods) == 0 {
		return malformed
	}
	if r.state != whole || r.pos == total {
		return r.state // hellos without extensions exist
	}
	if size := int(r.u16()); r.state == whole && r.pos+size != total {
		return malformed
	}
	for r.state == whole && r.pos < total {
		kind := r.u16()
		if body := r.vector16(); r.state == whole {
			if !h.extension(kind, body) {
				return malformed
			}
		}
	}
	return r.state
}

// extension reads one whole extension and reports whether its form is right.
func (h *hello) extension(kind uint16, b []byte) bool {
	if isGREASE(kind) {
		return true
	}
	h.extensions = append(h.extensions, kind)
	r := newReader(b, len(b))
	switch kind {
	case extServerName:
		if h.hasSNI {
			return true
		}
		h.hasSNI = true
		if len(b) == 0 {
			return true
		}
		names := r.vector16()
		list := newReader(names, len(names))
		for list.state == whole && list.pos < list.total {
			kind := list.u8()
			name := list.vector16()
			if list.state == whole && kind == 0 && h.sni == nil {
				h.sni = name
			}
		}
		return r.state == whole && list.state == whole
	case extALPN:
		h.alpn = r.vector16()
	case extSignatureAlgs:
		h.sigAlgs = r.vector16()
		return r.state == whole && len(h.sigAlgs)%2 == 0
	case extGroups:
		h.groups = r.vector16()
	case extPointFormats:
		h.points = r.vector8()
	case extSupportedVersions:
		list := r.vector8()
		best := uint16(0)
		for ; len(list) >= 2; list = list[2:] {
			// The versions of DTLS count down.
			if v := binary.BigEndian.Uint16(list); !isGREASE(v) && (v > best || h.datagrams && v < best) {
				best = v
			}
		}
		if best != 0 {
			h.version = best
		}
	case extECH:
		h.ech = true
	}
	return r.state == whole
}

// isGREASE reports whether v is one of the values reserved to be ignored.
func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
