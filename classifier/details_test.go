// SPDX-License-Identifier: MIT

package classifier

import (
	"strings"
	"testing"
)

// The name that each protocol's messages carry is the detail.
func TestDetails(t *testing.T) {
	label := func(s string) string { return string([]byte{byte(len(s))}) + s }
	question := func(flags, answers, more uint64, name string) string {
		return num(2, 7) + num(2, flags) + num(2, 1) + num(2, answers) + num(2, 0) + num(2, more) + name + "\x00" + num(2, 33) + num(2, 1)
	}
	name := label("www") + label("Example") + label("org")
	for _, tt := range []struct {
		peerCase
		detail string
	}{
		{peerCase{name: "question that promises more", udp: true, port: 53, says: ask(question(0x100, 0, 0x7100, name)), want: "DNS"}, "www.example.org"},
		{peerCase{name: "question with answers", udp: true, port: 53, says: ask(question(0x100, 9, 0, name)), want: "DNS"}, "www.example.org"},
		{peerCase{name: "the same elsewhere", udp: true, port: 5300, says: ask(question(0x100, 9, 0, name))}, ""},
		{peerCase{name: "of no host", udp: true, port: 53, says: ask(question(0x100, 9, 0, label("a\x01b")+label("c")))}, ""},
		{peerCase{name: "coded name asked of a name server", udp: true, port: 53, says: ask(question(0x100, 0, 0, label("CK"+strings.Repeat("A", 30)))), want: "DNS"}, "ck" + strings.Repeat("a", 30)},
		{peerCase{name: "coded name", udp: true, port: 137, says: ask(question(0x110, 0, 0x7400, label(coded("DESK")))), want: "NetBIOS"}, "desk"},
		{peerCase{name: "multicast, not in ASCII", udp: true, port: 5353, says: ask(question(0, 0, 0, label("Jos\u00e9's Mac")+label("_smb")+label("_tcp")+label("local"))), want: "MDNS"}, "jos's mac._smb._tcp.local"},
		{peerCase{name: "greeting", port: 25, says: []said{{Reply, "220 Mail.Example.org ESMTP ready\r\n"}}, want: "SMTP"}, "mail.example.org"},
		{peerCase{name: "greeting with an address", port: 25, says: []said{{Reply, "220 [192.0.2.1] ESMTP ready\r\n"}}, want: "SMTP"}, ""},
		{peerCase{name: "whois", port: 43, says: ask("-T dn example.org\r\n"), want: "Whois-DAS"}, "example.org"},
		{peerCase{name: "whois of a number", port: 43, says: ask("AS64496 1\r\n"), want: "Whois-DAS"}, ""},
		{peerCase{name: "push", says: ask(push("api.example.org:5222")), want: "Xiaomi"}, "api.example.org"},
		{peerCase{name: "push to nowhere", says: ask(push("a b")), want: "Xiaomi"}, ""},
		{peerCase{
			name: "realm of a relay", want: "STUN",
			says: []said{{Original, stunMessageOf(3)}, {Reply, stunMessageOf(0x113, stunAttribute(0x0009, "\x00\x00\x04\x01")) + stunMessageOf(0x113, stunAttribute(0x0014, "turn.example.org"))}},
		}, "turn.example.org"},
		{peerCase{
			name: "parts of unknown types", udp: true, want: "collectd",
			says: ask("\x00\x00\x00\x09host\x00" + "\x00\x08\x00\x0c" + noise(8) + "\x00\x09\x00\x0c" + noise(8) + "\xff\xff\x00\x08cpu\x00" +
				"\x00\x02\x00\x08cpu\x00\x00\x02\x00\x08cpu\x00\x00\x02\x00\x08cpu\x00\x00\x02\x00\x08cpu\x00\x00\x02\x00\x08cpu\x00"),
		}, "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(New(Options{}), !tt.udp, tt.port)
			for _, m := range tt.says {
				p.show(m.dir, []byte(m.in))
			}
			if r := p.s.Result(); r.Protocol != tt.want || r.Detail != tt.detail {
				t.Errorf("got %q, detail %q; want %q, %q", r.Protocol, r.Detail, tt.want, tt.detail)
			}
		})
	}
}

// push makes the frame of Xiaomi's push service that opens a connection.
func push(server string) string {
	head := "\x08\x00\x1a\x0aexample.or\x2a\x04CONN"
	body := "\x08\x6a\x12\x05model\x28\x29\x3a" + string([]byte{byte(len(server))}) + server + "\x42\x05en_US"
	rest := num(2, 2) + num(2, uint64(len(head))) + num(4, uint64(len(body))) + head + body + noise(4)
	return "\xc2\xfe\x00\x05" + num(4, uint64(len(rest))) + rest
}

// coded returns a name of NetBIOS in two letters for each character.
func coded(name string) string {
	out := make([]byte, 32)
	for i := range 16 {
		c := byte(' ')
		if i < len(name) {
			c = name[i]
		}
		out[2*i], out[2*i+1] = 'A'+c>>4, 'A'+c&15
	}
	return string(out)
}
