// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

func servicesExamples() []example {
	return append([]example{
		{"banners", "SSH", "", true, 22, []message{toClient("SSH-2.0-server_1\r\n"), toServer("SSH-2.0-client_1\r\n")}},
		{"client", "NTP", "", false, 123, []message{toServer(0x23, 0, 6, 0xec, make([]byte, 36), uint64(0xe8000000_12345678))}},
	}, known(serviceCases())...)
}

func TestServices(t *testing.T) { runPeerCases(t, serviceCases()) }

// ber makes an element of a tag and what it holds.
func ber(tag byte, content ...string) string {
	c := strings.Join(content, "")
	if len(c) < 128 {
		return string([]byte{tag, byte(len(c))}) + c
	}
	return string([]byte{tag, 0x82, byte(len(c) >> 8), byte(len(c))}) + c
}

// sized puts a length of n bytes, big endian, in front of what it counts.
func sized(n int, content string) string { return num(n, uint64(len(content))) + content }

// turns makes a conversation whose sides speak by turns, the client first.
func turns(in ...string) []said {
	var out []said
	for i, s := range in {
		if s != "" {
			out = append(out, said{Dir(i & 1), s})
		}
	}
	return out
}

func serviceCases() []peerCase {
	var cases []peerCase
	for _, family := range [][]peerCase{
		textCases(), manageCases(), routeCases(), accessCases(), fileCases(), databaseCases(), rpcCases(), middlewareCases(), gatewayCases(),
	} {
		cases = append(cases, family...)
	}
	return cases
}

func textCases() []peerCase {
	hello := "\x16\x03\x01" + nul(2)
	stream := func(name, want string, in ...string) peerCase {
		return peerCase{name: name, says: turns(in...), want: want}
	}
	return []peerCase{
		stream("server names itself", "SMTP", "", "220 mail.example ESMTP ready\r\n"),
		stream("client only", "SMTP", "EHLO client.example\r\n"),
		stream("server goes on", "SMTP", "", "220 welcome\r\n250-mail.example\r\n"),
		stream("says hello to", "", "EHLOX client\r\n"),
		stream("code without text", "", "", "220\x01mail\r\n"),
		stream("turned to TLS", "SMTPS", "", "220 mail.example ESMTP\r\n", "EHLO client.example\r\n", "250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n", hello),
		stream("greeting", "POP3", "", "+OK POP3 server ready <1@mail.example>\r\n"),
		stream("both", "POP3", "USER a\r\n", "+OK\r\n"),
		stream("server alone", "", "", "+OK ready\r\n"),
		stream("turned to TLS", "POPS", "", "+OK POP3 ready\r\n", "STLS\r\n", "+OK\r\n", hello),
		stream("greeting", "IMAP", "", "* OK [CAPABILITY IMAP4rev1] ready\r\n"),
		stream("command", "IMAP", "a001 CAPABILITY\r\n"),
		stream("another list", "", "", "* NOT an answer\r\n"),
		stream("turned to TLS", "IMAPS", "", "* OK IMAP4 ready\r\n", "a1 STARTTLS\r\n", "a1 OK\r\n", hello),
		stream("greeting", "FTP_CONTROL", "", "220 FTP server ready\r\n"),
		stream("login", "FTP_CONTROL", "USER anonymous\r\n", "220 welcome\r\n331 password\r\n"),
		stream("server alone", "", "", "220 welcome\r\n"),
		stream("turned to TLS", "FTPS", "", "220 FTP ready\r\n", "AUTH TLS\r\n", "234 go\r\n", hello),
		stream("greeting", "Usenet", "", "200 news.example NNTP ready\r\n"),
		stream("both", "Usenet", "MODE READER\r\n", "201 ready\r\n"),
		stream("server alone", "", "", "200 ready\r\n"),
		stream("nick and user", "IRC", "NICK fish\r\nUSER fish 0 * :Fish\r\n"),
		stream("server", "IRC", "", ":irc.example NOTICE * :*** Looking up your hostname\r\n"),
		stream("nick of something else", "", "NICK fish\r\nWAIT\r\n"),
		{name: "domain", port: 43, says: ask("example.org\r\n"), want: "Whois-DAS"},
		{name: "domain elsewhere", port: 4300, says: ask("example.org\r\n")},
		stream("options", "Telnet", "\xff\xfb\x1f\xff\xfd\x03"),
		stream("option that is none", "", "\xff\xfb\x1f\xff\xfd\x63"),
		stream("greeting", "RSYNC", "", "@RSYNCD: 31.0\n"),
	}
}

func manageCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	dhcp := "\x01\x01\x06\x00" + noise(4) + nul(228) + "\x63\x82\x53\x63"
	option := num(2, 1) + sized(2, "\x00\x03\x00\x01\x02\x03\x04\x05\x06\x07")
	collectd := func(kind uint64, content string) string {
		return num(2, kind) + num(2, uint64(4+len(content))) + content
	}
	sample := num(4, 1) + sized(4, nul(40))
	return []peerCase{
		udp("discover", dhcp+"\x3d\x02\x01\x02\x35\x01\x01\xff", "DHCP"),
		{name: "bootp", udp: true, port: 67, says: ask(dhcp + "\xff" + nul(60)), want: "DHCP"},
		udp("bootp elsewhere", dhcp+"\xff"+nul(60), ""),
		udp("solicit", "\x01"+noise(3)+option, "DHCPV6"),
		udp("option too long", "\x01"+noise(3)+option[:len(option)-1], ""),
		udp("get", ber(0x30, "\x02\x01\x01", ber(4, "public"), ber(0xa0, "\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00", ber(0x30))), "SNMP"),
		tcp("get in a stream", ber(0x30, "\x02\x01\x01", ber(4, "public"), ber(0xa0, "\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00", ber(0x30))), "SNMP"),
		tcp("version 9 in a stream", ber(0x30, "\x02\x01\x09", ber(4, "public"), ber(0xa0, "\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00", ber(0x30))), ""),
		udp("version 3", ber(0x30, "\x02\x01\x03", ber(0x30, "\x02\x01\x05\x02\x02\x05\xdc\x04\x01\x04\x02\x01\x03"), ber(4, noise(20))), "SNMP"),
		udp("version 2", ber(0x30, "\x02\x01\x02", ber(4, "public"), ber(0xa0, "\x02\x01\x01")), ""),
		tcp("bind", ber(0x30, "\x02\x01\x01", ber(0x60, "\x02\x01\x03", ber(4, "cn=a"), ber(0x80, "secret"))), "LDAP"),
		udp("search", ber(0x30, "\x02\x01\x01", ber(0x63, ber(4), "\x0a\x01\x00\x0a\x01\x00", "\x02\x01\x00\x02\x01\x00\x01\x01\x00", ber(0x87, "objectClass"), ber(0x30))), "LDAP"),
		tcp("bind of version 9", ber(0x30, "\x02\x01\x01", ber(0x60, "\x02\x01\x09", ber(4, "cn=a"), ber(0x80, "secret"))), ""),
		udp("ticket", ber(0x6a, ber(0x30, "\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a", ber(0xa4, ber(0x30)))), "Kerberos"),
		tcp("error", sized(4, ber(0x7e, ber(0x30, "\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e", ber(0xa4, nul(9))))), "Kerberos"),
		tcp("version 4", sized(4, ber(0x7e, ber(0x30, "\xa0\x03\x02\x01\x04\xa1\x03\x02\x01\x1e", ber(0xa4, nul(9))))), ""),
		udp("old form", "<34>Oct 11 22:14:15 host su: failed for root", "Syslog"),
		tcp("counted", "47 <165>1 2003-10-11T22:14:15.003Z host app - - - hello", "Syslog"),
		udp("priority", "<999>Oct 11 22:14:15 host su: failed for root", ""),
		udp("no time", "<34>something that is not one at all", ""),
		udp("version 5", num(2, 5)+num(2, 1)+nul(4)+num(4, 1_700_000_000)+nul(12)+noise(48), "NetFlow"),
		udp("version 9", num(2, 9)+num(2, 1)+nul(4)+num(4, 1_700_000_000)+nul(8)+num(2, 256)+num(2, 12)+noise(8), "NetFlow"),
		udp("ipfix", num(2, 10)+num(2, 28)+num(4, 1_700_000_000)+nul(8)+num(2, 2)+num(2, 12)+noise(8), "NetFlow"),
		udp("version 5, cut", num(2, 5)+num(2, 2)+nul(4)+num(4, 1_700_000_000)+nul(12)+noise(48), ""),
		udp("samples", num(4, 5)+num(4, 1)+"\x0a\x00\x00\x01"+nul(12)+num(4, 2)+sample+sample, "sFlow"),
		udp("sample too long", num(4, 5)+num(4, 1)+"\x0a\x00\x00\x01"+nul(12)+num(4, 2)+sample+sample[:40], ""),
		udp("read", "\x00\x01boot.img\x00octet\x00blksize\x001428\x00", "TFTP"),
		udp("options", "\x00\x06blksize\x001428\x00", "TFTP"),
		udp("error", "\x00\x05\x00\x01File not found\x00", "TFTP"),
		{name: "block and answer", udp: true, says: turns("\x00\x03\x00\x01"+noise(100), "\x00\x04\x00\x01"), want: "TFTP"},
		{name: "block and wrong answer", udp: true, says: turns("\x00\x03\x00\x01"+noise(100), "\x00\x04\x00\x07")},
		udp("mode", "\x00\x01boot.img\x00binary\x00", ""),
		tcp("agent", "ZBXD\x01"+lit(8, 10)+"agent.ping", "Zabbix"),
		tcp("flags", "ZBXD\x40"+lit(8, 10)+"agent.ping", ""),
		udp("parts", collectd(0, "host\x00")+collectd(8, noise(8))+collectd(2, "cpu\x00"), "collectd"),
		udp("text without end", collectd(0, "host")+collectd(8, noise(8)), ""),
		udp("version 2", "\x02\x01\x00\x00\x1a\x00\x00\x00\x00\x00\x12\x34\x00\x02en"+nul(10), "Service_Location_Protocol"),
		udp("version 1", "\x01\x01\x00\x14\x00\x00en\x00\x03\x00\x01"+nul(8), "Service_Location_Protocol"),
		udp("length", "\x02\x01\x00\x00\x1b\x00\x00\x00\x00\x00\x12\x34\x00\x02en"+nul(10), ""),
	}
}

func routeCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	bfd := "\x20\xc0\x03\x18" + num(4, 1) + nul(4) + num(4, 1_000_000) + num(4, 1_000_000) + nul(4)
	ldp := num(2, 1) + num(2, 30) + "\x0a\x00\x00\x01" + nul(2) + num(2, 0x100) + num(2, 20) + nul(20)
	port := func(port uint16, name, in, want, app string) peerCase {
		return peerCase{name: name, udp: true, port: port, says: ask(in), want: want, app: app}
	}
	return []peerCase{
		tcp("keepalive", strings.Repeat("\xff", 16)+"\x00\x13\x04", "BGP"),
		tcp("kind", strings.Repeat("\xff", 16)+"\x00\x13\x09", ""),
		udp("hello", ldp, "LDP"),
		tcp("session", ldp, "LDP"),
		udp("hello, cut", ldp[:30], ""),
		udp("control", bfd, "BFD"),
		udp("version", "\x40"+bfd[1:], ""),
		port(1985, "hello", "\x00\x00\x10\x03\x0a\x64\x01\x00cisco\x00\x00\x00\x0a\x00\x00\x01", "HSRP", ""),
		port(1986, "hello elsewhere", "\x00\x00\x10\x03\x0a\x64\x01\x00cisco\x00\x00\x00\x0a\x00\x00\x01", "", ""),
		port(1985, "version 2", "\x01\x28\x02\x00"+nul(38), "HSRP", ""),
		udp("discovery", "\x00\x10\x02\x00"+nul(4)+num(4, 1)+"\x01"+num(2, 8)+"\x00"+"\x00\x14\x00\x01\x00", "CAPWAP"),
		udp("discovery of another length", "\x00\x10\x02\x00"+nul(4)+num(4, 1)+"\x01"+num(2, 9)+"\x00"+"\x00\x14\x00\x01\x00", ""),
		udp("dtls", "\x01\x00\x00\x00\x16\xfe\xff"+noise(40), "CAPWAP"),
		{name: "data", udp: true, port: 5247, says: turns("\x00\x10\x02\x00"+nul(4)+noise(40), "\x00\x10\x02\x00"+nul(4)+noise(60)), want: "CAPWAP"},
		port(5247, "one datagram of data", "\x00\x10\x02\x00"+nul(4)+noise(40), "", ""),
		port(2123, "not numbered", "\x30\x01\x00\x04"+nul(4)+noise(4), "", ""),
		tcp("open of version 3", strings.Repeat("\xff", 16)+"\x00\x1d\x01\x03"+noise(9), ""),
		tcp("open", strings.Repeat("\xff", 16)+"\x00\x1d\x01\x04"+noise(9), "BGP"),
		udp("echo of version 2", "\x40\x01\x00\x09"+noise(3)+"\x00"+"\x03\x00\x01\x00\x05", "GTP"),
		port(2123, "echo of version 1", "\x32\x01\x00\x06"+nul(4)+"\x00\x01\x00\x00\x0e\x05", "GTP", "GTP_C"),
		port(2152, "packet", "\x30\xff\x00\x14"+noise(4)+"\x45"+noise(19), "GTP", "GTP_U"),
		port(3386, "redirection", "\x0f\x04\x00\x05"+noise(6), "", ""),
		port(3386, "transfer", "\x0e\x01\x00\x04\x00\x01"+noise(4), "GTP", "GTP_PRIME"),
		tcp("hello", "\x04\x00\x00\x10"+noise(4)+"\x00\x01\x00\x08\x00\x00\x00\x12", "OpenFlow"),
		tcp("hello of version 9", "\x09\x00\x00\x08"+noise(4), ""),
	}
}

func accessCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	stream := func(name, want string, in ...string) peerCase {
		return peerCase{name: name, says: turns(in...), want: want}
	}
	radius := "\x01\x05" + num(2, 27) + noise(16) + "\x01\x07alice"
	return []peerCase{
		udp("request", radius, "Radius"),
		udp("attribute too long", radius[:21]+"\x08alice", ""),
		tcp("capabilities", "\x01\x00\x00\x34\x80\x00\x01\x01"+nul(4)+noise(8)+num(4, 264)+"\x40\x00\x00\x0c"+"a.example"+nul(16), "Diameter"),
		tcp("reserved flags", "\x01\x00\x00\x34\x8f\x00\x01\x01"+nul(4)+noise(8)+num(4, 264)+"\x40\x00\x00\x0c"+"a.example"+nul(16), ""),
		tcp("start", "\xc0\x01\x01\x00"+noise(4)+sized(4, noise(24)), "TACACS"),
		tcp("number", "\xc0\x01\x03\x00"+noise(4)+sized(4, noise(24)), ""),
		stream("version 5", "SOCKS", "\x05\x02\x00\x02", "\x05\x00"),
		stream("version 4", "SOCKS", "\x04\x01\x00\x50\xc6\x33\x64\x01user\x00", "\x00\x5a\x00\x50\xc6\x33\x64\x01"),
		stream("version 5 alone", "", "\x05\x02\x00\x02"),
		stream("version 5 answered by 4", "", "\x05\x02\x00\x02", "\x00\x5a\x00\x50\xc6\x33\x64\x01"),
		tcp("negotiation", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00", "RDP"),
		tcp("lengths", "\x03\x00\x00\x22\x1e\xe0\x00\x00\x00\x00\x00Cookie: mstshash=user\r\n", ""),
		tcp("cookie", "\x03\x00\x00\x22\x1d\xe0\x00\x00\x00\x00\x00Cookie: mstshash=user\r\n", "RDP"),
		{name: "turned to TLS", says: turns("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00",
			"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00", "\x16\x03\x01\x00\x40"+noise(64)), want: "TLS", app: "RDP"},
		tcp("version", "RFB 003.008\n", "VNC"),
		tcp("no version", "RFB 003x008\n", ""),
		tcp("ica", "\x7f\x7fICA\x00", "Citrix"),
		tcp("common gateway", "\x1aCGP/01\x00", "Citrix"),
		tcp("version 3", "\x01\x00\x00\x00\x01\x00\x00\x00\x08\x08", "Radmin"),
		stream("both", "TeamViewer", "\x17\x24\x0a\x20\x00", "\x17\x24\x11\x04\x00"),
		stream("one side", "", "\x17\x24\x0a\x20\x00", "\x17\x25\x11\x04\x00"),
		tcp("set-up", "l\x00\x0b\x00\x00\x00\x12\x00\x10\x00\x00\x00MIT-MAGIC-COOKIE-1\x00\x00"+noise(16), "X11"),
		tcp("set-up of version 12", "l\x00\x0c\x00\x00\x00\x12\x00\x10\x00\x00\x00MIT-MAGIC-COOKIE-1", ""),
		{name: "query", udp: true, port: 177, says: ask("\x00\x01\x00\x02\x00\x01\x00"), want: "XDMCP"},
		udp("willing", "\x00\x01\x00\x05"+sized(2, "\x00\x00"+sized(2, "host")+sized(2, "1 user")), "XDMCP"),
	}
}

func fileCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	smb1 := func(command byte, dialects string) string {
		return sized(4, "\xffSMB"+string([]byte{command})+nul(27)+"\x00"+lit(2, uint64(len(dialects)))+dialects)
	}
	name := "\x20" + strings.Repeat("CA", 16) + "\x00"
	smb2 := sized(4, "\xfeSMB\x40\x00"+nul(58)+"\x24\x00"+nul(34))
	call := func(program uint64) string {
		return noise(4) + nul(4) + num(4, 2) + num(4, program) + num(4, 3) + num(4, 1) + nul(16)
	}
	bind := "\x05\x00\x0b\x03\x10\x00\x00\x00" + lit(2, 72) + nul(2) + lit(4, 1) + nul(56)
	datagram := func(iface string) string {
		return "\x04\x00\x20\x00\x10\x00\x00\x00" + noise(16) + iface + noise(16) + nul(4) + lit(4, 1) + nul(6) + "\xff\xff\xff\xff" + lit(2, 20) + nul(4) + noise(20)
	}
	return []peerCase{
		{name: "negotiate", says: ask(smb1(0x72, "\x02NT LM 0.12\x00")), want: "NetBIOS", app: "SMBV1"},
		{name: "negotiate answered by version 2", says: turns(smb1(0x72, "\x02NT LM 0.12\x00\x02SMB 2.002\x00"), smb2), want: "NetBIOS", app: "SMBV23"},
		{name: "version 2", says: ask(smb2), want: "NetBIOS", app: "SMBV23"},
		{name: "session", says: ask("\x81\x00\x00\x44" + name + "\x20" + strings.Repeat("FH", 16) + "\x00"), want: "NetBIOS", app: "NETBIOS"},
		{name: "session with a file", says: turns("\x81\x00\x00\x44"+name+name+smb1(0x75, ""), "\x82\x00\x00\x00"), want: "NetBIOS", app: "SMBV1"},
		tcp("session of small letters", "\x81\x00\x00\x44"+strings.ToLower(name+name), ""),
		udp("call", call(100003), "NFS"),
		tcp("call", "\x80\x00\x00\x28"+call(100005), "NFS"),
		udp("another program", call(200003), ""),
		tcp("bind", bind, "DCERPC"),
		tcp("bind of version 7", "\x07"+bind[1:], ""),
		{name: "profinet", udp: true, says: ask(datagram("\x01\x00\xa0\xde\x97\x6c\xd1\x11\x82\x71\x00\xa0\x24\x42\xdf\x7d")), want: "DCERPC", app: "PROFINET_IO"},
		{name: "another interface", udp: true, says: ask(datagram(noise(16))), want: "DCERPC", app: "DCERPC"},
		tcp("acceptor", "\x00\x71\xce\xac\x01\x00\x00\x00"+noise(8), "Lustre"),
		tcp("message", "\xc1\x00\x00\x00"+noise(20)+noise(16)+lit(4, 12345)+lit(4, 12345)+lit(4, 1)+noise(36), "Lustre"),
	}
}

