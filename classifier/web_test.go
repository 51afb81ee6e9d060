// SPDX-License-Identifier: MIT

package classifier

func webExamples() []example {
	hello := records(specHello().bytes())
	query := joinParts([]any{uint16(7), 1, 0, uint16(1), uint16(0), uint16(0), uint16(0), 3, "www", 7, "example", 3, "org", 0, uint16(1), uint16(1)})
	reply := joinParts([]any{uint16(7), 0x81, 0x80, uint16(1), uint16(1), uint16(0), uint16(0), 3, "www", 7, "example", 3, "org", 0, uint16(1), uint16(1),
		0xc0, 12, uint16(1), uint16(1), uint32(60), uint16(4), 192, 0, 2, 1})
	local := joinParts([]any{uint16(0), uint16(0), uint16(1), uint16(0), uint16(0), uint16(0), 5, "_ipp1", 4, "_tcp", 5, "local", 0, uint16(12), uint16(0x8001)})
	name := func(s string, kind byte) []byte { // as RFC 1001 spells it
		out := []byte{32}
		for _, c := range []byte((s + "               ")[:15] + string([]byte{kind})) {
			out = append(out, 'A'+c>>4, 'A'+c&15)
		}
		return append(out, 0)
	}
	datagram := joinParts([]any{name("ANNA-PC", 0), name("OFFICE", 0x1d), "\xffSMB", 0x25, noiseBytes(40)})
	resumed := dtlsHello()
	chlo := joinParts([]any{"CHLO", little{uint16(2)}, uint16(0), "SNI\x00", little{uint32(15)}, "UAID", little{uint32(20)}, "www.example.org", "agent", noiseBytes(1100)})
	return []example{
		{"search", "SSDP", "", false, 1900, []message{toServer("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n")}},
		{"answer", "SSDP", "", false, 1900, []message{toClient("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\n\r\n")}},
		{"answer to nothing", "", "", false, 1900, []message{toClient("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
		{"hello", "DTLS", "", false, 4433, []message{toServer(resumed)}},
		{"data", "DTLS", "", false, 4433, []message{toServer(23, uint16(0xfefd), uint16(1), uint16(0), uint32(7), size16{[]any{noiseBytes(60)}})}},
		{"hello of Cisco's", "DTLS", "CISCOVPN", false, 443, []message{toServer(22, uint16(0x0100), uint16(0), uint16(0), uint32(0), uint16(54),
			1, 0, uint16(42), uint16(0), 0, 0, 0, 0, uint16(42), uint16(0x0100), noiseBytes(32), 0, 0, uint16(2), uint16(0x39), 1, 0)}},
		{"data of Cisco's", "CiscoVPN", "CISCOVPN", false, 443, []message{toServer(23, uint16(0x0100), uint16(1), uint16(0), uint32(7), size16{[]any{noiseBytes(60)}})}},
		{"data of another length", "", "", false, 4433, []message{toServer(23, uint16(0xfefd), uint16(1), uint16(0), uint32(7), uint16(99), noiseBytes(60))}},
		{"prior knowledge", "HTTP2", "", true, 8080, []message{toServer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 0, 0, 4, 0, uint32(0))}},
		{"another preface", "", "", true, 8080, []message{toServer("PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", noiseBytes(20))}},
		{"tunnel", "HTTP_Connect", "", true, 8080, []message{toServer("CONNECT www.example.org:443 HTTP/1.1\r\n\r\n")}},
		{"proxy", "HTTP_Proxy", "", true, 8080, []message{toServer("GET http://www.example.org/ HTTP/1.1\r\n\r\n")}},
		{"mail", "IMAPS", "", true, 993, []message{toServer(hello)}},
		{"version 43", "QUIC", "", false, 443, []message{toServer(0x09, uint64(0x0123456789abcdef), "Q043", 1, noiseBytes(12), 0xa0, 1, uint16(1000), chlo)}},
		{"version 46", "QUIC", "", false, 443, []message{toServer(0xc3, "Q046", 0x50, uint64(0x0123456789abcdef), uint32(1), noiseBytes(12), 0xa0, 1, uint16(1000), chlo)}},
		{"refusal", "QUIC", "", false, 443, []message{toClient(0x08, uint64(0x0123456789abcdef), 1, noiseBytes(12), 0xa0, 1, uint16(600), "REJ\x00", little{uint16(4)}, uint16(0), "STK\x00", little{uint32(56)}, noiseBytes(600))}},
		{"refusal of nothing", "", "", false, 443, []message{toClient(0x08, uint64(0x0123456789abcdef), 1, noiseBytes(12), 0xa0, 1, uint16(600), "REJ\x00", noiseBytes(600))}},
		{"name service", "NetBIOS", "", false, 137, []message{toServer(uint16(9), uint16(0x0110), uint16(1), uint16(0), uint16(0), uint16(0), name("OFFICE", 0), uint16(0x20), uint16(1))}},
		{"datagram", "NetBIOS", "SMBV1", false, 138, []message{toServer(0x11, 2, uint16(77), 192, 0, 2, 1, uint16(138), uint16(len(datagram)), uint16(0), datagram)}},
		{"session", "NetBIOS", "", true, 139, []message{toServer(0x81, 0, uint16(68), name("FILES", 0x20), name("ANNA-PC", 0))}},
		{"not encoded", "", "", false, 137, []message{toServer(uint16(9), uint16(0x0110), uint16(1), uint16(0), uint16(0), uint16(0), 32, noiseBytes(32), 0, uint16(0x20), uint16(1))}},
		{"damaged behind the question", "DNS", "", false, 53, []message{toServer(query[:11], 1, query[12:], 0xff, 0xff, 0xff)}},
		{"damaged on another port", "", "", false, 5300, []message{toServer(query[:11], 1, query[12:], 0xff, 0xff, 0xff)}},
		{"question", "MDNS", "", false, 5353, []message{toServer(local)}},
		{"question", "LLMNR", "", false, 5355, []message{toServer(query)}},
		{"answer", "DNScrypt", "", false, 443, []message{toServer(noiseBytes(512)), toClient("r6fnvWj8", noiseBytes(300))}},
		{"certificate of a resolver", "DNScrypt", "", false, 5443, []message{toServer(uint16(7), 1, 0, uint16(1), uint16(0), uint16(0), uint16(0), 1, "2", 13, "dnscrypt-cert", 7, "example", 0, uint16(16), uint16(1))}},
		{"hello", "TLS", "", true, 443, []message{toServer(hello)}},
		{"request", "HTTP", "", true, 80, []message{toServer("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"), toClient("HTTP/1.1 200 OK\r\n\r\n")}},
		{"datagrams", "DNS", "", false, 53, []message{toServer(query), toClient(reply)}},
		{"stream", "DNS", "", true, 53, []message{toServer(size16{[]any{query}}), toClient(size16{[]any{reply}})}},
		{"version", "QUIC", "", false, 443, []message{toServer(0xc0, uint32(1), 8, uint64(0x0123456789abcdef), 0, 0, uint16(0x4000|1180), noiseBytes(1180))}},
	}
}

// dtlsHello returns a ClientHello of DTLS 1.2 in one record, without a cookie.
func dtlsHello() []byte {
	h := specHello()
	return dtlsHelloOf(h.bytes())
}

// dtlsHelloOf makes a hello of TLS, a message without its record, one of DTLS.
func dtlsHelloOf(message []byte) []byte {
	b := message[4:]
	body := joinParts([]any{uint16(0xfefd), b[2 : 2+32+1+int(b[34])], 0, b[2+32+1+int(b[34]):]})
	size := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	return joinParts([]any{22, uint16(0xfefd), uint16(0), uint16(0), uint32(0), size16{[]any{1, size, uint16(0), 0, 0, 0, size, body}}})
}
