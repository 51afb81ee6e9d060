// SPDX-License-Identifier: MIT

package classifier

import "testing"

func notationsExamples() []example { return known(append(notationsCases(), realmsCases()...)) }

func TestNotations(t *testing.T) { runPeerCases(t, notationsCases()) }

func TestRealms(t *testing.T) { runPeerCases(t, realmsCases()) }

func notationsCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	probe := `<?xml version="1.0"?><s:Envelope xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:Probe/></s:Envelope>`
	return []peerCase{
		udp("probe", probe, "WSD"),
		udp("another document", `<?xml version="1.0"?><s:Envelope xmlns:d="http://schemas.xmlsoap.org/ws/2004/08/eventing"/>`, ""),
		{name: "sections", says: tell("<<<check_mk>>>\nVersion: 2.0.0\n"), want: "CheckMK"},
		{name: "other sections", says: tell("<<<uptime>>>\n1 2\n")},
		{name: "hi and hello", says: turns("HI\n", "HELLO 2.9 (2.9.1) 2022-01-01.1200.abcdef\n"), want: "Ookla"},
		{name: "hello alone", says: tell("HELLO 2.9 (2.9.1) 2022-01-01.1200.abcdef\n")},
		{name: "hi and something else", says: turns("HI\n", "HELLO world (2)\n")},
		tcp("handshake", "ES"+num(4, 60)+num(8, 1)+"\x08"+num(4, 7_100_099)+noise(20), "ElasticSearch"),
		tcp("beat", "ES\xff\xff\xff\xffES\xff\xff\xff\xff", "ElasticSearch"),
		tcp("handshake of no version", "ES"+num(4, 60)+num(8, 1)+"\x08"+num(4, 77)+noise(20), ""),
		tcp("route", num(4, 60)+"NI_ROUTE\x00\x02\x28\x02"+noise(47), "SAP"),
		tcp("beat of the router", num(4, 8)+"NI_PING\x00", "SAP"),
		tcp("gateway", num(4, 64)+"\x02\x03"+noise(4)+nul(4)+"sapgw00\x00\x00\x00"+noise(44), "SAP"),
		tcp("no route", num(4, 60)+"NI_ROUND\x00\x02\x28\x02"+noise(47), ""),
		{name: "said to a server", says: ask("\x81\x88\x01\x02\x03\x04" + string([]byte{'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1, ' ' ^ 2, 'y' ^ 3, 'o' ^ 4})), want: "WebSocket"},
		{name: "said by a server", says: tell("\x81\x17Welcome, dear customer!"), want: "WebSocket"},
		{name: "no text under the mask", says: ask("\x81\x88\x01\x02\x03\x04" + noise(8))},
		tcp("too short a text", "\x81\x05hello", ""),
		tcp("call", `{"jsonrpc": "2.0", "method": "sum", "params": [1, 2], "id": 1}`+"\n", "JSON-RPC"),
		tcp("calls", `[{"jsonrpc":"2.0","method":"sum","id":1}]`, "JSON-RPC"),
		tcp("call of version 3", `{"jsonrpc": "3.0", "method": "sum"}`+"\n", ""),
		tcp("object", `{"method": "sum"}`+"\n", ""),
	}
}

func realmsCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	challenge := "\x00\x08" + lit(2, 40) + "WoW\x00\x03\x03\x05" + lit(2, 12340) + "68x\x00niW\x00SUne" + nul(4) + noise(4) + "\x0aADMINISTRA"
	join := lit(4, 1) + lit(4, 0x1234) + "\x00" + lit(2, 6112) + lit(4, 1) + "fish\x00" + "\x01\x00" + lit(2, 2) + noise(12)
	hello := "\x08\x00\x01\x00\x46\xd2\x02\x03\x04fish"
	return []peerCase{
		tcp("challenge", challenge, "WorldOfWarcraft"),
		tcp("challenge of another game", challenge[:4]+"WoX\x00"+challenge[8:], ""),
		tcp("realm", "\x00\x30WORLD OF WARCRAFT CONNECTION - SERVER TO CLIENT", "WorldOfWarcraft"),
		udp("search", "\xf7\x2f\x10\x00PX3W\x1a\x00\x00\x00\x00\x00\x00\x00", "Warcraft3"),
		udp("search of another game", "\xf7\x2f\x10\x00PX3V\x1a\x00\x00\x00\x00\x00\x00\x00", ""),
		udp("refreshed", "\xf7\x32\x10\x00"+lit(4, 1)+lit(4, 2)+lit(4, 8), "Warcraft3"),
		tcp("join", "\xf7\x1e"+lit(2, uint64(4+len(join)))+join, "Warcraft3"),
		tcp("join without a name", "\xf7\x1e"+lit(2, 40)+nul(36), ""),
		{name: "greeting and answer", udp: true, says: turns(hello, "\x0a\x00\x01\xff"), want: "AmongUs"},
		{name: "greeting and answer to another", udp: true, says: turns(hello, "\x0a\x00\x02\xff")},
		udp("pia", "\x32\xab\x98\x64\x02"+noise(40), "Nintendo"),
		udp("pia, encrypted in no way", "\x32\xab\x98\x64\x07"+noise(40), ""),
	}
}
