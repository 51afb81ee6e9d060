// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// gadgetDetectors lists what programs and things at home call into their
// network, to find each other and to be told the way out.
func gadgetDetectors() []detector {
	return []detector{
		dropboxDetector(),
		spotifyDetector(),
		tuyaDetector(),
		xiaomiDetector(),
		bjnpDetector(),
		tivoDetector(),
		natPMPDetector(),
		roughtimeDetector(),
		kismetDetector(),
		syncthingDetector(),
		tpLinkDetector(),
		ubiquitiDetector(),
		teredoDetector(),
	}
}

// dropboxDetector knows the announcements of the synchronisation in a local
// network: an object of JSON with the host's number and what it keeps in step.
func dropboxDetector() detector {
	return detector{
		name: "Dropbox", upper: "DROPBOX", category: "storage", confidence: 95,
		starts: oneOf("{"),
		datagram: func(x *sight) verdict {
			b := x.data
			return sure(hasAny(b, `{"`) && bytes.Contains(b, []byte(`"host_int": `)) && bytes.Contains(b, []byte(`"namespaces": [`)) && bytes.Contains(b, []byte(`"version": [`)))
		},
	}
}

// spotifyDetector knows how players look for others, and the first message to
// an access point: a mark of two bytes, the message's length, and its field 10.
func spotifyDetector() detector {
	return detector{
		name: "Spotify", upper: "SPOTIFY", category: "music", confidence: 95,
		starts: oneOf("S\x00"),
		stream: func(x *sight) verdict {
			b := x.data
			if v := opens(b, "\x00\x04\x00\x00"); v != enough {
				return v
			}
			if len(b) < 9 {
				return wait
			}
			size := int(be32(b[2:]))
			if size < 64 || size > 1500 || b[6] != 0x52 || b[7] < 4 || b[7] > 32 || b[8]&7 != 0 {
				return no
			}
			if len(b) < size {
				return wait
			}
			return sure(len(b) == size)
		},
		datagram: func(x *sight) verdict { return sure(len(x.data) >= 16 && opens(x.data, "SpotUdp0") == enough) },
	}
}

func tuyaDetector() detector {
	return detector{
		name: "TuyaLP", upper: "TUYALP", category: "home", confidence: 96,
		starts: oneOf("\x00"),
		stream: func(x *sight) verdict {
			if v := opens(x.data, "\x00\x00\x55\xaa"); v != enough {
				return v
			}
			if len(x.data) < 16 {
				return wait
			}
			size := 16 + int(be32(x.data[12:]))
			if size > 4096 || size < 24 {
				return no
			}
			if len(x.data) < size {
				return wait
			}
			return sure(isTuya(x.data[:size]))
		},
		datagram: func(x *sight) verdict { return sure(isTuya(x.data)) },
	}
}

// isTuya reports whether b is a message of Tuya's local protocol: a mark, a
// number, a command, a length, and a mark at the end.
func isTuya(b []byte) bool {
	return len(b) >= 24 && be32(b) == 0x55aa && be32(b[8:]) < 256 && uint64(be32(b[12:]))+16 == uint64(len(b)) && be32(b[len(b)-4:]) == 0xaa55
}

// xiaomiDetector knows the protocol of Xiaomi's things, whose length is the
// datagram's, and the frames of its push service: a mark, version 5, a length.
func xiaomiDetector() detector {
	return detector{
		name: "Xiaomi", upper: "XIAOMI", category: "home", confidence: 90,
		starts: oneOf("\x21\xc2"),
		stream: func(x *sight) verdict {
			b := x.data
			if v := opens(b, "\xc2\xfe\x00\x05"); v != enough {
				return v
			}
			if len(b) < 12 {
				return wait
			}
			if be32(b[4:]) >= 1<<16 {
				return no
			}
			return x.xiaomiHost()
		},
		datagram: func(x *sight) verdict {
			b := x.data
			if len(b) < 32 || be16(b) != 0x2131 || be16(b[2:]) != len(b) {
				return no
			}
			greeting := len(b) == 32 && len(bytes.Trim(b[4:], "\xff")) == 0
			return sure(greeting || be32(b[4:]) == 0 && be32(b[8:]) != 0)
		},
	}
}

