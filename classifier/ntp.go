// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// ntpPort is where the control messages of NTP are believed; time messages are
// told by their fields on any port.
const ntpPort = 123

// ntpMinute is a round trip or dispersion no working clock has, in seconds as
// 16.16 fixed point.
const ntpMinute = 64 << 16

func ntpDetector() detector {
	return detector{
		name: "NTP", upper: "NTP", category: "network", confidence: 90,
		starts: func(b byte) bool {
			version, mode := b>>3&7, b&7
			return version >= 1 && version <= 4 && mode >= 1
		},
		datagram: lookNTP,
	}
}

func lookNTP(x *sight) verdict {
	b := x.data
	switch mode := b[0] & 7; mode {
	case 6, 7:
		if x.p.SrcPort != ntpPort && x.p.DstPort != ntpPort || !isNTPControl(b, mode) {
			return no
		}
		x.s.note("ntp/control", "", 0)
	default:
		if !isNTPTime(b, mode) {
			return no
		}
	}
	return done
}

// isNTPTime checks every field of a time message that has a plausible range.
func isNTPTime(b []byte, mode byte) bool {
	if len(b) < 48 || !isNTPTail(b[48:]) {
		return false
	}
	stratum, poll, precision := b[1], b[2], int8(b[3])
	delay := int32(binary.BigEndian.Uint32(b[4:]))
	dispersion := binary.BigEndian.Uint32(b[8:])
	transmit := binary.BigEndian.Uint64(b[40:])
	// Poll and precision are exponents of two seconds. Clients that hide theirs
	// send 32.
	if stratum > 16 || poll > 17 || precision > 32 || transmit == 0 ||
		delay >= ntpMinute || delay <= -ntpMinute || dispersion >= ntpMinute {
		return false
	}
	if !isNTPDate(b[16:]) { // when the clock was set
		return false
	}
	if mode == 4 || mode == 5 { // from a server: it knows the time
		return isNTPDate(b[32:]) && isNTPDate(b[40:])
	}
	return true
}

// isNTPDate reports whether a timestamp is unset or between 1990 and 2050.
func isNTPDate(b []byte) bool {
	const from1990, until2050 = 2840140800, 441763200
	seconds := binary.BigEndian.Uint32(b)
	return seconds >= from1990 || seconds < until2050
}

// isNTPTail reports whether b, behind the fixed fields, is extension fields
// and an authenticator, or nothing.
func isNTPTail(b []byte) bool {
	for len(b) > 24 {
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size < 16 || size%4 != 0 || size > len(b) {
			return false
		}
		b = b[size:]
	}
	switch len(b) {
	case 0, 4, 16, 20, 24:
		return true
	}
	return false
}

// isNTPControl checks the form of a control (6; RFC 9327) or private (7)
// message: what is behind the data is padding and an authenticator.
func isNTPControl(b []byte, mode byte) bool {
	if mode == 6 {
		// The first two bits are zero, but for NTPsec, which tells that its clock is not set.
		if leap := b[0] >> 6; len(b) < 12 || leap != 0 && leap != 3 {
			return false
		}
		opcode, offset, size := b[1]&31, binary.BigEndian.Uint16(b[8:]), int(binary.BigEndian.Uint16(b[10:]))
		tail := len(b) - 12 - size
		if b[1]>>5 == 0 && offset != 0 || offset > 0 && size == 0 { // requests come in one piece
			return false
		}
		return (opcode <= 12 || opcode == 31) && size <= 468 && tail >= 0 && tail <= 3+24
	}
	if len(b) < 8 {
		return false
	}
	implementation, items, size := b[2], int(b[4]&15)<<8|int(b[5]), int(b[6]&15)<<8|int(b[7])
	if implementation != 0 && implementation != 2 && implementation != 3 || b[6]>>4 != 0 || (items == 0) != (size == 0) || len(b)-8 < items*size {
		return false
	}
	if b[0]&0x80 != 0 { // a response is as long as it says
		return len(b)-8 == items*size
	}
	return b[1] == 0 && b[4]>>4 == 0 // a request is the first of one, and of no error
}
