// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func gadgetsExamples() []example { return append(known(gadgetsCases()), known(discoveryCases())...) }

func TestGadgets(t *testing.T) { runPeerCases(t, gadgetsCases()) }

func gadgetsCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	tuya := "\x00\x00\x55\xaa" + nul(4) + num(4, 0x13) + num(4, 40) + noise(36) + "\x00\x00\xaa\x55"
	spotify := "\x00\x04" + num(4, 100) + "\x52\x0e\x50\x00" + noise(90)
	tags := lit(4, 3) + lit(4, 4) + lit(4, 36) + "VER\x00NONCPAD\xff" + nul(4) + noise(32) + nul(900)
	return []peerCase{
		udp("dropbox", `{"host_int": 1234, "version": [2, 0], "displayname": "", "port": 17500, "namespaces": [1, 2]}`, "Dropbox"),
		udp("dropbox, another order", `{"version": [2, 0], "port": 17500, "host_int": 1234, "displayname": "", "namespaces": [1, 2]}`, "Dropbox"),
		udp("json", `{"host_int": 1234, "other": 1}`, ""),
		udp("spotify", "SpotUdp0"+noise(36), "Spotify"),
		tcp("spotify in a stream", spotify, "Spotify"),
		tcp("spotify, more behind", spotify+"x", ""),
		udp("tuya", tuya, "TuyaLP"),
		udp("tuya, other end", strings.Replace(tuya, "\xaa\x55", "\xaa\x56", 1), ""),
		tcp("tuya in a stream", tuya, "TuyaLP"),
		udp("xiaomi's greeting", "\x21\x31\x00\x20"+strings.Repeat("\xff", 28), "Xiaomi"),
		udp("xiaomi", "\x21\x31\x00\x40"+nul(4)+noise(56), "Xiaomi"),
		tcp("xiaomi's push", "\xc2\xfe\x00\x05"+num(4, 90)+noise(90), "Xiaomi"),
		udp("bjnp", "BJNP\x01\x01"+nul(10), "BJNP"),
		udp("bjnp, length", "BJNP\x01\x01"+nul(6)+num(4, 9), ""),
		udp("tivo", "tivoconnect=1\nswversion=1\nmethod=broadcast\n", "TiVoConnect"),
		{name: "nat-pmp", udp: true, port: 5351, says: ask("\x00\x02\x00\x00" + num(2, 80) + num(2, 80) + num(4, 3600)), want: "NAT-PMP"},
		{name: "pcp", udp: true, port: 5351, says: ask("\x02\x01\x00\x00" + num(4, 3600) + nul(10) + "\xff\xff\xc0\x00\x02\x0a" + noise(36)), want: "NAT-PMP"},
		{name: "nat-pmp, address", udp: true, port: 5351, says: []said{{Original, "\x00\x00"}, {Reply, "\x00\x80\x00\x00" + num(4, 77) + "\xc0\x00\x02\x01"}}, want: "NAT-PMP"},
		{name: "two zeros", udp: true, port: 5351, says: ask("\x00\x00"), want: ""},
		udp("nat-pmp on another port", "\x00\x02\x00\x00"+num(2, 80)+num(2, 80)+num(4, 3600), ""),
		udp("roughtime", tags, "Roughtime"),
		udp("roughtime, framed", "ROUGHTIM"+lit(4, uint64(len(tags)))+tags, "Roughtime"),
		udp("roughtime, descending", strings.Replace(tags, "NONCPAD\xff", "PAD\xffNONC", 1), ""),
		tcp("kismet", "*KISMET: 0.0.0 1234 Kismet\n", "Kismet"),
	}
}
