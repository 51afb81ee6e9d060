// SPDX-License-Identifier: MIT

package classifier

func servicesExamples() []example {
	return []example{
		{"banners", "SSH", "", true, 22, []message{toClient("SSH-2.0-server_1\r\n"), toServer("SSH-2.0-client_1\r\n")}},
		{"client", "NTP", "", false, 123, []message{toServer(0x23, 0, 6, 0xec, make([]byte, 36), uint64(0xe8000000_12345678))}},
	}
}
