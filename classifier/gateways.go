// SPDX-License-Identifier: MIT

package classifier

// gatewayDetectors lists protocols of controllers and of cells over datagrams,
// and of a server of jobs.
func gatewayDetectors() []detector {
	return []detector{
		cipDetector(), egdDetector(), sbusDetector(), glbpDetector(), rxDetector(), gearmanDetector(),
	}
}

func cipDetector() detector {
	return datagramOnly("CIP", "industrial", "\x02", func(x *sight) verdict {
		// Cyclic data: two items, where it belongs and the data, which ends the
		// datagram (CIP, volume 2).
		b := x.data
		if len(b) < 18 || opens(b, "\x02\x00\x02\x80\x08\x00") < found || le16(b[14:]) != 0xb1 || le16(b[16:]) != len(b)-18 {
			return no
		}
		return done
	})
}

func egdDetector() detector {
	return datagramOnly("EthernetGlobalData", "industrial", "\x0d", func(x *sight) verdict {
		// A header of 32 bytes of which four are reserved; too little is fixed
		// in it for another port.
		b := x.data
		if len(b) < 32 || b[1] != 1 || !x.port(18246) || !isZero(b[28:32]) {
			return no
		}
		return done
	})
}

func sbusDetector() detector {
	return datagramOnly("EtherSBus", "industrial", "\x00", lookSBus)
}

// lookSBus reads a telegram of Saia's bus in a datagram: its length, and its
// checksum (polynomial 0x1021, from zero).
func lookSBus(x *sight) verdict {
	b := x.data
	if len(b) < 11 || num32(b) != len(b) || b[4] > 1 || b[5] != 0 || b[8] > 2 {
		return no
	}
	sum := uint16(0)
	for _, c := range b[:len(b)-2] {
		sum ^= uint16(c) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	if be16(b[len(b)-2:]) != int(sum) {
		return no
	}
	return done
}

func glbpDetector() detector {
	return datagramOnly("GLBP", "network", "\x01", lookGLBP)
}

// lookGLBP reads the parts behind the header of gateway load balancing, which
// fill the datagram.
func lookGLBP(x *sight) verdict {
	b := x.data
	if len(b) < 16 || !x.port(3222) || be16(b[2:]) > 1023 {
		return no
	}
	for b = b[12:]; len(b) > 0; {
		if len(b) < 2 || b[0] < 1 || b[0] > 4 || b[1] < 2 || int(b[1]) > len(b) {
			return no
		}
		b = b[b[1]:]
	}
	return done
}

func rxDetector() detector {
	return datagramOnly("RX", "rpc", "", lookRX)
}

// lookRX reads a header of the calls that the Andrew file system is made of:
// kind, security, service; on the ports of its servers.
func lookRX(x *sight) verdict {
	b := x.data
	if len(b) < 28 || b[20] < 1 || b[20] > 13 || b[20] > 9 && b[20] != 13 || b[21]&^0x3f != 0 || b[23] > 5 {
		return no
	}
	if !x.port(7000, 7001, 7002, 7003, 7004, 7005, 7006, 7007, 7008, 7009) {
		return no
	}
	call, seq, service := num32(b[8:]), num32(b[12:]), be16(b[26:])
	if call > 1<<24 || seq > 1<<20 || service > 10000 || num32(b[4:]) == 0 {
		return no
	}
	return done
}

func gearmanDetector() detector {
	return streamOnly("Gearman", "rpc", "\x00", lookGearman)
}

// lookGearman reads the header of a packet to or from a server of jobs: its
// mark, kind and size.
func lookGearman(x *sight) verdict {
	b := x.data
	if v := opensAny(b, "\x00REQ\x00\x00\x00", "\x00RES\x00\x00\x00"); v < found {
		return v
	}
	if len(b) < 12 {
		return wait
	}
	if b[7] < 1 || b[7] > 42 || num32(b[8:]) > 1<<24 {
		return no
	}
	return done
}
