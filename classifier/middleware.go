// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// middlewareDetectors lists protocols between programs: queues, storage,
// sources of programs, clocks, hospitals.
func middlewareDetectors() []detector {
	return []detector{
		zeromqDetector(), openwireDetector(), haproxyDetector(), gitDetector(), svnDetector(),
		drdaDetector(), rtpsDetector(), ptpDetector(), iscsiDetector(), cephDetector(), afpDetector(),
		dicomDetector(), hl7Detector(), doipDetector(), rshDetector(),
		nomachineDetector(), muninDetector(),
	}
}

func zeromqDetector() detector {
	return streamOnly("ZeroMQ", "rpc", "\xff", lookZeroMQ)
}

// lookZeroMQ reads the signature and the version of a greeting (ZMTP 2 and 3).
func lookZeroMQ(x *sight) verdict {
	b := x.data
	for i, c := range b[:min(len(b), 11)] {
		switch {
		case i == 0 && c != 0xff, i > 0 && i < 8 && c != 0, i == 9 && c != 0x7f, i == 10 && (c < 1 || c > 3):
			return no
		}
	}
	if len(b) < 12 {
		return wait
	}
	return done
}

func openwireDetector() detector {
	return streamOnly("OpenWire", "rpc", "\x00", func(x *sight) verdict {
		b := x.data
		if b[0] != 0 || len(b) > 4 && b[4] != 1 {
			return no
		}
		if v := opens(b[min(len(b), 5):], "ActiveMQ"); v < found {
			return v
		}
		return done
	})
}

func haproxyDetector() detector {
	return streamOnly("HAProxy", "web", "P\r", func(x *sight) verdict {
		// Either version of the header that tells who a proxy speaks for.
		return certain(opensAny(x.data, "PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN", "\r\n\r\n\x00\r\nQUIT\n"))
	})
}

func gitDetector() detector {
	return streamOnly("Git", "development", "0", lookGit)
}

// lookGit reads the line that asks for a service: its length in hexadecimal
// digits, the service, a path.
func lookGit(x *sight) verdict {
	b := x.data
	for _, c := range b[:min(len(b), 4)] {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return no
		}
	}
	return opensAny(b[min(len(b), 4):], "git-upload-pack /", "git-receive-pack /", "git-upload-archive /")
}

func svnDetector() detector {
	return streamOnly("SVN", "development", "(", func(x *sight) verdict {
		return opensAny(x.data, "( success ( 1 2 ( ", "( success ( 2 2 ( ", "( 2 ( edit-pipeline ")
	})
}

func drdaDetector() detector {
	return streamOnly("DRDA", "database", "\x00", lookDRDA)
}

// lookDRDA reads the header of the first request or answer: two lengths that
// agree, and the exchange of attributes or of security.
func lookDRDA(x *sight) verdict {
	b := x.data
	if len(b) > 2 && b[2] != 0xd0 {
		return no
	}
	if len(b) < 10 {
		return wait
	}
	if be16(b[6:]) != be16(b)-6 || be16(b) < 10 {
		return no
	}
	switch be16(b[8:]) {
	case 0x1041, 0x1443, 0x106d, 0x14ac:
		return done
	}
	return no
}

func rtpsDetector() detector {
	return datagramOnly("RTPS", "rpc", "R", func(x *sight) verdict {
		b := x.data // header of twenty bytes, then parts
		if len(b) < 24 || opens(b, "RTPS") < found || b[4] < 1 || b[4] > 2 || b[5] > 9 {
			return no
		}
		return done
	})
}

func ptpDetector() detector {
	return datagramOnly("PTPv2", "system", "", lookPTP)
}

// lookPTP reads the common header of version 2 (IEEE 1588): kind, length,
// reserved bytes, and control, which follows from the kind.
func lookPTP(x *sight) verdict {
	b := x.data
	if len(b) < 34 || b[1]&0x0f != 2 || be16(b[2:]) != len(b) || !isZero(b[16:20]) {
		return no
	}
	control := byte(5)
	size := 44
	switch b[0] & 0x0f {
	case 0:
		control = 0
	case 1:
		control = 1
	case 2, 3, 10:
		size = 54
	case 8:
		control = 2
	case 9:
		control, size = 3, 54
	case 11:
		size = 64
	case 12, 13:
		size = 44
	default:
		return no
	}
	if b[0]&0x0f == 13 {
		control = 4
	}
	if len(b) < size || b[32] != control && b[32] != 0 {
		return no
	}
	return done
}

func iscsiDetector() detector {
	return streamOnly("iSCSI", "storage", "\x43\x03", lookISCSI)
}

