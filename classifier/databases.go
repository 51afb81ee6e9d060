// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func postgresDetector() detector {
	return streamOnly("PostgreSQL", "database", "\x00", lookPostgres)
}

// lookPostgres reads what a client starts with: its parameters, or a request
// for encryption or to cancel (PostgreSQL's protocol 3.0 and 3.2).
func lookPostgres(x *sight) verdict {
	b := x.data
	if v := opensAny(b, "\x00\x00\x00\x08\x04\xd2\x16\x2f", "\x00\x00\x00\x08\x04\xd2\x16\x30", "\x00\x00\x00\x10\x04\xd2\x16\x2e"); v == enough {
		return done
	}
	if len(b) < 13 {
		if len(b) > 1 && b[1] != 0 || len(b) >= 6 && (b[4] != 0 || b[5] != 3) && b[4] != 4 {
			return no
		}
		return wait
	}
	size := num32(b)
	if size < 13 || size > 10000 || be16(b[4:]) != 3 || be16(b[6:]) > 2 {
		return no
	}
	key, _, ok := bytes.Cut(b[8:], []byte{0})
	if !ok || !isWord(key) || b[8] < 'a' {
		return no
	}
	return done
}

func mysqlDetector() detector {
	return streamOnly("MySQL", "database", "", lookMySQL)
}

// lookMySQL reads the server's greeting of version 10: version, connection,
// challenge, a zero.
func lookMySQL(x *sight) verdict {
	b := x.data
	if len(b) < 6 {
		if len(b) > 1 && b[1] != 0 || len(b) > 2 && b[2] != 0 || len(b) > 3 && b[3] != 0 || len(b) > 4 && b[4] != 10 {
			return no
		}
		return wait
	}
	size := low32(b)
	if size < 30 || size > 300 || b[4] != 10 || !isDigit(b[5]) {
		return no
	}
	version, rest, ok := bytes.Cut(b[5:min(len(b), 5+100)], []byte{0})
	switch {
	case !isPrintable(version):
		return no
	case !ok && len(b) >= 105:
		return no
	case !ok || len(rest) < 13:
		if !ok || len(b) < 105 {
			return wait
		}
		return no
	case rest[12] != 0:
		return no
	}
	return done
}

func mongoDetector() detector {
	return streamOnly("MongoDB", "database", "", lookMongo)
}

// lookMongo reads the header of a message and the start of its body.
func lookMongo(x *sight) verdict {
	b := x.data
	if len(b) >= 4 && (low32(b) < 26 || low32(b) > 1<<20) || len(b) >= 14 && le16(b[12:])>>4 != 2000>>4 && le16(b[12:])>>4 != 2016>>4 {
		return no
	}
	if len(b) >= 16 {
		size := low32(b)
		switch low32(b[12:]) {
		case 2004: // query: flags, collection
			if len(b) < 32 {
				return wait
			}
			if low32(b[16:]) > 255 || !hasText(b[20:min(len(b), 140)], ".") || !isWord(b[20:21]) {
				return no
			}
			return done
		case 2013: // message: flags, section of kind 0, its length
			if len(b) < 26 {
				return wait
			}
			if flags := low32(b[16:]); flags&^0x10003 != 0 || b[20] != 0 || low32(b[21:]) > size-21 || low32(b[21:]) < 5 {
				return no
			}
			return done
		case 2012: // compressed: what, size, how
			if len(b) < 25 {
				return wait
			}
			if op := low32(b[16:]); op != 2013 && op != 2004 || b[24] > 3 {
				return no
			}
			return done
		}
		return no
	}
	return wait
}

func redisDetector() detector {
	return streamOnly("Redis", "database", "*+-", lookRedis)
}

// lookRedis reads a command: an array of strings, the first of them a word
// (RESP). Commands typed as a line are any text; there the answer tells, if it is
// one that no other server gives.
func lookRedis(x *sight) verdict {
	b := x.data
	if b[0] != '*' {
		return certain(opensAny(b, "+PONG\r\n", "-NOAUTH Authentication required.", "-ERR unknown command ", "-DENIED Redis is running in protected mode"))
	}
	n, rest, v := respNumber(b, '*')
	if v != enough {
		return v
	}
	size, rest, v := respNumber(rest, '$')
	if v != enough {
		return v
	}
	if n < 1 || n > 1000 || size < 2 || size > 32 {
		return no
	}
	for i, c := range rest[:min(len(rest), size+2)] {
		switch {
		case i < size && (c|0x20 < 'a' || c|0x20 > 'z') && c != '.' && c != '_':
			return no
		case i >= size && c != "\r\n"[i-size]:
			return no
		}
	}
	if len(rest) < size+2 {
		return wait
	}
	return done
}

// respNumber reads a mark, a number and an end of line.
func respNumber(b []byte, mark byte) (n int, rest []byte, v verdict) {
	for i, c := range b {
		switch {
		case i == 0 && c != mark:
			return 0, nil, no
		case i == 0:
		case isDigit(c) && i < 6:
			n = n*10 + int(c-'0')
		case c == '\r' && i > 1:
			if i+1 == len(b) {
				return 0, nil, wait
			}
			if b[i+1] != '\n' {
				return 0, nil, no
			}
			return n, b[i+2:], enough
		default:
			return 0, nil, no
		}
	}
	return 0, nil, wait
}

func oracleDetector() detector {
	return streamOnly("Oracle", "database", "\x00\x01\x02", lookOracle)
}

// lookOracle reads the packet a client connects with (TNS): versions, where the
// connect string lies, and that it is one.
func lookOracle(x *sight) verdict {
	b := x.data
	if len(b) > 4 && b[4] != 1 {
		return no
	}
	if len(b) < 34 {
		return wait
	}
	size := be16(b)
	version, compatible := be16(b[8:]), be16(b[10:])
	if size < 34 || be16(b[2:]) != 0 || be16(b[6:]) != 0 || version < 300 || version > 330 || compatible > version || compatible < 200 {
		return no
	}
	n, at := be16(b[24:]), be16(b[26:])
	if n == 0 || at < 34 || at > 200 {
		return no
	}
	return done
}

func tdsDetector() detector {
	return streamOnly("MsSQL-TDS", "database", "\x12\x10\x04", lookTDS)
}

// lookTDS reads the header and the options of the packet before the login, or
// the login's own length (MS-TDS).
func lookTDS(x *sight) verdict {
	b := x.data
	if len(b) < 8 {
		return wait
	}
	size := be16(b[2:])
	if b[1] != 1 && (b[1] != 0 || b[0] != 0x10) || size < 12 || size > 32767 || b[7] != 0 || x.dir == Original && b[0] == 4 {
		return no
	}
	if b[0] == 0x10 {
		if len(b) < 20 {
			return wait
		}
		if n := low32(b[8:]); n < 94 || n > 1<<17 || b[15]&0xf0 != 0x70 && b[12] != 0x74 {
			return no
		}
		return done
	}
	options := b[8:]
	for n := 0; ; n++ {
		if len(options) == 0 {
			return wait
		}
		if options[0] == 0xff {
			if n == 0 {
				return no
			}
			return done
		}
		if len(options) < 5 {
			return wait
		}
		at, long := be16(options[1:]), be16(options[3:])
		if int(options[0]) > 8 || n == 0 && (options[0] != 0 || long != 6) || at+long > size-8 {
			return no
		}
		options = options[5:]
	}
}
