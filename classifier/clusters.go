// SPDX-License-Identifier: MIT

package classifier

import "bytes"

func raftDetector() detector {
	return streamOnly("Raft", "network", "\x01", lookRaft)
}

// lookRaft reads what a server of the C implementation introduces itself with:
// version, identity and the length of its address in words, and the address.
func lookRaft(x *sight) verdict {
	b := x.data
	if len(b) < 32 {
		if v := opens(b, "\x01\x00\x00\x00\x00\x00\x00\x00"); v != enough {
			return v
		}
		return wait
	}
	n := low32(b[16:])
	if low32(b) != 1 || low32(b[4:]) != 0 || low32(b[20:]) != 0 || n < 8 || n > 256 || n%8 != 0 {
		return no
	}
	if len(b) < 24+n {
		return wait
	}
	address, tail, _ := bytes.Cut(b[24:24+n], []byte{0})
	if len(address) < 3 || !isPrintable(address) || !isZero(tail) || bytes.IndexByte(address, ':') < 0 {
		return no
	}
	return done
}

func z3950Detector() detector {
	return streamOnly("Z3950", "network", "\xb4\xb5", lookZ3950)
}

// lookZ3950 reads the first elements of an initialise request or answer (ISO
// 23950): version and options, bit strings, and perhaps a reference before.
func lookZ3950(x *sight) verdict {
	b := x.data
	e, state := readBER(b)
	switch {
	case state == partial:
		return wait
	case state == malformed || e.size < 12 || e.size > 1<<16:
		return no
	case len(b) < min(e.total(), 40):
		return wait
	}
	r := berReader{b, true}
	r.enter(b[0])
	if r.tag() == 0x82 {
		r.take(0x82)
	}
	version, options := r.take(0x83), r.take(0x84)
	if !r.ok || len(version) != 2 || version[0] > 7 || len(options) < 2 || len(options) > 5 || options[0] > 7 || r.tag() != 0x85 {
		return no
	}
	return done
}

func lustreDetector() detector {
	return streamOnly("Lustre", "file", "\x00\x63\xc1", func(x *sight) verdict {
		b := x.data
		if b[0] == 0xc1 { // a message between processes of number 12345
			switch v := opens(b, "\xc1\x00\x00\x00"); {
			case v < found:
				return v
			case len(b) < 56:
				return wait
			case low32(b[40:]) != 12345 || low32(b[44:]) != 12345 || low32(b[48:]) > 5:
				return no
			}
			return done
		}
		if v := opensAny(b, "\x00\x71\xce\xac", "cirE"); v != enough {
			return v
		}
		if len(b) < 8 {
			return wait
		}
		if v := low32(b[4:]); v < 1 || v > 4 {
			return no
		}
		return done
	})
}
