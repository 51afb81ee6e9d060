// SPDX-License-Identifier: MIT

package classifier

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// maxJA4 bounds the cipher suites, and the extensions, of a hello that gets a
// fingerprint.
const maxJA4 = 512

// ja4Print is a JA4 fingerprint: its first part as text, and of the other two the
// bytes that their digits stand for.
type ja4Print struct {
	head           [10]byte
	ciphers, other [6]byte
	made           bool
}

// String returns the fingerprint as it is written, or nothing.
func (p *ja4Print) String() string {
	if !p.made {
		return ""
	}
	var out [36]byte
	b := append(out[:0], p.head[:]...)
	b = hex.AppendEncode(append(b, '_'), p.ciphers[:])
	b = hex.AppendEncode(append(b, '_'), p.other[:])
	return string(b)
}

// ja4 makes the JA4 fingerprint of a complete hello: transport is 't' for TCP,
// 'd' for DTLS and 'q' for QUIC. It makes none of a hello with more than maxJA4
// of anything. The hello's extensions are sorted by the call; scratch is
// overwritten.
func (h *hello) ja4(transport byte, scratch *ja4Scratch, p *ja4Print) bool {
	if len(h.ciphers) > 2*maxJA4 || len(h.extensions) > maxJA4 || len(h.sigAlgs) > 2*maxJA4 {
		return false
	}
	ciphers := scratch.values[:0]
	for b := h.ciphers; len(b) >= 2; b = b[2:] {
		if v := binary.BigEndian.Uint16(b); !isGREASE(v) {
			ciphers = append(ciphers, v)
		}
	}
	out := p.head[:0]
	out = append(out, transport)
	out = append(out, ja4Version(h.version)...)
	if h.hasSNI {
		out = append(out, 'd')
	} else {
		out = append(out, 'i')
	}
	out = appendTwoDigits(out, len(ciphers))
	out = appendTwoDigits(out, len(h.extensions))
	appendALPN(out, h.alpn)

	text := scratch.text[:0]
	slices.Sort(ciphers)
	for _, v := range ciphers {
		text = appendHex(text, v)
	}
	p.ciphers = shortDigest(text)

	text = text[:0]
	slices.Sort(h.extensions)
	for _, v := range h.extensions {
		if v != extServerName && v != extALPN {
			text = appendHex(text, v)
		}
	}
	// The signature algorithms keep their order.
	separator := byte('_')
	for b := h.sigAlgs; len(b) >= 2; b = b[2:] {
		if v := binary.BigEndian.Uint16(b); !isGREASE(v) {
			text = append(text, separator)
			text = hex.AppendEncode(text, b[:2])
			separator = ','
		}
	}
	p.other, p.made = shortDigest(text), true
	scratch.text = text
	return true
}

// ja4Scratch is memory for making a fingerprint.
type ja4Scratch struct {
	values [maxJA4]uint16
	text   []byte
}

// ja4Version returns the two characters for a TLS version.
func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0xfeff:
		return "d1"
	case 0xfefd:
		return "d2"
	case 0xfefc:
		return "d3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// appendALPN appends the first and last character of the first protocol, as
// they are if both are letters or digits, else as digits of their hex form.
func appendALPN(out, alpn []byte) []byte {
	if len(alpn) < 2 || alpn[0] == 0 || int(alpn[0]) >= len(alpn) {
		return append(out, "00"...)
	}
	first, last := alpn[1], alpn[alpn[0]]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return append(out, first, last)
	}
	const digits = "0123456789abcdef"
	return append(out, digits[first>>4], digits[last&15])
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// appendTwoDigits appends n, at most 99, in two digits.
func appendTwoDigits(out []byte, n int) []byte {
	n = min(n, 99)
	return append(out, byte('0'+n/10), byte('0'+n%10))
}

// appendHex appends v in four digits, with a comma in front unless it is the
// first.
func appendHex(text []byte, v uint16) []byte {
	if len(text) > 0 {
		text = append(text, ',')
	}
	return hex.AppendEncode(text, []byte{byte(v >> 8), byte(v)})
}

// shortDigest returns the first six bytes of the SHA-256 of text, zeros for an
// empty text.
func shortDigest(text []byte) (short [6]byte) {
	if len(text) > 0 {
		sum := sha256.Sum256(text)
		copy(short[:], sum[:])
	}
	return short
}
