// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// tailscaleDetector knows the packets by which nodes of Tailscale find a way to
// each other: a magic of six bytes, the sender's key and a nonce.
func tailscaleDetector() detector {
	return detector{
		name: "Tailscale", upper: "TAILSCALE", category: "vpn", confidence: 97,
		starts: oneOf("T"),
		datagram: func(x *sight) verdict {
			return sure(len(x.data) >= 6+32+24+16 && opens(x.data, "TS\xf0\x9f\x92\xac") == enough)
		},
	}
}

// zeroTierDetector knows the HELLO of ZeroTier, the one packet that is not
// encrypted: behind ids, flags and a code, the protocol's and the program's
// version, a time, and the sender's address once more.
func zeroTierDetector() detector {
	return detector{
		name: "ZeroTier", upper: "ZEROTIER", category: "vpn", confidence: 95,
		datagram: func(x *sight) verdict {
			b := x.data
			return sure(len(b) >= 41+5+1 && b[18]&0xf8 == 0 && b[27]&0x1f == 1 &&
				b[28] >= 4 && b[28] < 32 && b[29] >= 1 && b[29] < 8 && bytes.Equal(b[13:18], b[41:46]))
		},
	}
}

func tincDetector() detector {
	return detector{
		name: "TINC", upper: "TINC", category: "vpn", confidence: 92,
		starts: oneOf("0"),
		stream: lookTinc,
	}
}

// lookTinc reads the first line of either side of tinc 1.0 and 1.1: request 0,
// the name of the node (letters, digits, low lines), protocol version 17 and,
// since 1.1, a minor one. Where both sides have said it their datagrams are known.
func lookTinc(x *sight) verdict {
	const longest = 64
	b := x.data
	if v := opens(b, "0 "); v != enough {
		return v
	}
	line, _, ended := cutLine(b[:min(len(b), longest)])
	if !ended {
		if len(b) >= longest || !isPrintable(b) {
			return no
		}
		return wait
	}
	name, version, ok := bytes.Cut(line[2:], []byte(" "))
	if !ok || len(name) == 0 {
		return no
	}
	for _, c := range name {
		if !isDigit(c) && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return no
		}
	}
	major, minor, dotted := bytes.Cut(version, []byte("."))
	if string(major) != "17" || dotted && (len(minor) != 1 || !isDigit(minor[0])) {
		return no
	}
	if x.c.opts.Relations == nil {
		return done
	}
	if x.s.detector == nil { // what one side says alone gives nothing away
		x.s.flags |= settled
		return enough
	}
	e := x.ends()
	x.announce(x.c.announced["TINC"], e.Server, e.Client.Addr(), ProtoUDP)
	return done
}

// tincData describes the datagrams of tinc. They are encrypted from the first
// byte on, and go to the port that takes the node's connections.
func tincData() *detector {
	return &detector{name: "TINC", upper: "TINC", category: "vpn", confidence: 85, bare: &Application{"TINC", "vpn"}}
}
