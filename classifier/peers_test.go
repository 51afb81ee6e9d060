// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

// said is one message of a conversation in a table of tests.
type said struct {
	dir Dir
	in  string
}

// peerCase is a conversation and the protocol it must be recognised as.
type peerCase struct {
	name string
	udp  bool
	port uint16 // of the server; 0: no port with a meaning
	says []said
	want string // protocol; empty: unknown
	app  string // application; empty: not checked
}

// ask and tell make conversations of one message.
func ask(in string) []said  { return []said{{Original, in}} }
func tell(in string) []said { return []said{{Reply, in}} }

// noise returns n bytes that look random and are the same every time.
func noise(n int) string {
	return string(noiseBytes(n))
}

// num writes v in n bytes, big endian; lit, little endian.
func num(n int, v uint64) string {
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = byte(v)
		v >>= 8
	}
	return string(b)
}

func lit(n int, v uint64) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(v)
		v >>= 8
	}
	return string(b)
}

func nul(n int) string { return strings.Repeat("\x00", n) }

// example returns what is said as the shared tests want it.
func (c *peerCase) example() example {
	e := example{name: c.name, protocol: c.want, application: c.app, tcp: !c.udp, port: c.port}
	for _, m := range c.says {
		e.messages = append(e.messages, message{m.dir, []byte(m.in)})
	}
	return e
}

// known returns those conversations that are recognised, for the tests over all
// detectors. Near misses may begin with the real thing and are not among them.
func known(cases []peerCase) []example {
	var out []example
	for i := range cases {
		if cases[i].want != "" {
			out = append(out, cases[i].example())
		}
	}
	return out
}

// runPeerCases shows every conversation, near misses too.
func runPeerCases(t *testing.T, cases []peerCase) {
	t.Helper()
	p := newPlayer(New(Options{}), true, 0)
	for i := range cases {
		t.Run(cases[i].name, func(t *testing.T) {
			e := cases[i].example()
			e.check(t, e.play(p))
		})
	}
}

func udpCase(name, in, want string) peerCase {
	return peerCase{name: name, udp: true, says: ask(in), want: want}
}

func tcpCase(name, in, want string) peerCase { return peerCase{name: name, says: ask(in), want: want} }

func peersExamples() []example { return known(peerCases()) }

func TestPeers(t *testing.T) { runPeerCases(t, peerCases()) }

func peerCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	hello := "\x13BitTorrent protocol" + nul(8) + noise(40)
	donkeyHash := noise(5) + "\x0e" + noise(8) + "\x6f" + noise(1)
	levin := "\x01\x21\x01\x01\x01\x01\x01\x01" + lit(8, 226) + "\x01" + lit(4, 1001) + nul(4) + lit(4, 1) + lit(4, 1)
	login := lit(4, 1) + lit(4, 4) + "fish" + lit(4, 6) + "secret" + lit(4, 160) + lit(4, 32) + strings.Repeat("0f", 16) + lit(4, 1)
	pierce := "\x01" + lit(4, 4) + "fish" + lit(4, 1) + "P" + lit(4, 7)
	replay := num(4, 1) + num(4, 1_800_000_000)
	ike := func(version, exchange, next, flags byte) string {
		return noise(8) + nul(8) + string([]byte{next, version, exchange, flags}) + nul(4) + num(4, 228) + noise(200)
	}
	rlp := "\xd9" + "\x04" + "\xc9\x84\x7f\x00\x00\x01\x82\x76\x5f\x80" + "\xc8\x84\x7f\x00\x00\x02\x82\x76\x5f" + "\x84\x6a\x00\x00\x00"
	disc := noise(96) + "\x01\x01" + rlp
	l2tp := "\xc8\x02" + num(2, 20) + nul(8) + "\x80\x08" + nul(5) + "\x01"
	zt := noise(13) + "\x0a\x0b\x0c\x0d\x0e\x00" + noise(8) + "\x01\x0c\x01\x0a\x00\x02" + noise(8)
	zt = zt[:41] + "\x0a\x0b\x0c\x0d\x0e\x00" + noise(64)
	utp := func(time, number uint64) string {
		return "\x01\x00\x12\x34" + num(4, time) + noise(4) + num(4, 1<<20) + num(2, number) + num(2, 900) + noise(100)
	}
	return []peerCase{
		tcp("torrent", hello, "BitTorrent"),
		tcp("torrent, another name", "\x13BitTorrent protokoll", ""),
		udp("dht query", "d1:ad2:id20:"+noise(20)+"e1:q4:ping1:t2:aa1:y1:qe", "BitTorrent"),
		udp("dht answer", "d1:rd2:id20:"+noise(20)+"e1:t2:aa1:y1:re", "BitTorrent"),
		udp("dht error", "d1:eli201e5:errore1:t2:aa1:y1:ee", "BitTorrent"),
		udp("another dictionary", "d4:name5:value3:bari42e1:y1:xe", ""),
		udp("tracker", "\x00\x00\x04\x17\x27\x10\x19\x80"+nul(4)+noise(4), "BitTorrent"),
		udp("utp syn", "\x41\x00"+noise(6)+nul(4)+num(4, 1<<20)+"\x00\x01\x00\x00", "BitTorrent"),
		udp("utp with hello", "\x01\x00"+noise(18)+hello, "BitTorrent"),
		{name: "utp, three packets", udp: true, says: []said{{Original, utp(10, 5)}, {Original, utp(2000, 6)}, {Original, utp(5000, 7)}}, want: "BitTorrent"},
		{name: "utp, time goes back", udp: true, says: []said{{Original, utp(5000, 5)}, {Original, utp(2000, 6)}, {Original, utp(1000, 7)}}, want: ""},
		udp("utp in the middle", "\x21\x00"+noise(18), ""),
		udp("local discovery", "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n", "BitTorrent"),
		tcp("donkey hello", "\xe3"+lit(4, 60)+"\x01\x10"+donkeyHash+noise(43), "eDonkey"),
		tcp("donkey login", "\xe3"+lit(4, 60)+"\x01"+donkeyHash+noise(43), "eDonkey"),
		tcp("donkey without a hash", "\xe3"+lit(4, 60)+"\x01\x10"+nul(60), ""),
		udp("kad question", "\xe4\x21\x0b"+noise(32), "eDonkey"),
		udp("kad answer", "\xe4\x29"+noise(16)+"\x01"+noise(24)+"\x08", "eDonkey"),
		udp("kad, too long", "\xe4\x21\x0b"+noise(33), ""),
		tcp("gnutella", "GNUTELLA CONNECT/0.6\r\n", "Gnutella"),
		tcp("direct connect", "$Lock EXTENDEDPROTOCOLABC Pk=x|", "DirectConnect"),
		tcp("adc", "HSUP ADBASE ADTIGR\n", "DirectConnect"),
		tcp("soulseek login", lit(4, uint64(len(login)))+login, "Soulseek"),
		tcp("soulseek peer", lit(4, uint64(len(pierce)))+pierce, "Soulseek"),
		tcp("not soulseek", lit(4, 20)+"\x01"+noise(19), ""),
		tcp("libp2p", "\x13/multistream/1.0.0\n", "IPFS"),
		tcp("bitcoin", "\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00"+lit(4, 100)+noise(104), "BITCOIN"),
		tcp("bitcoin, no command", "\xf9\xbe\xb4\xd9\x00\x01\x02\x03\x00\x00\x00\x00\x00\x00\x00\x00"+lit(4, 100)+noise(104), ""),
		tcp("monero", levin, "Monero"),
		tcp("stratum", `{"id":1,"method":"mining.subscribe","params":["x/1.0"]}`+"\n", "Mining"),
		tcp("monero's stratum", `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"w","pass":"x","agent":"a/1"}}`+"\n", "Mining"),
		tcp("ethereum's stratum", `{"id":1,"method": "eth_submitLogin","params":["w"]}`+"\n", "Mining"),
		tcp("json", `{"id":1,"method":"hello"}`+"\n", ""),
		udp("node discovery", disc, "ETHEREUM"),
		udp("node discovery, list too long", disc+"x", ""),
		tcp("rlpx", num(2, 400)+"\x04"+noise(399), "ETHEREUM"),
		tcp("rlpx, more behind", num(2, 400)+"\x04"+noise(420), ""),
		udp("wireguard", "\x01\x00\x00\x00"+noise(144), "WireGuard"),
		udp("wireguard answer", "\x02\x00\x00\x00"+noise(88), "WireGuard"),
		udp("wireguard data", "\x04\x00\x00\x00"+noise(4)+lit(8, 3)+noise(80), "WireGuard"),
		udp("wireguard, length", "\x01\x00\x00\x00"+noise(145), ""),
		udp("wireguard, zeros", "\x01\x00\x00\x00"+nul(144), ""),
		udp("openvpn", "\x38"+noise(8)+nul(5), "OpenVPN"),
		udp("openvpn answer", "\x40"+noise(8)+"\x01"+nul(4)+noise(8)+nul(4), "OpenVPN"),
		udp("openvpn, digest", "\x38"+noise(8)+noise(20)+replay+nul(5), "OpenVPN"),
		udp("openvpn, encrypted", "\x38"+noise(8)+replay+noise(32)+noise(9), "OpenVPN"),
		tcp("openvpn in a stream", num(2, 14)+"\x38"+noise(8)+nul(5), "OpenVPN"),
		udp("openvpn, a call's answer", "\x38\x12\x34\x56\x00\x00\x00\x01"+nul(20), ""),
		udp("openvpn, no session", "\x38"+nul(13), ""),
		udp("ike 1", ike(0x10, 2, 1, 0), "IPSec"),
		udp("ike 2", ike(0x20, 34, 33, 8), "IPSec"),
		udp("ike behind the marker", nul(4)+ike(0x20, 34, 33, 8), "IPSec"),
		udp("ike, version 3", ike(0x30, 34, 33, 8), ""),
		udp("ike, longer", ike(0x20, 34, 33, 8)+"x", ""),
		{name: "esp", udp: true, port: 4500, says: ask("\xc1\x02\x03\x04" + num(4, 1) + noise(92)), want: "IPSec"},
		udp("esp on another port", "\xc1\x02\x03\x04"+num(4, 1)+noise(92), ""),
		tcp("ike in a stream", "IKETCP\x00\xe6"+nul(4)+ike(0x20, 34, 33, 8), "IPSec"),
		udp("l2tp", l2tp, "L2TP"),
		udp("l2tp, length", l2tp+"x", ""),
		tcp("pptp", num(2, 156)+"\x00\x01\x1a\x2b\x3c\x4d\x00\x01"+nul(146), "PPTP"),
		udp("tailscale", "TS\xf0\x9f\x92\xac"+noise(32+24+30), "Tailscale"),
		udp("zerotier", zt, "ZeroTier"),
		tcp("tinc", "0 node_1 17.7\n", "TINC"),
		tcp("tinc, other version", "0 node_1 42\n", ""),
	}
}