// lookISCSI reads a login request (RFC 7143): immediate, of version 0, and with
// the name of who logs in.
func lookISCSI(x *sight) verdict {
	b := x.data
	if b[0] != 0x43 || len(b) > 2 && b[2] != 0 || len(b) > 3 && b[3] != 0 || len(b) > 4 && b[4] != 0 {
		return no
	}
	if len(b) < 48 {
		return wait
	}
	size := num32(b[4:])
	text := b[48:min(len(b), 48+size)]
	switch {
	case size < 16 || size > 8192:
		return no
	case hasText(text, "InitiatorName=iqn.") || hasText(text, "InitiatorName=eui.") || hasText(text, "SessionType="):
		return done
	case len(text) < size:
		return wait
	}
	return no
}

func cephDetector() detector {
	return streamOnly("Ceph", "storage", "c", func(x *sight) verdict {
		return certain(opensAny(x.data, "ceph v0", "ceph v2\n"))
	})
}

func afpDetector() detector {
	return streamOnly("AFP", "file", "\x00", lookAFP)
}

// lookAFP reads the header of a request to open a session (DSI): command,
// lengths and the one option there is.
func lookAFP(x *sight) verdict {
	b := x.data
	if v := opens(b, "\x00\x04"); v < found {
		return v
	}
	if len(b) < 18 {
		return wait
	}
	if num32(b[4:]) != 0 || num32(b[8:]) != 6 && num32(b[8:]) != 12 || num32(b[12:]) != 0 || b[16] > 1 || b[17] != 4 {
		return no
	}
	return done
}

func dicomDetector() detector {
	return streamOnly("DICOM", "work", "\x01\x02", lookDICOM)
}

// lookDICOM reads a request for an association (PS3.8): lengths, version, and
// the names of both ends, filled up with spaces.
func lookDICOM(x *sight) verdict {
	b := x.data
	if len(b) > 1 && b[1] != 0 {
		return no
	}
	if len(b) < 42 {
		return wait
	}
	if size := num32(b[2:]); size < 68 || size > 1<<20 || be16(b[6:]) != 1 || be16(b[8:]) != 0 || !isPrintable(b[10:42]) {
		return no
	}
	return done
}

func hl7Detector() detector {
	return streamOnly("HL7", "work", "\x0b", func(x *sight) verdict {
		return certain(opens(x.data, "\x0bMSH|^~\\&"))
	})
}

func doipDetector() detector {
	d := datagramOnly("DoIP", "industrial", "", func(x *sight) verdict {
		if b := x.data; len(b) >= 8 && num32(b[4:]) == len(b)-8 && isDoIP(b) {
			return done
		}
		return no
	})
	d.stream = func(x *sight) verdict {
		b := x.data
		if len(b) > 1 && b[0]^b[1] != 0xff {
			return no
		}
		if len(b) < 8 {
			return wait
		}
		if isDoIP(b) && num32(b[4:]) < 1<<16 {
			return done
		}
		return no
	}
	return d
}

// isDoIP reads a header of diagnostics of vehicles (ISO 13400-2): version, its
// inverse, kind and the length that kind has.
func isDoIP(b []byte) bool {
	if b[0]^b[1] != 0xff || b[0] < 1 || b[0] > 4 && b[0] != 0xff {
		return false
	}
	size := num32(b[4:])
	switch be16(b[2:]) {
	case 1, 7, 0x4001, 0x4003:
		return size == 0
	case 0:
		return size == 1
	case 2:
		return size == 6
	case 3:
		return size == 17
	case 4:
		return size == 32 || size == 33
	case 5:
		return size == 7 || size == 11
	case 6:
		return size == 9 || size == 13
	case 0x8001, 0x8002, 0x8003:
		return size >= 5 && size < 1<<16
	}
	return false
}

func rshDetector() detector {
	return streamOnly("RSH", "remote", "0123456789", lookRSH)
}

// lookRSH reads what a client opens with: a port, its user, the server's user, a
// command, each with a zero behind.
func lookRSH(x *sight) verdict {
	b := x.data
	for part := range 4 {
		text, rest, ok := bytes.Cut(b, []byte{0})
		switch {
		case part == 0 && (len(text) > 5 || !isDigits(text)):
			return no
		case (part == 1 || part == 2) && (len(text) > 32 || ok && len(text) == 0 || len(text) > 0 && !isWord(text)):
			return no
		case part == 3 && (len(text) > 1024 || ok && len(text) == 0 || !isText(text)):
			return no
		case !ok:
			return wait
		}
		b = rest
	}
	return done
}

// isDigits reports whether b is nothing but digits.
func isDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

func nomachineDetector() detector {
	return streamOnly("NoMachine", "remote", "N", func(x *sight) verdict {
		return certain(opensAny(x.data, "NXSH-", "NXD-"))
	})
}

func muninDetector() detector {
	return streamOnly("Munin", "system", "#", func(x *sight) verdict {
		return certain(opens(x.data, "# munin node at "))
	})
}
