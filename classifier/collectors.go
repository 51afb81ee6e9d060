// SPDX-License-Identifier: MIT

package classifier

func syslogDetector() detector {
	d := streamOnly("Syslog", "system", "<123456789", lookSyslogStream)
	d.datagram = func(x *sight) verdict {
		if isSyslog(x.data, x.port(514)) == enough {
			return done
		}
		return no
	}
	return d
}

// lookSyslogStream reads a message that ends in a line end or follows its
// length (RFC 6587).
func lookSyslogStream(x *sight) verdict {
	b := x.data
	for i := 0; b[0] != '<'; i++ {
		if i == 6 || !isDigit(b[0]) && (b[0] != ' ' || i == 0) {
			return no
		}
		if b[0] == ' ' && len(b) > 1 && b[1] != '<' {
			return no
		}
		if b = b[1:]; len(b) == 0 {
			return wait
		}
	}
	return isSyslog(b, x.port(514))
}

// isSyslog reads priority and time of a message (RFC 5424, RFC 3164). Without a
// time it is believed on the port of the protocol only.
func isSyslog(b []byte, expected bool) verdict {
	i, priority := 1, 0
	for i < len(b) && i < 5 && isDigit(b[i]) {
		priority = priority*10 + int(b[i]-'0')
		i++
	}
	switch {
	case b[0] != '<' || priority > 191:
		return no
	case i == len(b):
		return wait
	case i == 1 || b[i] != '>':
		return no
	}
	b = b[i+1:]
	if len(b) < 20 {
		if expected && len(b) > 0 && !isText(b) {
			return no
		}
		return wait
	}
	if !isText(b[:20]) {
		return no
	}
	if b[0] == '1' && b[1] == ' ' {
		if b[2] == '-' && b[3] == ' ' || isDigit(b[2]) && isDigit(b[5]) && b[6] == '-' && b[9] == '-' && b[12] == 'T' {
			return enough
		}
		return no
	}
	switch string(b[:4]) {
	case "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec ":
		if b[6] == ' ' && isDigit(b[5]) {
			return enough
		}
		return no
	}
	if expected {
		return enough
	}
	return no
}

func netflowDetector() detector {
	return datagramOnly("NetFlow", "network", "\x00", lookNetFlow)
}

// lookNetFlow reads the head of an export: versions 1, 5, 7 of fixed records,
// 9 (RFC 3954) and IPFIX (RFC 7011) of sets that fill the datagram.
func lookNetFlow(x *sight) verdict {
	b := x.data
	if len(b) < 20 {
		return no
	}
	var size, head, record int
	switch be16(b) {
	case 1:
		head, record = 16, 52
	case 5:
		head, record = 24, 48
	case 7:
		head, record = 24, 52
	case 9:
		size, head = len(b), 20
		if be16(b[2:]) == 0 || num32(b[8:]) < 1<<29 {
			return no
		}
	case 10:
		size, head = be16(b[2:]), 16
		if num32(b[4:]) < 1<<29 {
			return no
		}
	default:
		return no
	}
	if record != 0 {
		n := be16(b[2:])
		if n < 1 || n > 30 || len(b) != head+n*record || num32(b[8:]) < 1<<29 {
			return no
		}
		return done
	}
	if size != len(b) {
		return no
	}
	sets := 0
	for b = b[head:]; len(b) > 0; sets++ {
		if len(b) < 4 {
			if isZero(b) {
				break
			}
			return no
		}
		id, n := be16(b), be16(b[2:])
		if n < 4 || n > len(b) || id > 3 && id < 256 {
			return no
		}
		b = b[n:]
	}
	if sets == 0 {
		return no
	}
	return done
}

func sflowDetector() detector {
	return datagramOnly("sFlow", "network", "\x00", lookSFlow)
}

// lookSFlow reads an sFlow version 5 datagram: agent, counters, and samples
// that fill it.
func lookSFlow(x *sight) verdict {
	b := x.data
	if len(b) < 28 || num32(b) != 5 {
		return no
	}
	at := 8
	switch num32(b[4:]) {
	case 1:
		at += 4
	case 2:
		at += 16
	default:
		return no
	}
	if len(b) < at+16 {
		return no
	}
	n := num32(b[at+12:])
	b = b[at+16:]
	if n > 200 {
		return no
	}
	for range n {
		if len(b) < 8 || num32(b[4:]) > len(b)-8 {
			return no
		}
		b = b[8+num32(b[4:]):]
	}
	if len(b) > 0 {
		return no
	}
	return done
}

func collectdDetector() detector {
	return datagramOnly("collectd", "system", "\x00\x02", lookCollectd)
}

// lookCollectd reads the parts of a packet of collectd's binary protocol, which
// fill it; text parts end in a zero. Parts of unknown types are skipped, as
// every reader must, if they are few.
func lookCollectd(x *sight) verdict {
	b, parts, texts, unknown := x.data, 0, 0, 0
	var host []byte
	for ; len(b) > 0; parts++ {
		if len(b) < 5 {
			return no
		}
		kind, size := be16(b), be16(b[2:])
		if size < 5 || size > len(b) {
			return no
		}
		switch kind {
		case 0, 2, 3, 4, 5, 0x100: // host, plugin and type names, message
			if b[size-1] != 0 || !isText(b[4:size-1]) {
				return no
			}
			if kind == 0 && host == nil {
				host = b[4 : size-1]
			}
			texts++
		case 1, 7, 8, 9, 0x101: // times, severity
			if size != 12 {
				return no
			}
		case 6, 0x200, 0x210: // values, signature, encryption
			if kind == 6 && (size < 6 || size != 6+be16(b[4:])*9) {
				return no
			}
			if kind == 0x210 {
				return isSealedCollectd(b, size, x.port(25826))
			}
		default:
			unknown++
		}
		b = b[size:]
	}
	if parts < 2 || texts == 0 || unknown*8 > parts {
		return no
	}
	if len(host) > 0 && len(host) <= x.c.opts.MaxString && isPrintable(host) {
		name := lower(host)
		x.s.note("collectd/host", name, 0)
		x.detail(name)
	}
	return done
}

// isSealedCollectd reads the name of the user in an encrypted part.
func isSealedCollectd(b []byte, size int, expected bool) verdict {
	if size < 44 || !expected {
		return no
	}
	n := be16(b[4:])
	if n == 0 || 6+n+36 > size || !isWord(b[6:6+n]) {
		return no
	}
	return done
}

func zabbixDetector() detector {
	return streamOnly("Zabbix", "network", "Z", func(x *sight) verdict {
		b := x.data
		if v := opens(b, "ZBXD"); v != enough {
			return v
		}
		switch {
		case len(b) < 5:
			return wait
		case b[4] == 0 || b[4] > 7:
			return no
		}
		return done
	})
}