func databaseCases() []peerCase {
	tcp := tcpCase
	stream := func(name, want string, in ...string) peerCase {
		return peerCase{name: name, says: turns(in...), want: want}
	}
	greeting := "\x0a8.0.36\x00" + noise(12) + "\x00" + noise(40)
	document := lit(4, 5) + "\x00"
	mongo := func(code uint64, body string) string {
		return lit(4, uint64(16+len(body))) + noise(4) + nul(4) + lit(4, code) + body
	}
	connect := num(2, 90) + nul(2) + "\x01\x00\x00\x00" + num(2, 318) + num(2, 300) + nul(12) + num(2, 20) + num(2, 70) + nul(42) + "(DESCRIPTION=(ADDRES"
	prelogin := "\x12\x01\x00\x1a\x00\x00\x01\x00" + "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff" + "\x0f\x00\x07\xd0\x00\x00\x00"
	cql := num(2, 1) + sized(2, "CQL_VERSION") + sized(2, "3.0.0")
	return []peerCase{
		tcp("start", sized(4, "")[:0]+num(4, 22)+num(4, 3<<16)+"user\x00alice\x00\x00", "PostgreSQL"),
		tcp("encryption", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "PostgreSQL"),
		tcp("version 9", num(4, 22)+num(4, 9<<16)+"user\x00alice\x00\x00", ""),
		stream("greeting", "MySQL", "", lit(3, uint64(len(greeting)))+"\x00"+greeting),
		stream("greeting of version 9", "", "", lit(3, uint64(len(greeting)))+"\x00\x09"+greeting[1:]),
		tcp("message", mongo(2013, nul(4)+"\x00"+document), "MongoDB"),
		tcp("query", mongo(2004, nul(4)+"admin.$cmd\x00"+nul(8)+document), "MongoDB"),
		tcp("another code", mongo(2019, nul(4)+"\x00"+document), ""),
		tcp("command", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "Redis"),
		{name: "answer to a line", says: turns("PING\r\n", "+PONG\r\n"), want: "Redis"},
		{name: "another answer to a line", says: turns("PING\r\n", "+OK\r\n"), want: ""},
		tcp("command that is none", "*2\r\n$3\r\nG T\r\n", ""),
		tcp("connect", connect, "Oracle"),
		tcp("connect of another kind", connect[:4]+"\x09"+connect[5:], ""),
		tcp("before the login", prelogin, "MsSQL-TDS"),
		tcp("options that point outside", prelogin[:11]+"\xff"+prelogin[12:], ""),
		tcp("startup", "\x04\x00\x00\x01\x01"+sized(4, cql), "Cassandra"),
		stream("options", "Cassandra", "\x04\x00\x00\x01\x05"+nul(4), "\x84\x00\x00\x01\x06"+sized(4, num(2, 1)+sized(2, "COMPRESSION")+num(2, 1)+sized(2, "lz4"))),
		stream("options of DataStax", "Cassandra", "\x42\x00\x00\x00\x05"+nul(4), "\xc2\x00\x00\x00\x06"+sized(4, num(2, 1)+sized(2, "COMPRESSION")+num(2, 1)+sized(2, "lz4"))),
		tcp("startup without a version", "\x04\x00\x00\x01\x01"+sized(4, num(2, 1)+sized(2, "CQL_NOTHING")+sized(2, "3.0.0")), ""),
		tcp("set", "set key 0 60 5\r\nvalue\r\n", "Memcached"),
		{name: "get", says: turns("get key\r\n", "END\r\n"), want: "Memcached"},
		tcp("get alone", "get key\r\n", ""),
		tcp("set without numbers", "set key a b\r\n", ""),
		tcp("binary set", "\x80\x01\x00\x03\x08\x00\x00\x00"+num(4, 16)+nul(4)+nul(8)+nul(8)+"keyvalue", "Memcached"),
		tcp("binary version", "\x80\x0b\x00\x00\x00\x00\x00\x00"+nul(16), "Memcached"),
		{name: "binary answer", says: tell("\x81\x00\x00\x00\x00\x00\x00\x01" + num(4, 9) + nul(4) + nul(8) + "Not found"), want: "Memcached"},
		tcp("binary, set without extras", "\x80\x01\x00\x03\x00\x00\x00\x00"+num(4, 16)+nul(4)+nul(8)+nul(8)+"keyvalue", ""),
		tcp("binary, a type of data", "\x80\x0b\x00\x00\x00\x01\x00\x00"+nul(16), ""),
		udpCase("stats", noise(2)+"\x00\x00\x00\x01\x00\x00stats\r\n", "Memcached"),
	}
}

