// SPDX-License-Identifier: MIT

package classifier

import "hash/crc32"

// industrialDetectors lists the protocols of plants, meters, buildings, trains,
// cars and instruments.
func industrialDetectors() []detector {
	return []detector{
		s7Detector(), s7PlusDetector(), mmsDetector(), umasDetector(), modbusDetector(),
		dnp3Detector(), iec104Detector(), synchrophasorDetector(), bacnetDetector(),
		opcuaDetector(), ethernetIPDetector(), adsDetector(), knxDetector(), hartDetector(),
		dlmsDetector(), someipDetector(), trdpDetector(), canDetector(), hislipDetector(),
		rmcpDetector(), c1222Detector(), finsDetector(), cphaDetector(),
	}
}

func s7Detector() detector {
	return streamOnly("S7Comm", "industrial", "\x03", func(x *sight) verdict {
		return lookOverCOTP(x, func(b []byte) bool {
			return len(b) >= 10 && b[0] == 0x32 && b[1] >= 1 && b[1] <= 7 && be16(b[2:]) == 0
		})
	})
}

func s7PlusDetector() detector {
	return streamOnly("S7CommPlus", "industrial", "\x03", func(x *sight) verdict {
		return lookOverCOTP(x, func(b []byte) bool { return len(b) >= 8 && b[0] == 0x72 && b[1] >= 1 && b[1] <= 3 })
	})
}

func mmsDetector() detector {
	return streamOnly("ISO9506-1-MMS", "industrial", "\x03", func(x *sight) verdict {
		// A session is connected or accepted for the context of MMS, 1.0.9506.2.
		return lookOverCOTP(x, func(b []byte) bool {
			return len(b) >= 40 && (b[0] == 0x0d || b[0] == 0x0e) && hasText(b, "\x28\xca\x22\x02")
		})
	})
}

// lookOverCOTP walks over transport packets (RFC 1006) to the first one with
// data, which decides.
func lookOverCOTP(x *sight, is func([]byte) bool) verdict {
	b := x.data
	for range 4 {
		body, state := readCOTP(b)
		switch {
		case state == partial:
			return wait
		case state == malformed:
			return no
		case b[5] != 0xf0:
		case is(body):
			return done
		default:
			return no
		}
		if b = b[be16(b[2:]):]; len(b) == 0 {
			return wait
		}
	}
	return no
}

func modbusDetector() detector {
	return streamOnly("Modbus", "industrial", "", func(x *sight) verdict { return lookModbus(x, false) })
}

func umasDetector() detector {
	d := streamOnly("Modbus", "industrial", "", func(x *sight) verdict { return lookModbus(x, true) })
	d.upper = "UMAS"
	return d
}

// lookModbus reads a message of Modbus over TCP: protocol 0, a length that
// agrees with the function and with what is there. Function 90 is Schneider's
// UMAS.
func lookModbus(x *sight, umas bool) verdict {
	b := x.data
	if len(b) > 2 && b[2] != 0 || len(b) > 3 && b[3] != 0 || len(b) > 4 && b[4] != 0 {
		return no
	}
	if len(b) < 8 {
		return wait
	}
	size, function := be16(b[4:]), b[7]
	if size < 2 || size > 254 || (function&0x7f == 90) != umas {
		return no
	}
	if len(b) < 6+size {
		return wait
	}
	if len(b) > 6+size && len(b) >= 6+size+5 && be16(b[6+size+2:]) != 0 {
		return no
	}
	data := b[8 : 6+size]
	asks := x.dir == Original
	ok := modbusFits(function, data, asks)
	if !ok && x.port(502) { // the opening packet may have been lost
		asks = !asks
		ok = modbusFits(function, data, asks)
	}
	if !ok || umas && len(b) != 6+size {
		return no
	}
	if umas && asks && !x.port(502) {
		return wait
	}
	return done
}

// modbusFits reports whether the data belongs to the function, of a question or
// of an answer.
func modbusFits(function byte, data []byte, asks bool) bool {
	counted := len(data) >= 1 && int(data[0]) == len(data)-1
	switch function {
	case 1, 2, 3, 4:
		count := 0
		if len(data) == 4 {
			count = be16(data[2:])
		}
		return asks && count >= 1 && count <= 2000 || !asks && counted
	case 5:
		return len(data) == 4 && (be16(data[2:]) == 0 || be16(data[2:]) == 0xff00)
	case 6:
		return len(data) == 4
	case 15, 16:
		return asks && len(data) >= 6 && int(data[4]) == len(data)-5 || !asks && len(data) == 4
	case 23:
		return asks && len(data) >= 10 && int(data[8]) == len(data)-9 || !asks && counted
	case 43:
		return len(data) >= 3 && (data[0] == 14 || data[0] == 13)
	case 90:
		return len(data) >= 2 && (asks || data[1] >= 0xfd)
	}
	return function >= 0x81 && function <= 0x98 && !asks && len(data) == 1 && data[0] >= 1 && data[0] <= 11
}

