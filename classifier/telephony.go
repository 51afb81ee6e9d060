// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func skinnyDetector() detector {
	return detector{
		name: "CiscoSkinny", upper: "CISCOSKINNY", category: "voip", confidence: 88,
		stream: lookSkinny,
	}
}

// lookSkinny reads the first message of a phone or of its manager: length,
// version, kind (all little endian). A registration carries the phone's name,
// up to sixteen bytes filled up with zeros; other kinds are believed if they are
// of those with a fixed size.
func lookSkinny(x *sight) verdict {
	b := x.data
	if len(b) < 12 {
		if len(b) >= 4 && (le32(b) < 4 || le32(b) > 2048) || len(b) >= 8 && b[5]|b[6]|b[7] != 0 {
			return no
		}
		return wait
	}
	size, version, kind := le32(b), le32(b[4:]), le32(b[8:])
	if size < 4 || size > 2048 || version > 25 {
		return no
	}
	if kind == 1 {
		if len(b) < 28 {
			return wait
		}
		name, padding, _ := bytes.Cut(b[12:28], []byte{0})
		return sure(size >= 36 && len(name) >= 6 && isDeviceName(name) && len(bytes.Trim(padding, "\x00")) == 0)
	}
	if !x.port(2000) && !x.port(2443) {
		return no
	}
	if version == 0 && kind == 0 && size == 4 {
		return sure(len(b) == 12)
	}
	fixed := skinnySize(kind)
	return sure(fixed != 0 && size == fixed && (len(b) <= 12 || len(b) >= 8+int(fixed)))
}

// isDeviceName reports whether b is letters, digits and strokes.
func isDeviceName(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// skinnySize returns the length that a message of Skinny states for its kind, 0 for
// kinds without one.
func skinnySize(kind uint32) uint32 {
	switch kind {
	case 0x03: // keypad button
		return 16
	case 0x06: // off hook
		return 12
	case 0x07: // on hook
		return 12
	case 0x82: // start tone
		return 16
	case 0x86: // set lamp
		return 16
	case 0x100: // keep-alive acknowledged
		return 4
	case 0x111: // call state
		return 16
	}
	return 0
}

func h323Detector() detector {
	return detector{
		name: "H323", upper: "H323", category: "voip", confidence: 93,
		starts:   func(b byte) bool { return b < 0x80 },
		stream:   lookH225,
		datagram: func(x *sight) verdict { return sure(isRAS(x.data)) },
	}
}

// h225Object is the identifier of H.225.0 as both of its protocols carry it,
// without the version that ends it: 0.0.8.2250.0.
const h225Object = "\x00\x08\x91\x4a\x00"

// isRAS reports whether b is a request of registration, admission and status:
// its kind, and the protocol's identifier within the first bytes.
func isRAS(b []byte) bool {
	if len(b) < 14 {
		return false
	}
	at := bytes.Index(b[:min(len(b), 20)], []byte("\x06"+h225Object))
	return at >= 1 && at+6 < len(b) && b[at+6] <= 8
}

// lookH225 reads call signalling: TPKT (RFC 1006), then a message of Q.931
// with a user-to-user element that carries the protocol's identifier.
func lookH225(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x03\x00"); v != enough {
		return v
	}
	if len(b) < 9 {
		return wait
	}
	size := be16(b[2:])
	if b[4] == 2 && size > 14 {
		return lookH245(b)
	}
	if size < 20 || b[4] != 8 || b[5] != 2 || b[8]&0x80 != 0 {
		return no
	}
	if len(b) < min(size, 1024) {
		return wait
	}
	return sure(bytes.Contains(b[9:min(len(b), size)], []byte("\x06"+h225Object)))
}

// lookH245 reads a first message of H.245 in TPKT: the set of what a terminal
// can do carries the identifier of that protocol, 0.0.8.245.0.
func lookH245(b []byte) verdict {
	if len(b) < 16 {
		return wait
	}
	return sure(bytes.Contains(b[5:16], []byte("\x06\x00\x08\x81\x75\x00")))
}

func iaxDetector() detector {
	return detector{
		name: "IAX", upper: "IAX", category: "voip", confidence: 92,
		starts:   func(b byte) bool { return b >= 0x80 },
		datagram: func(x *sight) verdict { return sure(isIAX(x.data)) },
	}
}

// isIAX reports whether b opens something (RFC 5456): a full frame of kind 6
// from a call to none, with elements that fill it.
func isIAX(b []byte) bool {
	if len(b) < 14 || b[0]&0x80 == 0 || be16(b)&0x7fff == 0 || be16(b[2:]) != 0 || b[8] != 0 || b[9] != 0 || b[10] != 6 {
		return false
	}
	switch b[11] {
	case 0x01, 0x0d, 0x11, 0x13, 0x1e: // new, registration, release, ...
	default:
		return false
	}
	count := 0
	for b = b[12:]; len(b) > 0; count++ {
		if len(b) < 2 || 2+int(b[1]) > len(b) || b[0] == 0 || b[0] > 0x38 {
			return false
		}
		b = b[2+int(b[1]):]
	}
	return count > 0
}
