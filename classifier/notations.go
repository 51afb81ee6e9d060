// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// notationDetectors lists what is known by how it is written down: objects and
// lines that name themselves. They come last: others write in the same way and
// are known better.
func notationDetectors() []detector {
	return []detector{
		wsdDetector(),
		checkmkDetector(),
		ooklaDetector(),
		elasticDetector(),
		sapDetector(),
		jsonRPCDetector(),
	}
}

// wsdDetector knows the discovery of services (OASIS WS-Discovery): a document in
// XML of its name space.
func wsdDetector() detector {
	return datagramOnly("WSD", "network", "<", func(x *sight) verdict {
		b := x.data[:min(len(x.data), 1024)]
		return sure(hasAny(b, "<?xml", "<s", "<e", "<E", "<S") && (bytes.Contains(b, []byte("/ws/2005/04/discovery")) || bytes.Contains(b, []byte("/ws-dd/ns/discovery/2009/01"))))
	})
}

// checkmkDetector knows the sections that an agent of Checkmk writes.
func checkmkDetector() detector {
	return streamOnly("CheckMK", "system", "<", func(x *sight) verdict {
		return certain(opensAny(x.data, "<<<check_mk>>>\n", "<<<check_mk>>>\r\n", "<<<checkmk>>>\n"))
	})
}

// ooklaDetector knows the measurement of Speedtest: the client says hi, the
// server hello with its version.
func ooklaDetector() detector {
	return streamOnly("Ookla", "speed", "H", func(x *sight) verdict {
		b := x.data
		if x.dir == Original {
			if v := opens(b, "HI"); v != enough {
				return v
			}
			line, _, ended := textLine(b)
			switch {
			case len(line) > 2 && line[2] != ' ', len(line) > 64 || !isText(line):
				return no
			case !ended:
				return wait
			}
			if isOoklaHello(x.peer()) != enough {
				return wait
			}
			return done
		}
		v := isOoklaHello(b)
		if v == enough && opens(x.peer(), "HI") != enough {
			return wait
		}
		return certain(v)
	})
}

// isOoklaHello reads "HELLO 2.9 (2.9.1) 2022-01-01.1200.abcdef".
func isOoklaHello(b []byte) verdict {
	const hello = "HELLO "
	if v := opens(b, hello); v != enough {
		return v
	}
	line, _, ended := textLine(b[:min(len(b), 128)])
	switch {
	case !isText(line):
		return no
	case !ended && len(line) < 120:
		return wait
	}
	line = line[len(hello):]
	return min(sure(len(line) > 6 && isDigit(line[0]) && line[1] == '.' && isDigit(line[2]) && bytes.Contains(line, []byte(" ("))), enough)
}

// elasticDetector knows the transport between nodes of Elasticsearch: two
// letters, a length, the number of a request, what the message is, and the
// version of the program.
func elasticDetector() detector {
	return streamOnly("ElasticSearch", "database", "E", func(x *sight) verdict {
		b := x.data
		if v := opens(b, "ES"); v != enough {
			return v
		}
		if len(b) < 6 {
			return wait
		}
		if be32(b[2:]) == 0xffffffff { // a beat
			if len(b) < 12 {
				return min(opens(b[6:], "ES\xff\xff\xff\xff"), wait)
			}
			return sure(string(b[6:12]) == "ES\xff\xff\xff\xff")
		}
		if len(b) < 19 {
			return wait
		}
		version := be32(b[15:])
		return sure(be32(b[2:]) >= 13 && be32(b[2:]) < 1<<28 && b[6] == 0 && b[14] < 16 && version >= 1_000_000 && version < 10_000_000)
	})
}

// sapDetector knows SAP's network interface: a length, and a route through
// routers, its answer, a beat, or the greeting to a gateway.
func sapDetector() detector {
	return streamOnly("SAP", "work", "\x00", func(x *sight) verdict {
		b := x.data
		if len(b) < 12 {
			if len(b) > 1 && b[1] != 0 {
				return no
			}
			return wait
		}
		size := be32(b)
		if size < 8 || size > 4096 {
			return no
		}
		switch rest := b[4:]; {
		case hasAny(rest, "NI_ROUTE\x00"[:8], "NI_RTERR"), size == 8 && hasAny(rest, "NI_PING\x00", "NI_PONG\x00"):
			return done
		case rest[0] == 2 && rest[1] == 3 && size == 64:
			if len(rest) < 18 {
				return wait
			}
			return sure(isZero(rest[6:10]) && hasAny(rest[10:], "sapgw", "sapdp"))
		}
		return no
	})
}

// jsonRPCDetector knows version 2.0 of JSON-RPC in a stream: the first object, or
// line, names it.
func jsonRPCDetector() detector {
	const longest = 4096
	return streamOnly("JSON-RPC", "network", "{[", func(x *sight) verdict {
		b := x.data[:min(len(x.data), longest)]
		line, _, ended := cutLine(b)
		if !ended {
			line = bytes.TrimRight(b, " \r")
		}
		if !isText(line) {
			return no
		}
		_, after, named := bytes.Cut(line, []byte(`"jsonrpc"`))
		whole := line[len(line)-1] == '}' || line[len(line)-1] == ']'
		switch {
		case named && whole && (ended || !bytes.Contains(line, []byte(`"login"`))): // a miner's, perhaps
			return sure(hasAny(bytes.TrimLeft(after, ": "), `"2.0"`))
		case ended && len(line) > 1, len(b) == longest:
			return no
		}
		return wait
	})
}
