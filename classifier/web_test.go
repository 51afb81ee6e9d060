// SPDX-License-Identifier: MIT

package classifier

func webExamples() []example {
	hello := records(specHello().bytes())
	query := joinParts([]any{uint16(7), 1, 0, uint16(1), uint16(0), uint16(0), uint16(0), 3, "www", 7, "example", 3, "org", 0, uint16(1), uint16(1)})
	reply := joinParts([]any{uint16(7), 0x81, 0x80, uint16(1), uint16(1), uint16(0), uint16(0), 3, "www", 7, "example", 3, "org", 0, uint16(1), uint16(1),
		0xc0, 12, uint16(1), uint16(1), uint32(60), uint16(4), 192, 0, 2, 1})
	return []example{
		{"hello", "TLS", "", true, 443, []message{toServer(hello)}},
		{"request", "HTTP", "", true, 80, []message{toServer("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"), toClient("HTTP/1.1 200 OK\r\n\r\n")}},
		{"datagrams", "DNS", "", false, 53, []message{toServer(query), toClient(reply)}},
		{"stream", "DNS", "", true, 53, []message{toServer(size16{[]any{query}}), toClient(size16{[]any{reply}})}},
		{"version", "QUIC", "", false, 443, []message{toServer(0xc0, uint32(1), 8, uint64(0x0123456789abcdef), 0, 0, uint16(0x4000|1180), noiseBytes(1180))}},
	}
}