func opcuaDetector() detector {
	return streamOnly("OPC-UA", "industrial", "HAOE", lookOPCUA)
}

// lookOPCUA reads the first message of a connection (OPC 10000-6, 7.1): kind,
// size and, in hello and acknowledge, version and buffers.
func lookOPCUA(x *sight) verdict {
	b := x.data
	if v := opensAny(b, "HELF", "ACKF", "OPNF", "ERRF"); v != enough {
		return v
	}
	if len(b) < 16 {
		return wait
	}
	if size := low32(b[4:]); size < 16 || size > 1<<20 || low32(b[8:]) > 16 && b[0] != 'O' && b[0] != 'E' {
		return no
	}
	return done
}

func ethernetIPDetector() detector {
	d := streamOnly("EthernetIP", "industrial", "\x01\x04\x63\x64\x65\x66\x6f\x70", func(x *sight) verdict {
		if len(x.data) < 24 {
			if len(x.data) > 1 && x.data[1] != 0 {
				return no
			}
			return wait
		}
		if isEtherNetIP(x.data) {
			return done
		}
		return no
	})
	d.datagram = func(x *sight) verdict {
		if len(x.data) >= 24 && le16(x.data[2:])+24 == len(x.data) && isEtherNetIP(x.data) {
			return done
		}
		return no
	}
	return d
}

// isEtherNetIP reads an encapsulation header of EtherNet/IP (CIP, volume 2).
func isEtherNetIP(b []byte) bool {
	size := le16(b[2:])
	if b[1] != 0 || low32(b[8:]) > 0x69 || low32(b[20:]) != 0 {
		return false
	}
	switch b[0] {
	case 0x04, 0x63, 0x64: // lists: the question has no body
		return size == 0 && low32(b[4:]) == 0 || size >= 2 && size < 1500
	case 0x65: // register: version 1, no options
		return size == 4 && (len(b) < 28 || le16(b[24:]) == 1 && le16(b[26:]) == 0)
	case 0x66:
		return size == 0 && low32(b[4:]) != 0
	case 0x6f, 0x70: // data: interface 0
		return size >= 16 && low32(b[4:]) != 0 && len(b) >= 32 && low32(b[24:]) == 0 && le16(b[30:]) <= 8
	}
	return false
}

func adsDetector() detector {
	return streamOnly("BeckhoffADS", "industrial", "\x00", lookADS)
}

// lookADS reads the headers of AMS over TCP: two lengths that agree, a command,
// whether it is asked or answered.
func lookADS(x *sight) verdict {
	b := x.data
	if len(b) > 1 && b[1] != 0 {
		return no
	}
	if len(b) < 38 {
		return wait
	}
	size, command, state := low32(b[2:]), le16(b[22:]), le16(b[24:])
	if size < 32 || size > 1<<22 || command < 1 || command > 9 || state&^0x0041 != 4 || low32(b[26:]) != size-32 {
		return no
	}
	return done
}

func hislipDetector() detector {
	return streamOnly("HiSLIP", "industrial", "H", lookHiSLIP)
}

// lookHiSLIP reads a message header (IVI-6.1); a connection begins with an
// initialisation or its answer.
func lookHiSLIP(x *sight) verdict {
	b := x.data
	if v := opens(b, "HS"); v != enough {
		return v
	}
	if len(b) < 16 {
		return wait
	}
	if b[2] > 26 || b[3] > 3 || num32(b[8:]) != 0 || num32(b[12:]) > 1<<24 {
		return no
	}
	return done
}

func trdpDetector() detector {
	d := datagramOnly("TRDP", "industrial", "", func(x *sight) verdict {
		if len(x.data) >= 40 && isTRDP(x.data) {
			return done
		}
		return no
	})
	d.stream = func(x *sight) verdict {
		b := x.data
		if len(b) < 116 {
			if len(b) > 4 && b[4] != 1 || len(b) > 5 && b[5] != 0 || len(b) > 6 && b[6] != 'M' {
				return no
			}
			return wait
		}
		if isTRDP(b) {
			return done
		}
		return no
	}
	return d
}

// isTRDP reads the header of process data or of a message of the train's
// network (IEC 61375-2-3, annex A): version, kind, and the checksum of it.
func isTRDP(b []byte) bool {
	if b[4] != 1 {
		return false
	}
	head := 40
	switch string(b[6:8]) {
	case "Pd", "Pp", "Pr", "Pe":
	case "Mn", "Mr", "Mp", "Mq", "Mc", "Me":
		head = 116
	default:
		return false
	}
	if len(b) < head {
		return false
	}
	sum := int(crc32.ChecksumIEEE(b[:head-4]))
	return low32(b[head-4:]) == sum || num32(b[head-4:]) == sum
}
