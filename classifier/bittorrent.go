// SPDX-License-Identifier: MIT

package classifier

import "bytes"

// bitTorrentHello begins the peer protocol (BEP 3): a length and the name.
const bitTorrentHello = "\x13BitTorrent protocol"

func bitTorrentDetector() detector {
	return detector{
		name: "BitTorrent", upper: "BITTORRENT", category: "p2p", confidence: 95,
		stream:   func(x *sight) verdict { return certain(opens(x.data, bitTorrentHello)) },
		starts:   oneOf("\x13d\x00\x01\x11\x21\x31\x41B"),
		datagram: lookBitTorrent,
	}
}

// isBitTorrentDatagram knows the DHT (BEP 5), trackers over UDP (BEP 15), the
// opening of uTP (BEP 29) and the local service discovery (BEP 14).
func isBitTorrentDatagram(b []byte) bool {
	switch {
	case b[0] == 'd':
		return isDHT(b)
	case b[0] == 0:
		return len(b) >= 16 && be32(b) == 0x417 && be32(b[4:]) == 0x27101980 && be32(b[8:]) == 0
	case b[0] == 'B':
		return bytes.HasPrefix(b, []byte("BT-SEARCH * HTTP/1.1\r\n"))
	}
	return isUTP(b)
}

// lookBitTorrent tells from one datagram, or from three of uTP that follow each
// other. For each direction the memory holds the connection's id, the low byte
// of the number, how many agreed, and the sender's time in microseconds.
func lookBitTorrent(x *sight) verdict {
	b := x.data
	if isBitTorrentDatagram(b) {
		return done
	}
	if len(b) < 20 || b[0]&15 != 1 || b[0]>>4 > 4 || b[1] > 3 || b[1] == 0 && b[0] == 0x21 && len(b) != 20 {
		return no
	}
	memo := x.memo()
	if memo == nil {
		return no
	}
	const second = 1_000_000
	m := memo[8*x.dir : 8*x.dir+8]
	if m[3] > 0 && string(m[:2]) == string(b[2:4]) && be32(b[4:])-be32(m[4:])-1 < 10*second && b[17]-m[2] <= 4 {
		m[3]++
	} else {
		m[3] = 1
	}
	copy(m, b[2:4])
	m[2] = b[17]
	copy(m[4:], b[4:8])
	if m[3] >= 3 {
		return done
	}
	return wait
}

// isDHT reports whether b is one dictionary of the DHT's queries, answers or
// errors: it names its kind under y and a transaction under t.
func isDHT(b []byte) bool {
	if len(b) < 20 || b[len(b)-1] != 'e' {
		return false
	}
	switch {
	case bytes.Contains(b, []byte("1:y1:q")):
		return bytes.Contains(b, []byte("1:q")) && bytes.Contains(b, []byte("2:id20:"))
	case bytes.Contains(b, []byte("1:y1:r")):
		return bytes.Contains(b, []byte("1:rd2:id20:"))
	case bytes.Contains(b, []byte("1:y1:e")):
		return bytes.Contains(b, []byte("1:eli2"))
	}
	return false
}

// isUTP reports whether b opens a connection of uTP, or carries the peer
// protocol's first message. A packet in the middle has too little that is fixed.
func isUTP(b []byte) bool {
	if len(b) < 20 || b[0]&15 != 1 {
		return false
	}
	ext, at := b[1], 20
	for n := 0; ext != 0; n++ {
		if n == 3 || ext > 3 || at+2 > len(b) {
			return false
		}
		next, size := b[at], int(b[at+1])
		ext, at = next, at+2+size
	}
	if at > len(b) {
		return false
	}
	if bytes.HasPrefix(b[at:], []byte(bitTorrentHello)) {
		return true
	}
	// A SYN knows no delay yet and acknowledges nothing.
	return b[0] == 0x41 && at == len(b) && be32(b[8:]) == 0 && be16(b[18:]) == 0 && be16(b[2:]) != 0
}
