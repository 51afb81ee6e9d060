// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// greetingDetectors lists streams that begin with words or numbers which nobody
// else has.
func greetingDetectors() []detector {
	return []detector{
		streamOnly("ICAP", "web", "ROI", lookICAP),
		streamOnly("JDWP", "system", "J", greeting("JDWP-Handshake")),
		streamOnly("ADB", "system", "C", lookADB),
		streamOnly("ZooKeeper", "database", "\x00", lookZooKeeper),
		streamOnly("Tarantool", "database", "T", greeting("Tarantool 1.", "Tarantool 2.", "Tarantool 3.")),
		streamOnly("NSQ", "messaging", " ", greeting("  V2IDENTIFY\n", "  V2SUB ", "  V2PUB ", "  V2NOP\n")),
		streamOnly("RethinkDB", "database", "\xc3\x20\xee\x5f\x3e", greeting("\xc3\xbd\xc2\x34{\"", "\x20\x2d\x0c\x40", "\x3e\xe8\x75\x5f")),
		streamOnly("ClickHouse", "database", "\x00", lookClickHouse),
		streamOnly("Neo4j", "database", "\x60", greeting("\x60\x60\xb0\x17\x00")),
		streamOnly("NBD", "file", "N", greeting("NBDMAGICIHAVEOPT", "NBDMAGIC\x00\x00\x42\x02\x81\x86\x12\x53")),
		streamOnly("9P", "file", "", look9P),
		streamOnly("ManageSieve", "mail", "\"", greeting("\"IMPLEMENTATION\" \"")),
		streamOnly("MSRP", "messaging", "M", lookMSRP),
		streamOnly("VMware", "system", "2", greeting("220 VMware Authentication Daemon Version ")),
		streamOnly("IceCast", "streaming", "I", greeting("ICY 200 OK\r\n", "ICY 401 ", "ICY 404 ")),
		streamOnly("Firebird", "database", "\x00", lookFirebird),
	}
}

// greeting returns a look for streams that begin with one of the texts.
func greeting(texts ...string) func(*sight) verdict {
	return func(x *sight) verdict { return certain(opensAny(x.data, texts...)) }
}

// lookICAP reads a first line of RFC 3507.
func lookICAP(x *sight) verdict {
	return certain(opensAny(x.data, "ICAP/1.0 ", "REQMOD icap://", "RESPMOD icap://", "OPTIONS icap://"))
}

// lookADB reads the message by which Android's debugger connects: command,
// version, longest message, length, a sum, and the command once more, turned
// round bit by bit.
func lookADB(x *sight) verdict {
	b := x.data
	if v := opens(b, "CNXN"); v != enough {
		return v
	}
	if len(b) < 24 {
		return wait
	}
	return sure(le32(b[20:]) == ^le32(b) && le32(b[12:]) < 4096)
}

// lookZooKeeper reads a request for a session or the answer: length, version 0,
// then what was seen last and a time, or a time alone; the number of the session
// and a password of sixteen bytes.
func lookZooKeeper(x *sight) verdict {
	const request, answer = 44, 36 // one more where a byte says that reading is enough
	b := x.data
	if len(b) < 8 {
		if len(b) >= 4 && be32(b) != request && be32(b) != request+1 && be32(b) != answer && be32(b) != answer+1 {
			return no
		}
		return wait
	}
	size, at := be32(b), 8
	switch size {
	case request, request + 1:
		at = 16
	case answer, answer + 1:
	default:
		return no
	}
	if be32(b[4:]) != 0 {
		return no
	}
	if len(b) < at+16 {
		return wait
	}
	patience := be32(b[at:])
	return sure(patience >= 100 && patience <= 3_600_000 && be32(b[at+12:]) == 16)
}

// lookClickHouse reads the first packet of the native protocol, of kind 0: the
// length and the words of a name, which all programs of the house begin alike.
func lookClickHouse(x *sight) verdict {
	const name = "ClickHouse"
	b := x.data
	if len(b) > 1 && (b[1] < byte(len(name)) || b[1] > 64) {
		return no
	}
	if len(b) < 3 {
		return wait
	}
	return certain(opens(b[2:], name))
}

// look9P reads the first message of 9P or its answer: length in little endian,
// kind, no tag, the longest message, and a version.
func look9P(x *sight) verdict {
	const version, answer = 100, 101
	b := x.data
	if len(b) < 7 {
		if len(b) > 4 && (le32(b) < 19 || le32(b) > 64 || b[4] != version && b[4] != answer) {
			return no
		}
		return wait
	}
	size := le32(b)
	if size < 19 || size > 64 || b[4] != version && b[4] != answer || le16(b[5:]) != 0xffff {
		return no
	}
	if len(b) < 19 {
		return wait
	}
	return sure(int(size) == 13+le16(b[11:]) && bytes.HasPrefix(b[13:], []byte("9P2000")))
}

// lookMSRP reads the first line of RFC 4975: a transaction, and a method or a
// status.
func lookMSRP(x *sight) verdict {
	const longest = 48
	b := x.data
	if v := opens(b, "MSRP "); v != enough {
		return v
	}
	id, rest, ok := bytes.Cut(b[5:min(len(b), longest)], []byte(" "))
	switch {
	case !isToken(id), ok && (len(id) < 4 || len(id) > 32), !ok && len(b) >= longest:
		return no
	case !ok || len(rest) < 4:
		return wait
	}
	isStatus := isDigit(rest[0]) && isDigit(rest[1]) && isDigit(rest[2])
	return sure(isStatus || hasAny(rest, "SEND", "REPO", "AUTH"))
}

// lookFirebird reads a request to connect: operation 1 to attach (19), a version
// of the request, an architecture, and the name of a database.
func lookFirebird(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x00\x00\x00\x01\x00\x00\x00\x13\x00\x00\x00"); v != enough {
		return v
	}
	if len(b) < 20 {
		return wait
	}
	n := be32(b[16:])
	if b[11] < 2 || b[11] > 3 || be32(b[12:]) > 64 || n == 0 || n > 1024 {
		return no
	}
	end := 20 + int(n)
	if len(b) < end {
		if !isPrintable(b[20:]) {
			return no
		}
		return wait
	}
	return sure(isPrintable(b[20:end]))
}