func rpcCases() []peerCase {
	udp, tcp := udpCase, tcpCase
	levels := func(level string) string {
		return "\x10" + sized(1, "\x00\x04MQTT"+level+"\x02\x00\x3c\x00\x02ab")
	}
	request := num(2, 18) + num(2, 0) + num(4, 1) + sized(2, "client")
	coap := "\x41\x01\x12\x34\x99" + "\xb4temp"
	hello := lit(8, 1) + lit(8, 7) + lit(8, 16) + "192.0.2.1:9000\x00\x00"
	init := ber(0xb4, "\x83\x02\x05\xe0", "\x84\x02\x05\x20", "\x85\x04\x04\x00\x00\x00", "\x86\x04\x04\x00\x00\x00")
	return []peerCase{
		tcp("connect", levels("\x04"), "MQTT"),
		tcp("connect of version 9", levels("\x09"), ""),
		tcp("header", "AMQP\x00\x00\x09\x01", "AMQP"),
		tcp("publication", "\x30"+sized(1, sized(2, "home/temp")+"21.5"), "MQTT"),
		tcp("publication to no topic", "\x30"+sized(1, sized(2, "home/te\x01p")+"21.5"), ""),
		tcp("frame", "\x01\x00\x01"+sized(4, num(2, 60)+num(2, 40)+nul(2)+"\x00\x03key\x00")+"\xce", "AMQP"),
		tcp("frame without an end", "\x01\x00\x01"+sized(4, num(2, 60)+num(2, 40)+nul(2)+"\x00\x03key\x00")+"\xcf", ""),
		tcp("header of another", "AMQP\xff\x00\x09\x01", ""),
		tcp("connect", "CONNECT\naccept-version:1.2\nhost:a\n\n\x00", "STOMP"),
		tcp("connect to a host", "CONNECT\nwithout anything\n", ""),
		{name: "information", says: tell(`INFO {"server_id":"NA","version":"2.10"}` + "\r\n"), want: "NATS"},
		tcp("versions", sized(4, request), "Kafka"),
		tcp("version of a version", sized(4, num(2, 18)+num(2, 99)+request[4:]), ""),
		udp("get", coap, "CoAP"),
		{name: "acknowledged", udp: true, port: 5683, says: turns("\x41\x01\x12\x34\x99", "\x61\x45\x12\x34\x99\xc0\xffhello"), want: "CoAP"},
		{name: "answer alone", udp: true, port: 5683, says: tell("\x61\x45\x12\x34\x99\xc0\xffhello")},
		udp("option that is none", coap[:5]+"\xd4\xf0temp", ""),
		tcp("logon", "8=FIX.4.4\x019=65\x0135=A\x01", "FIX"),
		tcp("no length", "8=FIX.4.4\x0135=A\x01", ""),
		tcp("stream", "JRMI\x00\x02\x4b", "JRMI"),
		tcp("protocol", "JRMI\x00\x02\x5b", ""),
		tcp("request", "GIOP\x01\x02\x01\x00"+lit(4, 40)+noise(40), "Corba"),
		udp("multicast", "MIOP\x10\x01"+noise(40), "Corba"),
		tcp("request of kind 9", "GIOP\x01\x02\x01\x09"+lit(4, 40), ""),
		tcp("forward", "\x12\x34"+sized(2, "\x02\x02"+sized(2, "HTTP/1.1")+"\x00"+sized(2, "/")+"\x00"+nul(8)), "AJP"),
		{name: "headers", says: tell("AB" + sized(2, "\x04\x00\xc8"+sized(2, "OK")+"\x00")), want: "AJP"},
		tcp("method", "\x12\x34"+sized(2, "\x02\x77"+sized(2, "HTTP/1.1")+"\x00"), ""),
		tcp("begin", "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00"+nul(5)+"\x01\x04\x00\x01", "FastCGI"),
		tcp("role", "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x09\x00"+nul(5)+"\x01\x04\x00\x01", ""),
		tcp("framed", sized(4, "\x80\x01\x00\x01"+sized(4, "ping")+nul(5)), "Thrift"),
		udp("compact", "\x82\x81\x01\x09emitBatch\x1c"+nul(20), "Thrift"),
		tcp("name that is none", sized(4, "\x80\x01\x00\x01"+sized(4, "p\x01ng")+nul(5)), ""),
		tcp("introduction", hello, "Raft"),
		tcp("address that is none", strings.Replace(hello, ":", "\x01", 1), ""),
		tcp("initialise", init, "Z3950"),
		tcp("initialise without a version", init[:2]+"\x88"+init[3:], ""),
	}
}
