// SPDX-License-Identifier: MIT

package classifier

import (
	"hash/crc32"
	"testing"
)

func industrialExamples() []example { return known(industrialCases()) }

func TestIndustrial(t *testing.T) { runPeerCases(t, industrialCases()) }

// overCOTP puts data in a packet of RFC 1006 behind a connection request.
func overCOTP(data string) string {
	request := "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02"
	return request + "\x03\x00" + num(2, uint64(7+len(data))) + "\x02\xf0\x80" + data
}

func industrialCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	train := num(4, 1) + num(2, 0x100) + "Pd" + num(4, 1000) + nul(24)
	train = train[:36] + lit(4, uint64(crc32.ChecksumIEEE([]byte(train[:36]))))
	message := num(4, 1) + num(2, 0x100) + "Mr" + nul(104)
	message = message[:112] + lit(4, uint64(crc32.ChecksumIEEE([]byte(message[:112]))))
	ams := "\x0a\x00\x00\x01\x01\x01\x53\x03\x0a\x00\x00\x02\x01\x01\x01\x80\x02\x00\x04\x00" + lit(4, 12) + nul(8) + nul(12)
	eip := "\x65\x00\x04\x00" + nul(8) + noise(8) + nul(4) + "\x01\x00\x00\x00"
	some := func(kind byte) string {
		return num(2, 0x1234) + num(2, 1) + num(4, 16) + num(4, 1) + "\x01\x01" + string([]byte{kind}) + "\x00" + noise(8)
	}
	meter := ber(0x60, ber(0xa2, "\x06\x02\x2b\x06"), ber(0xa6, "\x06\x02\x2b\x07"), ber(0xa8, "\x02\x01\x05"), ber(0xbe, ber(0x28, noise(10))))
	s7 := "\x32\x01\x00\x00\x00\x01\x00\x08\x00\x00\xf0\x00\x00\x01\x00\x01\x01\xe0"
	mms := "\x0d" + sized(1, nul(20)+"\x06\x05\x28\xca\x22\x02\x01"+nul(30))
	return []peerCase{
		tcp("set-up", overCOTP(s7), "S7Comm"),
		tcp("set-up of nothing", overCOTP("\x33"+s7[1:]), ""),
		tcp("data", overCOTP("\x72\x01\x00\x20"+noise(32)), "S7CommPlus"),
		tcp("initiate", overCOTP(mms), "ISO9506-1-MMS"),
		tcp("another context", overCOTP("\x0d"+sized(1, nul(60))), ""),
		tcp("read", "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x10\x00\x02", "Modbus"),
		{name: "read answered", says: tell("\x00\x01\x00\x00\x00\x07\x01\x03\x04" + noise(4)), want: "Modbus"},
		{name: "umas", port: 502, says: ask("\x00\x01\x00\x00\x00\x05\x01\x5a\x00\x02\x01"), want: "Modbus", app: "UMAS"},
		tcp("read of length 7", "\x00\x01\x00\x00\x00\x07\x01\x03\x00\x10\x00\x02\x00", ""),
		tcp("reset", "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21", "DNP3"),
		tcp("checksum", "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x22", ""),
		tcp("start", "\x68\x04\x07\x00\x00\x00", "IEC60870"),
		tcp("start of nothing", "\x68\x04\x0f\x00\x00\x00", ""),
		udp("command", "\xaa\x41\x00\x12\x00\x01"+num(4, 1_700_000_000)+nul(4)+"\x00\x02"+crcOf("\xaa\x41\x00\x12\x00\x01"+num(4, 1_700_000_000)+nul(4)+"\x00\x02"), "IEEE-C37118"),
		tcp("command", "\xaa\x41\x00\x12\x00\x01"+num(4, 1_700_000_000)+nul(4)+"\x00\x02"+crcOf("\xaa\x41\x00\x12\x00\x01"+num(4, 1_700_000_000)+nul(4)+"\x00\x02"), "IEEE-C37118"),
		udp("checksum", "\xaa\x41\x00\x12\x00\x01"+num(4, 1_700_000_000)+nul(4)+"\x00\x02\x00\x00", ""),
		udp("who is", "\x81\x0b\x00\x0c\x01\x20\xff\xff\x00\xff\x10\x08", "BACnet"),
		udp("who is, cut", "\x81\x0b\x00\x0d\x01\x20\xff\xff\x00\xff\x10\x08", ""),
		tcp("hello", "HELF"+lit(4, 56)+nul(4)+lit(4, 65535)+lit(4, 65535)+nul(8)+lit(4, 24)+"opc.tcp://host.example:1", "OPC-UA"),
		tcp("hello of version 99", "HELF"+lit(4, 56)+lit(4, 99)+lit(4, 65535), ""),
		tcp("register", eip, "EthernetIP"),
		udp("identity", "\x63\x00\x00\x00"+nul(20), "EthernetIP"),
		tcp("register with options", eip[:20]+"\x01"+eip[21:], ""),
		tcp("read", "\x00\x00"+lit(4, uint64(len(ams)))+ams, "BeckhoffADS"),
		tcp("lengths", "\x00\x00"+lit(4, uint64(len(ams)+1))+ams, ""),
		udp("search", "\x06\x10\x02\x01\x00\x0e\x08\x01\x0a\x00\x00\x01\x0e\x57", "KNXnet_IP"),
		tcp("describe", "\x06\x10\x02\x03\x00\x0e\x08\x02"+nul(6), "KNXnet_IP"),
		udp("service", "\x06\x10\x09\x01\x00\x0e\x08\x01\x0a\x00\x00\x01\x0e\x57", ""),
		udp("initiate", "\x01\x00\x00\x00\x00\x01\x00\x0d\x01\x00\x00\x75\x30", "HART-IP"),
		tcp("initiate", "\x01\x00\x00\x00\x00\x01\x00\x0d\x01\x00\x00\x75\x30", "HART-IP"),
		udp("initiate, cut", "\x01\x00\x00\x00\x00\x01\x00\x0d\x01\x00\x00\x75", ""),
		udp("get", "\x00\x01\x00\x10\x00\x01"+sized(2, "\xc0\x01\xc1\x00\x03\x01\x00\x01\x08\x00\xff\x02\x00"), "IEC62056"),
		tcp("frame", "\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", "IEC62056"),
		tcp("frame with an error", "\x7e\xa0\x07\x03\x21\x93\x0f\x02\x7e", ""),
		udp("request", some(0), "SOMEIP"),
		tcp("notification", some(2), "SOMEIP"),
		udp("kind", some(9), ""),
		udp("process data", train, "TRDP"),
		tcp("request", message, "TRDP"),
		udp("checksum", train[:39]+"\x00", ""),
		udp("frames", "ISO11898\x01\x01"+nul(4)+"\x08"+noise(8), "Controller_Area_Network"),
		tcp("initialise", "HS\x00\x00\x01\x00NI"+nul(7)+"\x07hislip0", "HiSLIP"),
		tcp("initialise of nothing", "HS\x77\x00\x01\x00NI"+nul(7)+"\x07", ""),
		udp("ping", "\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00", "RMCP"),
		udp("ipmi", "\x06\x00\xff\x07\x00"+nul(8)+"\x09\x20\x18\xc8\x81\x00\x38\x8e\x04\xb5", "RMCP"),
		udp("ping of another", "\x06\x00\xff\x06\x00\x00\x11\xbf\x80\x00\x00\x00", ""),
		udp("association", meter, "ANSI_C1222"),
		tcp("association", meter, "ANSI_C1222"),
		udp("association, cut", meter[:len(meter)-1], ""),
		udp("read memory", "\x80\x00\x02\x00\x01\x00\x00\x02\x00\x05\x01\x01\x82\x00\x64\x00\x00\x0a", "FINS"),
		tcp("handshake", "FINS"+num(4, 12)+nul(12), "FINS"),
		udp("command that is none", "\x80\x00\x02\x00\x01\x00\x00\x02\x00\x05\x01\x99\x82\x00", ""),
		{name: "state", udp: true, port: 8116, says: ask("\x1a\x90\x0c\x31" + noise(40)), want: "CPHA"},
		{name: "state elsewhere", udp: true, port: 8117, says: ask("\x1a\x90\x0c\x31" + noise(40))},
	}
}

// crcOf returns the checksum of a synchrophasor's frame, bit by bit.
func crcOf(s string) string {
	sum := 0xffff
	for i := range len(s) * 8 {
		bit := int(s[i/8]>>(7-i%8)) & 1
		top := sum >> 15 & 1
		sum = sum << 1 & 0xffff
		if top^bit != 0 {
			sum ^= 0x1021
		}
	}
	return num(2, uint64(sum))
}