// xiaomiHost takes the name of the server from the first frame of the push
// service. Behind the frame's own header stand a kind, the length of a header
// and that of a body, and both, in Protocol Buffers: the seventh field of the
// body that opens a connection is the server's name and port.
func (x *sight) xiaomiHost() verdict {
	const head = 16
	b := x.data
	size := 8 + int(be32(b[4:]))
	if len(b) < min(head, size) || len(b) < size && size <= 1024 {
		return wait
	}
	b = b[:min(len(b), size)]
	if len(b) < head || be16(b[8:]) != 2 || head+be16(b[10:]) > len(b) {
		return done
	}
	host := protoBytes(b[head+be16(b[10:]):], 7)
	if i := bytes.LastIndexByte(host, ':'); i > 0 {
		host = host[:i]
	}
	if name, _, ok := cleanHost(host); ok && len(name) <= x.c.opts.MaxString {
		x.s.note("xiaomi/host", name, 0)
		x.detail(name)
	}
	return done
}

// protoBytes returns the first field of that number in a message of Protocol
// Buffers, if it is one of bytes.
func protoBytes(b []byte, field uint64) []byte {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil
		}
		b = b[n:]
		size := uint64(0)
		switch tag & 7 {
		case 0:
			if _, n = binary.Uvarint(b); n <= 0 {
				return nil
			}
			size = uint64(n)
		case 1:
			size = 8
		case 2:
			if size, n = binary.Uvarint(b); n <= 0 {
				return nil
			}
			b = b[n:]
		case 5:
			size = 4
		default:
			return nil
		}
		if size > uint64(len(b)) {
			return nil
		}
		if tag == field<<3|2 {
			return b[:size]
		}
		b = b[size:]
	}
	return nil
}

// bjnpDetector knows the protocol of Canon's printers and scanners: a mark, a
// kind of device, a command, and the length of what follows.
func bjnpDetector() detector {
	return detector{
		name: "BJNP", upper: "BJNP", category: "home", confidence: 95,
		starts: oneOf("BM"),
		datagram: func(x *sight) verdict {
			b := x.data
			return sure(len(b) >= 16 && hasAny(b, "BJNP", "BJNB", "MFNP") && b[4]&0x7f <= 4 && int(be32(b[12:])) <= len(b)-16)
		},
	}
}

// tivoDetector knows the beacon by which recorders announce themselves.
func tivoDetector() detector {
	return detector{
		name: "TiVoConnect", upper: "TIVOCONNECT", category: "home", confidence: 96,
		starts: oneOf("Tt"),
		datagram: func(x *sight) verdict {
			const name = "tivoconnect="
			return sure(len(x.data) > len(name) && string(bytes.ToLower(x.data[:len(name)])) == name)
		},
	}
}

// natPMPPort is where routers listen; little else tells these messages.
const natPMPPort = 5351

func natPMPDetector() detector {
	return detector{
		name: "NAT-PMP", upper: "NAT-PMP", category: "network", confidence: 85,
		starts:   oneOf("\x00\x02"),
		datagram: lookNATPMP,
	}
}

// lookNATPMP checks lengths and reserved fields of RFC 6886, and of PCP (RFC
// 6887), which took its port. The question for the public address is two zeros:
// it counts once it is answered.
func lookNATPMP(x *sight) verdict {
	const longest = 7 * 24 * 3600 // life of a mapping in seconds
	b := x.data
	if !x.port(natPMPPort) || len(b) < 2 {
		return no
	}
	answer, op := b[1]&0x80 != 0, b[1]&0x7f
	if b[0] == 2 {
		return sure(x.isPCP())
	}
	switch {
	case !answer && op == 0 && len(b) == 2:
		return wait
	case !answer && (op == 1 || op == 2):
		return sure(len(b) == 12 && be16(b[2:]) == 0 && be16(b[4:]) != 0 && be32(b[8:]) <= longest)
	case answer && op == 0:
		return sure(len(b) == 12 && be16(b[2:]) <= 5 && be32(b[4:]) != 0)
	case answer && (op == 1 || op == 2):
		return sure(len(b) == 16 && be16(b[2:]) <= 5 && be32(b[12:]) <= longest)
	}
	return no
}

// isPCP reports whether the datagram is a request that names its own sender, or
// an answer with its reserved bytes zero.
func (x *sight) isPCP() bool {
	b := x.data
	if len(b) < 24 || len(b)%4 != 0 || len(b) > 1100 || b[1]&0x7f > 2 || b[2] != 0 {
		return false
	}
	if b[1]&0x80 != 0 {
		return b[3] <= 13 && be32(b[12:])|be32(b[16:])|be32(b[20:]) == 0
	}
	return b[3] == 0 && netip.AddrFrom16([16]byte(b[8:24])).Unmap() == x.p.Src
}

// kismetDetector knows the greeting of Kismet's server.
func kismetDetector() detector {
	return detector{
		name: "Kismet", upper: "KISMET", category: "network", confidence: 93,
		starts: oneOf("*"),
		stream: func(x *sight) verdict { return certain(opens(x.data, "*KISMET: ")) },
	}
}
