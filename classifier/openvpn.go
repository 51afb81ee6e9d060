// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// First bytes of the packets that open a connection of OpenVPN: opcode and key
// id 0.
const (
	openVPNClient2 = 7 << 3  // P_CONTROL_HARD_RESET_CLIENT_V2
	openVPNServer2 = 8 << 3  // P_CONTROL_HARD_RESET_SERVER_V2
	openVPNClient3 = 10 << 3 // P_CONTROL_HARD_RESET_CLIENT_V3
)

func openVPNDetector() detector {
	return detector{
		name: "OpenVPN", upper: "OPENVPN", category: "vpn", confidence: 93,
		starts: func(b byte) bool { // of a length, or of a datagram
			return b <= 1400>>8 || b == openVPNClient2 || b == openVPNServer2 || b == openVPNClient3
		},
		stream:   lookOpenVPN,
		datagram: func(x *sight) verdict { return sure(isOpenVPN(x.data)) },
	}
}

// lookOpenVPN takes the first packet out of a stream: its length goes before.
func lookOpenVPN(x *sight) verdict {
	b := x.data
	if len(b) < 3 {
		return wait
	}
	size := be16(b)
	if size < 14 || size > 1400 || b[2] != openVPNClient2 && b[2] != openVPNServer2 && b[2] != openVPNClient3 {
		return no
	}
	if len(b) < 2+size {
		return wait
	}
	return sure(isOpenVPN(b[2 : 2+size]))
}

// isOpenVPN reports whether b is a hard reset: a session id, then, where the
// control channel is authenticated, a digest, a packet id and a time, then the
// ids acknowledged and the message's own, which is 0. Where the channel is
// encrypted (tls-crypt) only the packet id and the time can be read.
func isOpenVPN(b []byte) bool {
	if len(b) < 14 || !isSessionID(b[1:9]) {
		return false
	}
	switch b[0] {
	case openVPNClient2, openVPNClient3, openVPNServer2:
	default:
		return false
	}
	if b[0] != openVPNClient3 && isOpenVPNReset(b, 9) {
		return true
	}
	for _, digest := range [...]int{16, 20, 28, 32, 48, 64} {
		if at := 9 + digest; at+8 < len(b) && isOpenVPNReplay(b[at:]) && isOpenVPNReset(b, at+8) {
			return true
		}
	}
	// tls-crypt: the id of the packet, the time, a tag of 32 bytes. The first
	// packet's id is 1, or 0x0f000001 where the client has early negotiation.
	return len(b) >= 54 && isOpenVPNReplay(b[9:]) && isVaried(b[17:49])
}

// isOpenVPNReplay reads a packet id, which begins at 1, and a time that is
// later than OpenVPN's authentication of control packets.
func isOpenVPNReplay(b []byte) bool {
	id, time := be32(b), be32(b[4:])
	return (id&0x00ffffff != 0 && id&0x00ffffff < 16) && (id>>24 == 0 || id>>24 == 0x0f) && time > 1_000_000_000 && time < 2_500_000_000
}

// isOpenVPNReset reads what is from b[at] to the end: a client acknowledges
// nothing, a server the client's first message.
func isOpenVPNReset(b []byte, at int) bool {
	rest := b[at:]
	switch {
	case b[0] == openVPNServer2 && len(rest) == 17 && rest[0] == 1 && isSessionID(rest[5:13]):
		return be32(rest[1:]) == 0 && be32(rest[13:]) == 0
	case len(rest) == 5 && rest[0] == 0:
		return be32(rest[1:]) == 0
	}
	return false
}

// isSessionID reports whether eight bytes look like drawn by chance.
func isSessionID(b []byte) bool {
	distinct := 0
	for i, c := range b {
		if bytes.IndexByte(b[:i], c) < 0 {
			distinct++
		}
	}
	return distinct >= 5
}
