// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

const (
	dtlsOld     = 0x0100 // what the first implementation took for version 1.0, and Cisco's VPN has kept
	dtlsHeader  = 13     // bytes of a record's header
	dtlsMessage = 12     // bytes of a handshake message's
)

func dtlsDetector() detector {
	return detector{
		name: "DTLS", upper: "DTLS", category: "web", confidence: 95, opening: opensDTLS,
		starts:   func(b byte) bool { return b >= recordChangeCipher && b <= recordData },
		datagram: lookDTLS,
	}
}

// lookDTLS walks over the records of one datagram (RFC 6347), which they must
// fill exactly.
func lookDTLS(x *sight) verdict {
	known := x.s.detector != nil
	result, hello := no, false
	for b := x.data; len(b) > 0; {
		body, rest, ok := dtlsRecord(b)
		if !ok {
			return no
		}
		epoch := binary.BigEndian.Uint16(b[3:])
		if b[0] == recordHandshake && epoch == 0 {
			if !isDTLSMessage(body) {
				return no
			}
			hello = true
		}
		b = rest
		result = found
	}
	if result == no {
		return no
	}
	// OpenSSL has this version for AnyConnect alone (SSL_OP_CISCO_ANYCONNECT).
	cisco := be16(x.data[1:]) == dtlsOld
	if !hello {
		if !known {
			x.s.certainty = confidenceRecords
			if cisco {
				x.label(&labelCisco)
			}
		}
		return found
	}
	v := x.learnDTLS()
	if cisco {
		x.nameless("CISCOVPN", "vpn", confidenceOld)
	}
	return v
}

// learnDTLS reads the hellos and the certificate among the records of a datagram
// that was found to be of DTLS.
func (x *sight) learnDTLS() verdict {
	last := false
	for b := x.data; len(b) > 0; {
		body, rest, _ := dtlsRecord(b)
		plain := b[0] == recordHandshake && binary.BigEndian.Uint16(b[3:]) == 0
		b = rest
		for plain && len(body) >= dtlsMessage {
			kind, size := body[0], int(body[1])<<16|int(binary.BigEndian.Uint16(body[2:]))
			offset := int(body[6])<<16 | int(binary.BigEndian.Uint16(body[7:]))
			fragment := int(body[9])<<16 | int(binary.BigEndian.Uint16(body[10:]))
			if fragment > len(body)-dtlsMessage || offset+fragment > size {
				break
			}
			message := body[dtlsMessage : dtlsMessage+fragment]
			head := body[:4]
			body = body[dtlsMessage+fragment:]
			if offset != 0 {
				continue
			}
			switch complete := fragment == size; {
			case kind == 1:
				x.joined = append(append(x.joined[:0], head...), message...)
				x.hello.datagrams = true
				if state := x.hello.parse(x.joined); state != malformed {
					x.learnHello(&x.hello, 'd', state == whole)
				}
				x.hello.datagrams = false
			case kind == serverHello && complete:
				x.learnServerHello(message, true)
			case kind == serverCert && complete:
				x.learnCertificate(message)
				last = true
			case kind == serverHelloDone:
				last = true
			}
		}
	}
	// The server's hello may have been overtaken by what follows it.
	if last && x.s.handshake().tls != 0 {
		return done
	}
	return found
}

// dtlsRecord takes the first record off b.
func dtlsRecord(b []byte) (body, rest []byte, ok bool) {
	if len(b) <= dtlsHeader || b[0] < recordChangeCipher || b[0] > recordData {
		return nil, nil, false
	}
	switch v := binary.BigEndian.Uint16(b[1:]); v {
	case 0xfeff, 0xfefd, dtlsOld:
	default:
		return nil, nil, false
	}
	epoch := binary.BigEndian.Uint16(b[3:])
	size := int(binary.BigEndian.Uint16(b[11:]))
	switch {
	case epoch > 16, b[5] != 0, b[6] != 0, // nobody gets that far within a session that is looked at
		size == 0, size > maxRecord, size > len(b)-dtlsHeader,
		b[0] == recordData && epoch == 0,
		b[0] == recordChangeCipher && size > 3:
		return nil, nil, false
	}
	return b[dtlsHeader : dtlsHeader+size], b[dtlsHeader+size:], true
}

// isDTLSMessage reports whether b can begin with a fragment of a handshake
// message.
func isDTLSMessage(b []byte) bool {
	if len(b) < dtlsMessage || b[0] > 24 {
		return false
	}
	size := int(b[1])<<16 | int(binary.BigEndian.Uint16(b[2:]))
	offset := int(b[6])<<16 | int(binary.BigEndian.Uint16(b[7:]))
	fragment := int(b[9])<<16 | int(binary.BigEndian.Uint16(b[10:]))
	return size <= maxHello && offset+fragment <= size && fragment <= len(b)-dtlsMessage
}
