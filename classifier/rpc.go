// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

func nfsDetector() detector {
	d := streamOnly("NFS", "file", "\x80", func(x *sight) verdict {
		b := x.data
		if b[0] != 0x80 {
			return no
		}
		if len(b) < 4+40 {
			return wait
		}
		if size := num32(b) & 0x7fffffff; size < 40 || size > 1<<22 || !isNFS(b[4:]) {
			return no
		}
		return done
	})
	d.starts = nil
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 40 && isNFS(x.data) {
			return done
		}
		return no
	}
	return d
}

// isNFS reads the call of a remote procedure (RFC 5531) of the programs that
// make up the network file system: portmap, the files, mount, locks, state.
func isNFS(b []byte) bool {
	if num32(b[4:]) != 0 || num32(b[8:]) != 2 {
		return false
	}
	switch num32(b[12:]) {
	case 100000, 100003, 100005, 100021, 100024, 100227, 100011:
	default:
		return false
	}
	flavour, size := num32(b[24:]), num32(b[28:])
	return num32(b[16:]) <= 4 && num32(b[20:]) < 64 && (flavour <= 6 || flavour >= 390003 && flavour <= 390005) && size <= 400
}

func dcerpcDetector() detector {
	d := streamOnly("DCERPC", "rpc", "\x05", lookDCERPC)
	d.datagram = func(x *sight) verdict {
		if isDCERPCDatagram(x.data) {
			return done
		}
		return no
	}
	d.starts = oneOf("\x04\x05")
	return d
}

// lookDCERPC reads the header of a connection's first packet (C706, 12.6): it
// binds, or is an answer to that.
func lookDCERPC(x *sight) verdict {
	b := x.data
	if len(b) < 16 {
		return wait
	}
	if b[0] != 5 || b[1] > 1 || b[2] < 11 || b[2] > 16 || b[4]&^0x10 != 0 || b[5] > 3 || b[6] != 0 || b[7] != 0 {
		return no
	}
	size, auth := be16(b[8:]), be16(b[10:])
	if b[4] != 0 {
		size, auth = le16(b[8:]), le16(b[10:])
	}
	if size < 24 || auth > size-16 || size > 16<<10 {
		return no
	}
	return done
}

// isDCERPCDatagram reads the header of a packet without connection (C706,
// 12.5): its length agrees with the datagram's.
func isDCERPCDatagram(b []byte) bool {
	if len(b) < 80 || b[0] != 4 || b[1] > 10 || b[4]&^0x10 != 0 || b[5] > 3 || b[6] != 0 {
		return false
	}
	size, version := be16(b[74:]), num32(b[60:])
	if b[4] != 0 {
		size, version = le16(b[74:]), low32(b[60:])
	}
	return size == len(b)-80 && version>>16 < 16
}

func profinetDetector() detector {
	d := datagramOnly("DCERPC", "industrial", "\x04", func(x *sight) verdict {
		if isDCERPCDatagram(x.data) && isProfinet(x.data[24:40], x.data[4] != 0) {
			return done
		}
		return no
	})
	d.upper = "PROFINET_IO"
	return d
}

// isProfinet reports whether an interface is one of PROFINET's, of device,
// controller, supervisor or parameter server (IEC 61158-6-10).
func isProfinet(b []byte, little bool) bool {
	a := binary.BigEndian.Uint32(b)
	m, h := be16(b[4:]), be16(b[6:])
	if little {
		a, m, h = binary.LittleEndian.Uint32(b), le16(b[4:]), le16(b[6:])
	}
	return a >= 0xdea00001 && a <= 0xdea00004 && m == 0x6c97 && h == 0x11d1 && string(b[8:]) == "\x82\x71\x00\xa0\x24\x42\xdf\x7d"
}

func corbaDetector() detector {
	d := streamOnly("Corba", "rpc", "G", func(x *sight) verdict {
		b := x.data
		if v := opens(b, "GIOP\x01"); v != enough {
			return v
		}
		if len(b) < 8 {
			return wait
		}
		if b[5] > 3 || b[7] > 7 {
			return no
		}
		return done
	})
	d.starts = oneOf("GM")
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 16 && (opens(x.data, "MIOP") == enough || opens(x.data, "GIOP\x01") == enough) {
			return done
		}
		return no
	}
	return d
}

