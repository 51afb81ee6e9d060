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

func ptpDetector() detector {
	d := datagramOnly("PTPv2", "system", "", lookPTP)
	d.starts = func(b byte) bool { return b&0x0f <= 3 || b&0x0f >= 8 && b&0x0f <= 13 }
	return d
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
