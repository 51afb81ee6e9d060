// SPDX-License-Identifier: MIT

package classifier

import (
	"crypto/md5"
	"encoding/binary"
	"strconv"
)

// learnJA3 notes the JA3 fingerprint of a complete hello. It must come before
// ja4, which sorts the extensions.
func (x *sight) learnJA3(h *hello) {
	if len(h.ciphers) > 2*maxJA4 || len(h.extensions) > maxJA4 || len(h.groups) > 2*maxJA4 {
		return
	}
	f := x.s.handshake()
	text := strconv.AppendUint(x.ja4.text[:0], uint64(h.legacy), 10)
	text = appendList(append(text, ','), h.ciphers)
	text = append(text, ',')
	for i, v := range h.extensions {
		if i > 0 {
			text = append(text, '-')
		}
		text = strconv.AppendUint(text, uint64(v), 10)
	}
	text = appendList(append(text, ','), h.groups)
	text = append(text, ',')
	for i, v := range h.points {
		if i > 0 {
			text = append(text, '-')
		}
		text = strconv.AppendUint(text, uint64(v), 10)
	}
	x.ja4.text = text
	f.ja3, f.hasJA3 = md5.Sum(text), true
	x.s.touch()
}

// learnJA3S notes the fingerprint of a ServerHello: its version, the cipher
// suite chosen, and the extensions.
func (x *sight) learnJA3S(version, cipher uint16, extensions []uint16) {
	text := strconv.AppendUint(x.ja4.text[:0], uint64(version), 10)
	text = strconv.AppendUint(append(text, ','), uint64(cipher), 10)
	text = append(text, ',')
	for i, v := range extensions {
		if i > 0 {
			text = append(text, '-')
		}
		text = strconv.AppendUint(text, uint64(v), 10)
	}
	x.ja4.text = text
	f := x.s.handshake()
	f.ja3s, f.hasJA3S = md5.Sum(text), true // the fingerprint is defined so
	x.s.touch()
}

// appendList appends numbers of two bytes each in decimal, with hyphens between
// and GREASE left out.
func appendList(text, list []byte) []byte {
	first := true
	for ; len(list) >= 2; list = list[2:] {
		v := binary.BigEndian.Uint16(list)
		if isGREASE(v) {
			continue
		}
		if !first {
			text = append(text, '-')
		}
		text, first = strconv.AppendUint(text, uint64(v), 10), false
	}
	return text
}
