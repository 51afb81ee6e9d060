// SPDX-License-Identifier: MIT

package classifier

func dhcpDetector() detector {
	return datagramOnly("DHCP", "network", "\x01\x02", lookDHCP)
}

// lookDHCP reads the fixed fields, the mark of the options (RFC 2131) and the
// option that tells the kind of message.
func lookDHCP(x *sight) verdict {
	b := x.data
	if len(b) < 243 || b[1] == 0 || b[2] > 16 || b[3] > 16 || num32(b[236:]) != 0x63825363 {
		return no
	}
	for b = b[240:]; len(b) >= 2 && b[0] != 0xff; {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		if b[0] == 53 {
			if len(b) >= 3 && b[1] == 1 && b[2] >= 1 && b[2] <= 18 {
				x.dhcpHost(x.data[240:])
				return done
			}
			return no
		}
		if 2+int(b[1]) > len(b) {
			return no
		}
		b = b[2+int(b[1]):]
	}
	if x.port(67, 68) { // older: without a kind
		return done
	}
	return no
}

// dhcpHost makes the name that a client gives itself the detail (RFC 2132,
// 3.14).
func (x *sight) dhcpHost(b []byte) {
	for len(b) >= 2 && b[0] != 0xff {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		end := 2 + int(b[1])
		if end > len(b) {
			return
		}
		if name := b[2:end]; b[0] == 12 && len(name) > 0 && len(name) <= x.c.opts.MaxString && isPrintable(name) {
			host := lower(name)
			x.s.note("dhcp/host", host, 0)
			x.detail(host)
			return
		}
		b = b[end:]
	}
}

func dhcpv6Detector() detector {
	return datagramOnly("DHCPV6", "network", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d", lookDHCPv6)
}

// lookDHCPv6 reads the options (RFC 8415), which fill the message and name the
// client or the server, or carry a relayed message.
func lookDHCPv6(x *sight) verdict {
	b, named := x.data, false
	relayed := b[0] >= 12
	at := 4
	if relayed {
		at = 34
	}
	if len(b) < at+4 {
		return no
	}
	for b = b[at:]; len(b) > 0; {
		if len(b) < 4 || 4+be16(b[2:]) > len(b) {
			return no
		}
		code, size := be16(b), be16(b[2:])
		switch {
		case code == 0 || code > 150:
			return no
		case code <= 2: // an identifier: of a kind
			if size < 4 || b[4] != 0 || b[5] < 1 || b[5] > 4 {
				return no
			}
			named = true
		case code == 9 && relayed:
			if size < 4 || b[4] < 1 || b[4] > 13 {
				return no
			}
			named = true
		}
		b = b[4+size:]
	}
	if !named && !x.port(546, 547) {
		return no
	}
	return done
}
