// SPDX-License-Identifier: MIT

package classifier

import "testing"

func TestDiscovery(t *testing.T) { runPeerCases(t, discoveryCases()) }

// tpLinkSays disguises s as the things do.
func tpLinkSays(s string) string {
	b, key := []byte(s), byte(171)
	for i := range b {
		b[i] ^= key
		key = b[i]
	}
	return string(b)
}

func discoveryCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	info := tpLinkSays(`{"system":{"get_sysinfo":null}}`)
	fields := "\x02\x00\x0a" + noise(10) + "\x01\x00\x06" + noise(6) + "\x0b\x00\x04name"
	ipv6 := "\x60\x00\x00\x00\x00\x20\x11\x40\x20\x01\x00\x00" + noise(12) + "\x20\x01\x0d\xb8" + noise(12) + noise(32)
	rtmp := "\x03" + noise(4) + nul(4) + noise(1528)
	return []peerCase{
		udp("syncthing", "\x2e\xa7\xd9\x0b\x0a\x20"+noise(60), "Syncthing"),
		udp("tp-link", info, "TPLINK_SHP"),
		tcp("tp-link in a stream", num(4, uint64(len(info)))+info, "TPLINK_SHP"),
		udp("tp-link, no object", tpLinkSays(`{"system" is down}`), ""),
		udp("ubiquiti", "\x01\x00"+num(2, uint64(len(fields)))+fields, "UBNTAC2"),
		udp("ubiquiti, length", "\x01\x00"+num(2, uint64(len(fields)))+fields+"x", ""),
		udp("teredo", ipv6, "Teredo"),
		udp("teredo with an origin", nul(2)+noise(6)+ipv6, "Teredo"),
		udp("teredo, longer", ipv6+"x", ""),
		{name: "mumble", udp: true, says: []said{{Original, nul(4) + noise(8)}, {Reply, "\x00\x01\x05\x00" + noise(8) + num(4, 3) + num(4, 100) + num(4, 72000)}}, want: "Mumble"},
		{name: "mumble, another id", udp: true, says: []said{{Original, nul(4) + noise(8)}, {Reply, "\x00\x01\x05\x00" + noise(9)[1:] + num(4, 3) + num(4, 100) + num(4, 72000)}}, want: ""},
		udp("yojimbo", "\x00NETCODE 1.02\x00"+noise(1000), "Yojimbo"),
		tcp("rtmp", rtmp, "RTMP"),
		tcp("rtmp, zeros", "\x03"+nul(1536), ""),
	}
}
