// SPDX-License-Identifier: MIT

package classifier

func snmpDetector() detector {
	d := datagramOnly("SNMP", "network", "\x30", func(x *sight) verdict {
		e, state := readBER(x.data)
		if state != whole || e.total() != len(x.data) {
			return no
		}
		return lookSNMP(x.data)
	})
	d.stream = lookSNMPStream
	return d
}

// lookSNMPStream waits for the first message of a stream (RFC 3430).
func lookSNMPStream(x *sight) verdict {
	const longest = 8 << 10
	b := x.data
	e, state := readBER(b)
	if state == partial {
		return wait
	}
	if state == malformed || e.total() > longest {
		return no
	}
	for i, c := range b[e.head:min(len(b), e.head+3)] { // the version, a number of one byte
		if i == 2 && c > 3 || i < 2 && c != "\x02\x01"[i] {
			return no
		}
	}
	if len(b) < e.total() {
		return wait
	}
	return lookSNMP(b[:e.total()])
}

// lookSNMP reads the head of a message of version 1 (RFC 1157), 2c (RFC 1901)
// or 3 (RFC 3412), which is whole.
func lookSNMP(b []byte) verdict {
	r := berReader{b, true}
	r.enter(0x30)
	switch r.integer() {
	case 0, 1:
		community := r.take(4)
		if tag := r.tag(); !isPrintable(community) || tag < 0xa0 || tag > 0xa8 {
			return no
		}
		trap := r.tag() == 0xa4
		r.enter(r.tag())
		if trap {
			r.take(6)
		} else {
			r.integer()
		}
	case 3:
		r.enter(0x30)
		r.integer()
		r.integer()
		if flags := r.take(4); len(flags) != 1 || flags[0] > 7 {
			return no
		}
		r.integer()
	default:
		return no
	}
	if !r.ok {
		return no
	}
	return done
}

func ldapDetector() detector {
	d := streamOnly("LDAP", "system", "\x30", lookLDAP)
	d.datagram = lookCLDAP
	return d
}

// lookLDAP reads the start of the first message (RFC 4511): a bind, a search or
// an extended operation.
func lookLDAP(x *sight) verdict {
	e, state := readBER(x.data)
	switch {
	case state == partial:
		return wait
	case state == malformed || e.size > 1<<20:
		return no
	case len(x.data) < min(e.total(), 64):
		return wait
	}
	if isLDAP(x.data) {
		return done
	}
	return no
}

// lookCLDAP is lookLDAP for a message in one datagram (RFC 1798).
func lookCLDAP(x *sight) verdict {
	if e, state := readBER(x.data); state == whole && e.total() <= len(x.data) && isLDAP(x.data) {
		return done
	}
	return no
}

// isLDAP reads the head of the operation in the message b begins with.
func isLDAP(b []byte) bool {
	r := berReader{b, true}
	r.enter(0x30)
	id, tag := r.integer(), r.tag()
	if id < 0 {
		return false
	}
	r.enter(tag)
	switch tag {
	case 0x60: // bind request: version, name, way to prove it
		version := r.integer()
		return r.ok && version >= 2 && version <= 3 && r.tag() == 4
	case 0x61, 0x65, 0x78: // a result: code, name, message
		code := r.take(10)
		name := r.take(4)
		return r.ok && len(code) == 1 && code[0] < 123 && isText(name) && (r.tag() == 4 || r.tag() == 0)
	case 0x63: // search: base, scope, aliases
		base, scope, aliases := r.take(4), r.take(10), r.take(10)
		return r.ok && isText(base) && len(scope) == 1 && scope[0] <= 3 && len(aliases) == 1 && aliases[0] <= 3
	case 0x64: // an entry: name, attributes
		name := r.take(4)
		return r.ok && isText(name) && r.tag() == 0x30
	case 0x77: // extended: the operation's number in text
		name := r.take(0x80)
		return r.ok && len(name) > 4 && isWord(name) && isDigit(name[0])
	}
	return false
}

// isText reports whether b has no control characters; it may be empty, and in
// UTF-8.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func kerberosDetector() detector {
	d := streamOnly("Kerberos", "network", "\x00\x6a\x6b\x6c\x6d\x6e\x6f\x74\x75\x76\x7e", lookKerberosStream)
	d.datagram = func(x *sight) verdict {
		if e, state := readBER(x.data); state == whole && e.total() == len(x.data) && isKerberos(x.data) {
			return done
		}
		return no
	}
	return d
}

// lookKerberosStream reads a message behind its length (RFC 4120, 7.2.2).
func lookKerberosStream(x *sight) verdict {
	b := x.data
	if b[0] != 0 {
		return no
	}
	if len(b) < 4+16 {
		return wait
	}
	size := num32(b)
	e, state := readBER(b[4:])
	if state != whole || e.total() != size || !isKerberos(b[4:]) {
		return no
	}
	return done
}

// isKerberos reads tag and version of a message: a request or an answer for a
// ticket, its use, or an error (RFC 4120, 5.10).
func isKerberos(b []byte) bool {
	r := berReader{b, true}
	tag := r.tag()
	switch tag {
	case 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x74, 0x75, 0x76, 0x7e:
	default:
		return false
	}
	r.enter(tag)
	r.enter(0x30)
	if r.tag() == 0xa0 {
		r.enter(0xa0)
	} else {
		r.enter(0xa1)
	}
	return r.integer() == 5 && r.ok
}
