// SPDX-License-Identifier: MIT

package classifier

func gatewayCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	telegram := num(4, 14) + "\x00\x00" + num(2, 7) + "\x00\x01\x20\x00"
	call := num(4, 0x80001234) + num(4, 0x1000) + num(4, 1) + num(4, 1) + num(4, 1) + "\x01\x05\x00\x00\x00\x00\x00\x01" + noise(8)
	egd := "\x0d\x01" + noise(26) + nul(4) + noise(8)
	glbp := "\x01\x00\x00\x01\x00\x00" + noise(6) + "\x01\x04" + noise(2) + "\x03\x06" + noise(4)
	return []peerCase{
		udp("data", "\x02\x00\x02\x80\x08\x00"+noise(8)+"\xb1\x00\x06\x00"+noise(6), "CIP"),
		udp("data of another length", "\x02\x00\x02\x80\x08\x00"+noise(8)+"\xb1\x00\x07\x00"+noise(6), ""),
		{name: "data", udp: true, port: 18246, says: ask(egd), want: "EthernetGlobalData"},
		udp("data elsewhere", egd, ""),
		udp("read", telegram+xmodem(telegram), "EtherSBus"),
		udp("read with an error", telegram+"\x00\x01", ""),
		{name: "hello", udp: true, port: 3222, says: ask(glbp), want: "GLBP"},
		{name: "hello, cut", udp: true, port: 3222, says: ask(glbp[:len(glbp)-1])},
		{name: "call", udp: true, port: 7003, says: ask(call), want: "RX"},
		udp("call elsewhere", call, ""),
		tcp("can do", "\x00REQ\x00\x00\x00\x01\x00\x00\x00\x03abc", "Gearman"),
		tcp("kind", "\x00REQ\x00\x00\x00\x71\x00\x00\x00\x03abc", ""),
	}
}

// xmodem returns the checksum of a telegram, by division.
func xmodem(s string) string {
	sum := 0
	for _, c := range []byte(s + "\x00\x00") {
		for i := 7; i >= 0; i-- {
			sum = sum<<1 | int(c)>>i&1
			if sum&0x10000 != 0 {
				sum ^= 0x11021
			}
		}
	}
	return num(2, uint64(sum))
}
