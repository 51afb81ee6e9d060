// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func greetingsExamples() []example { return known(greetingsCases()) }

func TestGreetings(t *testing.T) { runPeerCases(t, greetingsCases()) }

func greetingsCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	session := func(size uint64, rest string) string { return num(4, size) + nul(4) + rest }
	nine := "\xff\xff" + lit(4, 8192) + lit(2, 8) + "9P2000.L"
	nine = lit(4, uint64(5+len(nine))) + "\x64" + nine
	srt := func(version, extension, kind uint64) string {
		return "\x80\x00\x00\x00" + nul(4) + num(4, 1000) + nul(4) + num(4, version) + num(4, extension) + num(4, 12345) + num(4, 1500) + num(4, 8192) + num(4, kind) + num(4, 777) + nul(4) + "\x01\x00\x00\x7f" + nul(12)
	}
	route := func(family, metric uint64) string {
		return num(2, family) + nul(2) + "\xc0\x00\x02\x00\xff\xff\xff\x00" + nul(4) + num(4, metric)
	}
	bundle := "#bundle\x00" + nul(7) + "\x01" + num(4, 16) + "/volume\x00,f\x00\x00\x3f\x00\x00\x00"
	wake := "\xff\xff\xff\xff\xff\xff" + strings.Repeat("\x00\x00\x5e\x00\x53\x01", 16)
	hello := "\x04\x06" + nul(2) + "\x00\x01\x01\x90"
	babel := func(size int, rest string) string { return "\x2a\x02" + num(2, uint64(size)) + rest }
	return []peerCase{
		tcp("icap", "REQMOD icap://icap.example.com/x ICAP/1.0\r\n", "ICAP"),
		{name: "icap, answer", says: tell("ICAP/1.0 204 No Content\r\n"), want: "ICAP"},
		tcp("icap, another word", "REQMODS icap://a", ""),
		tcp("jdwp", "JDWP-Handshake", "JDWP"),
		tcp("jdwp, cut", "JDWP-Handshak\x00", ""),
		tcp("adb", "CNXN"+lit(4, 0x01000001)+lit(4, 1<<20)+lit(4, 7)+lit(4, 500)+"\xbc\xb1\xa7\xb1host::\x00", "ADB"),
		tcp("adb, not turned round", "CNXN"+lit(4, 0x01000001)+lit(4, 1<<20)+lit(4, 7)+lit(4, 500)+"CNXNhost::\x00", ""),
		tcp("zookeeper", session(45, nul(8)+num(4, 30000)+nul(8)+num(4, 16)+nul(17)), "ZooKeeper"),
		{name: "zookeeper, answer", says: tell(session(37, num(4, 30000)+noise(8)+num(4, 16)+noise(17))), want: "ZooKeeper"},
		tcp("zookeeper, password", session(45, nul(8)+num(4, 30000)+nul(8)+num(4, 17)+nul(17)), ""),
		{name: "tarantool", says: tell("Tarantool 2.11.1 (Binary) 1234\n"), want: "Tarantool"},
		tcp("nsq", "  V2IDENTIFY\n\x00\x00\x00\x02{}", "NSQ"),
		tcp("nsq, another version", "  V1IDENTIFY\n\x00\x00\x00\x02{}", ""),
		tcp("rethinkdb", "\xc3\xbd\xc2\x34{\"protocol_version\": 0}\x00", "RethinkDB"),
		tcp("clickhouse", "\x00\x11ClickHouse client\x17\x08", "ClickHouse"),
		tcp("clickhouse, another house", "\x00\x11ClackHouse client\x17\x08", ""),
		tcp("neo4j", "\x60\x60\xb0\x17\x00\x00\x04\x04\x00\x00\x01\x04"+nul(8), "Neo4j"),
		{name: "nbd", says: tell("NBDMAGICIHAVEOPT\x00\x03"), want: "NBD"},
		tcp("9p", nine, "9P"),
		tcp("9p, a tag", strings.Replace(nine, "\xff\xff", "\xff\x00", 1), ""),
		{name: "sieve", says: tell("\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SIEVE\" \"fileinto\"\r\nOK\r\n"), want: "ManageSieve"},
		tcp("msrp", "MSRP a786hjs2 SEND\r\nTo-Path: msrp://a.example.com/x;tcp\r\n", "MSRP"),
		{name: "msrp, answer", says: tell("MSRP a786hjs2 200 OK\r\n"), want: "MSRP"},
		tcp("msrp, another method", "MSRP a786hjs2 TAKE\r\n", ""),
		{name: "vmware", says: tell("220 VMware Authentication Daemon Version 1.10: SSL Required\r\n"), want: "VMware"},
		{name: "icecast", says: turns("GET /radio\r\n\r\n", "ICY 200 OK\r\nicy-name: x\r\n"), want: "IceCast"},
		tcp("firebird", num(4, 1)+num(4, 19)+num(4, 3)+num(4, 1)+num(4, 8)+"test.fdb"+num(4, 2), "Firebird"),
		tcp("firebird, no name", num(4, 1)+num(4, 19)+num(4, 3)+num(4, 1)+num(4, 8)+"te\x00t.fdb", ""),
		udp("art-net", "Art-Net\x00\x00\x20\x00\x0e\x00\x00", "ArtNet"),
		udp("sacn", "\x00\x10\x00\x00ASC-E1.17\x00\x00\x00\x72\x6e\x00\x00\x00\x04"+noise(60), "sACN"),
		udp("osc", bundle, "OSC"),
		udp("osc, longer", bundle+"\x00\x00", ""),
		udp("srt induction", srt(4, 2, 1), "SRT"),
		{name: "srt, both sides", udp: true, says: turns(srt(4, 2, 1), srt(5, 0x4a17, 1)), want: "SRT"},
		udp("srt conclusion", srt(5, 5, 0xffffffff)+noise(40), "SRT"),
		udp("srt, another kind", srt(4, 2, 7), ""),
		{name: "rip", udp: true, port: 520, says: ask("\x02\x02\x00\x00" + route(2, 1) + route(2, 16)), want: "RIP"},
		{name: "rip, request", udp: true, port: 520, says: ask("\x01\x02\x00\x00" + nul(16) + num(4, 16)), want: "RIP"},
		{name: "rip, metric", udp: true, port: 520, says: ask("\x02\x02\x00\x00" + route(2, 17)), want: ""},
		udp("babel", babel(len(hello), hello), "Babel"),
		udp("babel, shorter than it says", babel(len(hello)+1, hello), ""),
		udp("babel, a hello too short", babel(8, "\x04\x02\x00\x00\x01\x02\x00\x00"), ""),
		udp("wake", wake, "WakeOnLAN"),
		udp("wake with a word", wake+noise(6), "WakeOnLAN"),
		udp("wake, one address differs", wake[:len(wake)-1]+"\x02", ""),
	}
}
