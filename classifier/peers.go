// SPDX-License-Identifier: MIT

package classifier

import "encoding/binary"

// peerDetectors lists the protocols of peers: file sharing, coins, and tunnels
// that hosts make for themselves.
func peerDetectors() []detector {
	return []detector{
		bitTorrentDetector(),
		eDonkeyDetector(),
		gnutellaDetector(),
		directConnectDetector(),
		soulseekDetector(),
		libp2pDetector(),
		bitcoinDetector(),
		moneroDetector(),
		miningDetector(),
		ethereumDetector(),
		wireGuardDetector(),
		openVPNDetector(),
		ipsecDetector(),
		l2tpDetector(),
		pptpDetector(),
		tincDetector(),
		tailscaleDetector(),
		zeroTierDetector(),
	}
}

// isVaried reports whether b looks like a key or a cipher's output: few bytes
// in it come back. It asks for at least 32 bytes and looks at the first 64.
func isVaried(b []byte) bool {
	if len(b) < 32 {
		return false
	}
	b = b[:min(len(b), 64)]
	var seen [4]uint64
	distinct := 0
	for _, c := range b {
		if seen[c>>6]&(1<<(c&63)) == 0 {
			seen[c>>6] |= 1 << (c & 63)
			distinct++
		}
	}
	return distinct*3 >= len(b)*2
}

func be16(b []byte) int    { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func le16(b []byte) int    { return int(binary.LittleEndian.Uint16(b)) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
