// SPDX-License-Identifier: MIT

package classifier

import "testing"

func plantsExamples() []example { return known(plantsCases()) }

func TestPlants(t *testing.T) { runPeerCases(t, plantsCases()) }

func plantsCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	read := "\x50\x00\x00\xff\xff\x03\x00" + lit(2, 12) + lit(2, 16) + lit(2, 0x401) + lit(2, 0) + "\x64\x00\x00\xa8\x01\x00"
	numbered := "\x54\x00\x34\x12\x00\x00\x00\xff\xff\x03\x00" + lit(2, 12) + lit(2, 16) + lit(2, 0x401) + lit(2, 0) + "\x64\x00\x00\xa8\x01\x00"
	cnp := func(kind byte) string {
		return num(2, 40) + string([]byte{1, kind, 0, 0}) + num(2, 0) + noise(4) + num(4, 1) + noise(4) + noise(20)
	}
	gga := "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
	return []peerCase{
		tcp("read", read, "MELSEC"),
		udp("read, with a number", numbered, "MELSEC"),
		udp("answer", "\xd0\x00\x00\xff\xff\x03\x00"+lit(2, 4)+nul(2)+noise(2), "MELSEC"),
		udp("read, length", read+"x", ""),
		tcp("another module", read[:4]+"\x00\x00"+read[6:], ""),
		udp("data", cnp(1), "CNP-IP"),
		udp("another kind", cnp(2), ""),
		udp("transfer", "ESIO\x00\x02"+noise(20), "EtherSIO"),
		udp("transfer of no kind", "ESIO\x00\x07"+noise(20), ""),
		tcp("inventory", "\x01I20100\n", "ATG"),
		{name: "inventory, answered", says: tell("\x01\r\nI20100\r\nJAN 1, 2026"), want: "ATG"},
		tcp("inventory of no tank", "\x01I201x0\n", ""),
		tcp("position", gga, "NMEA_0183"),
		udp("position in a datagram", gga, "NMEA_0183"),
		udp("position, sum", gga[:len(gga)-3]+"8\r\n", ""),
		udp("of ships", "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n", "NMEA_0183"),
		udp("push", "\x02\x12\x34\x00"+noise(8)+`{"rxpk":[{"tmst":3512348611}]}`, "LoRaWAN"),
		udp("push of nothing", "\x02\x12\x34\x00"+noise(8)+`{"x":1}`, ""),
		{name: "answer to a gateway", udp: true, says: tell("\x02\x12\x34\x03" + `{"txpk":{"imme":true}}`), want: "LoRaWAN"},
		{name: "beat", udp: true, says: turns("\x02\x12\x34\x02"+noise(8), "\x02\x12\x34\x04"), want: "LoRaWAN"},
		{name: "beat, another number", udp: true, says: turns("\x02\x12\x34\x02"+noise(8), "\x02\x12\x35\x04")},
	}
}
