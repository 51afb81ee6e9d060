// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
)

// netbiosEncoded is the length of a name on the wire: a length byte, sixteen
// characters in two letters each, and the end. Scopes are not read.
const netbiosEncoded = 34

// netbiosDetector tells what is no session: netbiosSessionDetector tells those.
func netbiosDetector() detector {
	return detector{
		name: "NetBIOS", upper: "NETBIOS", category: "network", confidence: 97,
		datagram: lookNetBIOS,
	}
}

// lookNetBIOS recognises the name service and the datagram service of RFC 1002
// by their encoded names.
func lookNetBIOS(x *sight) verdict {
	b := x.data
	if len(b) >= dnsHeader+netbiosEncoded+4 && isNetBIOSHeader(b) {
		if name, rest, ok := x.netbiosName(b[dnsHeader:]); ok {
			kind, class := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
			switch {
			case x.registered() == portDNS: // asked of a name server, for it to answer
				return no
			case (kind == 0x20 || kind == 0x21 || kind == 0x0a) && class == 1:
				x.netbiosHost(name)
				return done
			}
		}
	}
	if x.registered() == portNetBIOS && len(b) >= dnsHeader+netbiosEncoded+4 && be16(b[4:]) == 1 {
		// A whole name on the service's own port, whatever else is damaged.
		if name, _, ok := x.netbiosName(b[dnsHeader:]); ok {
			x.s.certainty = confidenceBroken
			x.netbiosHost(name)
			return done
		}
	}
	const header = 14
	if len(b) < header+2*netbiosEncoded || b[0] < 0x10 || b[0] > 0x12 || b[1]&0xf0 != 0 ||
		int(binary.BigEndian.Uint16(b[10:])) != len(b)-header {
		return no
	}
	source, rest, ok := x.netbiosName(b[header:])
	if !ok || len(rest) < netbiosEncoded {
		return no
	}
	x.netbiosHost(source)
	if _, rest, ok = x.netbiosName(rest); ok && bytes.HasPrefix(rest, []byte("\xffSMB")) {
		x.application("SMBV1", "file", 95)
	}
	return done
}

// isNetBIOSHeader reports whether b can begin with the header of a name service
// packet: an operation that exists and one question, or one answer.
func isNetBIOSHeader(b []byte) bool {
	op := binary.BigEndian.Uint16(b[2:]) >> 11 & 15
	questions, answers := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	return (op == 0 || op >= 5 && op <= 9) && questions+answers == 1 &&
		binary.BigEndian.Uint16(b[8:])+binary.BigEndian.Uint16(b[10:]) <= 1
}

// netbiosName decodes the name that b begins with: letters of four bits each.
// The sixteenth character is its kind and not part of it. rest has at least
// four bytes if the name is one.
func (x *sight) netbiosName(b []byte) (name, rest []byte, ok bool) {
	if len(b) < netbiosEncoded+4 || b[0] != 32 || b[33] != 0 {
		return nil, nil, false
	}
	out := x.line[:0]
	for i := 1; i < 33; i += 2 {
		hi, lo := b[i]-'A', b[i+1]-'A'
		if hi > 15 || lo > 15 {
			return nil, nil, false
		}
		out = append(out, hi<<4|lo)
	}
	x.line = out
	return bytes.TrimRight(out[:15], " \x00"), b[netbiosEncoded:], true
}

// netbiosHost makes a name the session's detail, in lower case.
func (x *sight) netbiosHost(name []byte) {
	if len(name) == 0 || !isPrintable(name) {
		return
	}
	host := lower(name)
	x.s.note("netbios/name", host, 0)
	x.detail(host)
}