func jrmiDetector() detector {
	return streamOnly("JRMI", "rpc", "J", func(x *sight) verdict {
		b := x.data
		if v := opens(b, "JRMI\x00"); v != enough {
			return v
		}
		if len(b) < 7 {
			return wait
		}
		if b[5] < 1 || b[5] > 2 || b[6] < 0x4b || b[6] > 0x4d {
			return no
		}
		return done
	})
}

func thriftDetector() detector {
	d := streamOnly("Thrift", "rpc", "\x00\x80\x82", lookThrift)
	d.datagram = func(x *sight) verdict {
		if v := isThrift(x.data); v == enough {
			return done
		}
		return no
	}
	return d
}

// lookThrift reads a message with or without a frame's length before it.
func lookThrift(x *sight) verdict {
	b := x.data
	if b[0] != 0 {
		return isThrift(b)
	}
	if len(b) < 5 {
		return wait
	}
	if b[4] != 0x80 && b[4] != 0x82 || num32(b) < 8 || num32(b) > 1<<24 {
		return no
	}
	return isThrift(b[4:])
}

// isThrift reads kind and name of a message in the binary or the compact
// protocol of Apache Thrift.
func isThrift(b []byte) verdict {
	if b[0] == 0x80 {
		if v := opens(b, "\x80\x01\x00"); v != enough {
			return v
		}
		if len(b) < 8 {
			return wait
		}
		n := num32(b[4:])
		if b[3] < 1 || b[3] > 4 || n < 1 || n > 128 {
			return no
		}
		return thriftName(b[8:], n, 4)
	}
	if b[0] != 0x82 {
		return no
	}
	if len(b) < 4 {
		return wait
	}
	kind := b[1] >> 5
	if b[1]&0x1f != 1 || kind < 1 || kind > 4 {
		return no
	}
	at := 2
	for i := 0; b[at]&0x80 != 0; i++ { // sequence number
		if at++; i == 4 {
			return no
		}
		if at == len(b) {
			return wait
		}
	}
	if at++; at >= len(b) {
		return wait
	}
	n := int(b[at])
	if n < 2 || n > 127 {
		return no
	}
	return thriftName(b[at+1:], n, 1)
}

// thriftName reads a method's name of n bytes, and needs tail bytes behind it.
func thriftName(b []byte, n, tail int) verdict {
	if name := b[:min(len(b), n)]; len(name) > 0 && !isWord(name) {
		return no
	}
	if len(b) < n+tail {
		return wait
	}
	return enough
}

func ajpDetector() detector {
	return streamOnly("AJP", "web", "\x12A", lookAJP)
}

// lookAJP reads a packet of version 1.3 of the Apache JServ protocol: a request
// or a ping from the web server, an answer from the container.
func lookAJP(x *sight) verdict {
	b := x.data
	asks := b[0] == 0x12
	mark := "AB"
	if asks {
		mark = "\x12\x34"
	}
	if v := opens(b, mark); v != enough {
		return v
	}
	if len(b) < 7 {
		return wait
	}
	size, code := be16(b[2:]), b[4]
	switch {
	case size < 1 || size > 8192:
		return no
	case code == 10 && asks || code == 9 && !asks:
		if size > 2 {
			return no
		}
	case code == 2 && asks: // method, protocol
		if b[5] < 1 || b[5] > 27 && b[5] != 0xff || b[6] != 0 || size < 16 {
			return no
		}
	case code == 4 && !asks: // status
		if status := be16(b[5:]); status < 100 || status > 599 {
			return no
		}
	default:
		return no
	}
	return done
}

func fastcgiDetector() detector {
	return streamOnly("FastCGI", "network", "\x01", lookFastCGI)
}

// lookFastCGI reads the record a request begins with: a role and five reserved
// bytes.
func lookFastCGI(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x01\x01"); v != enough {
		return v
	}
	if len(b) < 16 {
		return wait
	}
	if be16(b[2:]) == 0 || be16(b[4:]) != 8 || b[6] > 7 || b[8] != 0 || b[9] < 1 || b[9] > 3 || b[10] > 1 || !isZero(b[11:16]) {
		return no
	}
	return done
}
