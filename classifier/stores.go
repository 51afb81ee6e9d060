// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func cassandraDetector() detector {
	return streamOnly("Cassandra", "database", "\x03\x04\x05\x41\x42\x83\x84\x85\xc1\xc2", lookCassandra)
}

// lookCassandra reads the first frame of the native protocol, versions 3 to 5 and
// DataStax's two: a client asks for options or starts, a server answers that.
func lookCassandra(x *sight) verdict {
	b := x.data
	if len(b) < 9 {
		return wait
	}
	size := num32(b[5:])
	if b[1] > 0x1f || size > 1<<16 {
		return no
	}
	switch {
	case b[0] < 0x80 && b[4] == 5:
		if size != 0 {
			return no
		}
		if len(b) > 9 || x.port(9042) {
			return done
		}
		if len(x.peer()) >= 9 && x.peer()[0] == b[0]|0x80 {
			return done
		}
		return wait
	case b[0] < 0x80 && b[4] == 1:
		if len(b) < 24 {
			return wait
		}
		if hasText(b[9:min(len(b), 400)], "CQL_VERSION") {
			return done
		}
		if len(b) < min(9+size, 400) {
			return wait
		}
	case b[0] >= 0x80 && b[4] == 6:
		if len(b) < 13 {
			return wait
		}
		if n := be16(b[11:]); be16(b[9:]) >= 1 && be16(b[9:]) < 16 && n >= 3 && n < 32 && size > n {
			return done
		}
	}
	return no
}

func memcachedDetector() detector {
	d := streamOnly("Memcached", "database", "gsvVSaidrnt", lookMemcached)
	d.starts = nil
	d.datagram = func(x *sight) verdict { // eight bytes before the text
		if b := x.data; len(b) > 12 && be16(b[2:]) < be16(b[4:]) && be16(b[4:]) < 1000 && be16(b[6:]) == 0 && memcachedText(b[8:]) == enough {
			return done
		}
		return no
	}
	return d
}

// lookMemcached reads a command or an answer. A question for a key needs its
// answer beside it.
func lookMemcached(x *sight) verdict {
	if v := memcachedBinary(x.data); v != no {
		return v
	}
	v := memcachedText(x.data)
	if v != enough {
		return max(v, min(opens(x.data, "END\r\n"), memcachedAsked(x.peer())))
	}
	if x.data[0] == 'g' && opensAny(x.peer(), "END\r\n", "VALUE ") < found {
		return wait
	}
	return v
}

// memcachedAsked reports whether a client has asked for a key.
func memcachedAsked(b []byte) verdict {
	if opensAny(b, "get ", "gets ") >= found {
		return enough
	}
	return wait
}

// memcachedText reads a command or an answer of the text protocol that has a
// form no other protocol's has.
func memcachedText(b []byte) verdict {
	best := no
	switch b[0] {
	case 's':
		best = opensAny(b, "stats\r\n", "stats items\r\n", "stats slabs\r\n", "stats settings\r\n")
		if v := opens(b, "set "); v == wait || v == enough {
			best = max(best, memcachedSet(b[min(4, len(b)):]))
		}
	case 'g':
		best = opensAny(b, "get ", "gets ")
		if best == enough {
			line, _, ended := textLine(b)
			switch {
			case len(line) > 1024 || !isText(line) || hasText(line, " HTTP/"):
				return no
			case !ended:
				return wait
			}
		}
	case 'V':
		best = opens(b, "VALUE ")
		if best == enough {
			best = memcachedSet(b[6:])
		}
	case 'S':
		best = opensAny(b, "STAT pid ", "STAT active_slabs ", "STAT items:")
	case 'v':
		best = opens(b, "version\r\n")
	}
	return best
}

// memcachedSet reads a key and two or three numbers.
func memcachedSet(b []byte) verdict {
	line, _, ended := textLine(b)
	if !ended {
		if len(line) > 300 || !isText(line) {
			return no
		}
		return wait
	}
	key, numbers, ok := bytes.Cut(line, []byte(" "))
	if !ok || !isText(key) || len(key) > 250 || len(numbers) < 3 {
		return no
	}
	spaces := 0
	for i, c := range numbers {
		switch {
		case c == ' ':
			spaces++
		case !isDigit(c) && (c != '-' || i == 0):
			return no
		}
	}
	if spaces < 1 || spaces > 3 {
		return no
	}
	return enough
}
