// SPDX-License-Identifier: MIT

package classifier

import "strings"

func middlewareCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	login := "\x43\x87\x00\x00" + num(4, 40) + nul(40) + "InitiatorName=iqn.2001-04.org.example:a\x00"
	associate := "\x01\x00" + num(4, 200) + "\x00\x01\x00\x00" + "ARCHIVE         " + "SCANNER         " + nul(32)
	sync := "\x00\x02" + num(2, 44) + nul(16) + noise(12) + "\x00\x00" + noise(10)
	drda := num(2, 30) + "\xd0\x41\x00\x01" + num(2, 24) + num(2, 0x1041) + noise(20)
	return []peerCase{
		tcp("greeting", "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL", "ZeroMQ"),
		tcp("greeting of version 9", "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x09\x00NULL", ""),
		tcp("format", num(4, 240)+"\x01ActiveMQ"+num(4, 12), "OpenWire"),
		tcp("format of another", num(4, 240)+"\x01InactiveMQ"+num(4, 12), ""),
		tcp("text", "PROXY TCP4 192.0.2.1 198.51.100.1 40000 443\r\n", "HAProxy"),
		tcp("binary", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"+noise(12), "HAProxy"),
		tcp("clone", "0033git-upload-pack /project.git\x00host=example.org\x00", "Git"),
		tcp("another service", "0033git-offload-pack /project.git\x00", ""),
		{name: "greeting", says: tell("( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) "), want: "SVN"},
		tcp("attributes", drda, "DRDA"),
		tcp("attributes of another length", "\x00\x1f"+drda[2:], ""),
		udp("data", "RTPS\x02\x03\x01\x0f"+noise(12)+"\x09\x01\x08\x00"+noise(8), "RTPS"),
		udp("data of version 7", "RTPS\x07\x03\x01\x0f"+noise(16), ""),
		udp("sync", sync, "PTPv2"),
		udp("sync, cut", sync[:43], ""),
		tcp("login", login, "iSCSI"),
		tcp("login without a name", strings.ReplaceAll(login, "InitiatorName", "InitiatorGame"), ""),
		tcp("banner", "ceph v2\n"+nul(18), "Ceph"),
		tcp("open session", "\x00\x04\x00\x01"+nul(4)+num(4, 6)+nul(4)+"\x01\x04\x00\x00\x04\x00", "AFP"),
		tcp("open session of length 7", "\x00\x04\x00\x01"+nul(4)+num(4, 7)+nul(4)+"\x01\x04\x00\x00\x04\x00", ""),
		tcp("associate", associate, "DICOM"),
		tcp("associate of nobody", associate[:10]+nul(16)+associate[26:], ""),
		tcp("message", "\x0bMSH|^~\\&|LAB|HOSPITAL\r\x1c\r", "HL7"),
		udp("identify", "\x02\xfd\x00\x01\x00\x00\x00\x00", "DoIP"),
		tcp("activate", "\x02\xfd\x00\x05\x00\x00\x00\x07\x0e\x00\x00\x00\x00\x00\x00", "DoIP"),
		udp("identify, not inverse", "\x02\xfe\x00\x01\x00\x00\x00\x00", ""),
		tcp("command", "1021\x00alice\x00bob\x00ls -l\x00", "RSH"),
		tcp("command without a user", "1021\x00\x00bob\x00ls -l\x00", ""),
		tcp("shell", "NXSH-5.3.12\n", "NoMachine"),
		{name: "greeting", says: tell("# munin node at host.example\n"), want: "Munin"},
	}
}
