// SPDX-License-Identifier: MIT

package classifier

import (
	"strconv"
	"testing"
	"time"
)

// invite makes a message of SIP with a description of media on a port.
func invite(first, port string) string {
	return first + "\r\nVia: SIP/2.0/UDP a\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio " + port + " RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000"
}

// The first packet of media that a session has told of is known, in either
// direction.
func TestAnnouncedMedia(t *testing.T) {
	const phone, proxy, peer = "192.0.2.10", "198.51.100.1", "203.0.113.5"
	ask, ok := "INVITE sip:b@example.com SIP/2.0", "SIP/2.0 200 OK"
	first := said{Original, rtpPacket(0, 1, 160, "abcd")}
	back := said{Reply, rtpPacket(0, 1, 160, "abcd")}
	setup := []said{
		{Original, "OPTIONS rtsp://example.com/a RTSP/1.0\r\nCSeq: 1\r\n\r\n"},
		{Reply, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"},
		{Original, "SETUP rtsp://example.com/a RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n"},
		{Reply, "RTSP/1.0 200 OK\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=5000-5001;server_port=6256-6257\r\n\r\n"},
	}
	for _, tt := range []struct {
		name     string
		proto    uint8
		says     []said
		from, to string
		says2    said
		after    time.Duration
		want     string
	}{
		{"offer", ProtoUDP, []said{{Original, invite(ask, "49170")}}, phone + ":49170", peer + ":7000", first, 0, "RTP"},
		{"offer, from the other side", ProtoUDP, []said{{Original, invite(ask, "49170")}}, peer + ":7000", phone + ":49170", first, 0, "RTP"},
		{"offer, the answer comes first", ProtoUDP, []said{{Original, invite(ask, "49170")}}, phone + ":49170", peer + ":7000", back, 0, "RTP"},
		{"offer, another port", ProtoUDP, []said{{Original, invite(ask, "49170")}}, phone + ":49172", peer + ":7000", first, 0, ""},
		{"offer, later", ProtoUDP, []said{{Original, invite(ask, "49170")}}, phone + ":49170", peer + ":7000", first, time.Hour, ""},
		{"offer, what is no RTP", ProtoUDP, []said{{Original, invite(ask, "49170")}}, phone + ":49170", peer + ":7000", said{Original, noise(40)}, 0, ""},
		{"no port", ProtoUDP, []said{{Original, invite(ask, "0")}}, phone + ":0", peer + ":7000", first, 0, ""},
		{"a port of services", ProtoUDP, []said{{Original, invite(ask, "443")}}, phone + ":443", peer + ":7000", first, 0, ""},
		{"answer of the server", ProtoUDP, []said{{Original, ask + "\r\n\r\n"}, {Reply, invite(ok, "6000")}}, phone + ":9999", proxy + ":6000", first, 0, "RTP"},
		{"answer of the server, another client", ProtoUDP, []said{{Original, ask + "\r\n\r\n"}, {Reply, invite(ok, "6000")}}, peer + ":9999", proxy + ":6000", first, 0, ""},
		{"in a stream", ProtoTCP, []said{{Original, invite(ask, "491")}, {Original, "70\r\nm=video 49180 RTP/AVP 31\r\n"}}, phone + ":49180", peer + ":7000", first, 0, "RTP"},
		{"of RTSP, the client's", ProtoTCP, setup, phone + ":5000", peer + ":7000", first, 0, "RTP"},
		{"of RTSP, the server's", ProtoTCP, setup, proxy + ":6256", phone + ":7000", first, 0, "RTP"},
		{"of RTSP, elsewhere", ProtoTCP, setup, peer + ":6256", phone + ":7000", first, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Options{Relations: NewRelations(RelationsOptions{})})
			between(c, tt.proto, phone+":5060", proxy+":5060", testTime, tt.says...)
			if r := between(c, ProtoUDP, tt.from, tt.to, testTime.Add(tt.after), tt.says2); r.Protocol != tt.want {
				t.Errorf("got %q, want %q", r.Protocol, tt.want)
			}
		})
	}
}

// A session of SIP is listened to for as long as it lasts, and what else its ends
// send on the same ports ends that.
func TestSIPIsListenedTo(t *testing.T) {
	p := newPlayer(New(Options{Relations: NewRelations(RelationsOptions{})}), false, 5060)
	for range 100 {
		p.show(Original, []byte("REGISTER sip:example.com SIP/2.0\r\n\r\n"))
		p.show(Reply, []byte("SIP/2.0 200 OK\r\n\r\n"))
		p.show(Original, []byte("\r\n\r\n"))
	}
	if p.s.State() != Final {
		t.Errorf("state %v", p.s.State())
	}
	p.show(Original, noiseBytes(50))
	if p.show(Reply, noiseBytes(50)); p.s.State() != Done {
		t.Errorf("state %v behind something else", p.s.State())
	}
}

// A client that announces ports without end displaces what others announced of
// media, and nothing else.
func TestMediaWithoutEnd(t *testing.T) {
	relations := NewRelations(RelationsOptions{Total: 64})
	c := New(Options{Relations: relations})
	between(c, ProtoTCP, "192.0.2.10:40000", "198.51.100.1:21", testTime,
		said{Reply, "220 FTP\r\n"}, said{Original, "EPSV\r\n"}, said{Reply, "229 Extended Passive Mode (|||50000|)\r\n"})
	for port := 1024; port < 3000; port += 40 {
		text := "OPTIONS sip:a@example.org SIP/2.0\r\n\r\n"
		for k := range 40 {
			text += "m=audio " + strconv.Itoa(port+k) + " RTP/AVP 0\r\n"
		}
		between(c, ProtoUDP, "192.0.2.99:5060", "198.51.100.1:5060", testTime, said{Original, text})
	}
	if n := relations.Len(); n != 65 {
		t.Errorf("%d entries, want 64 of media and one of data", n)
	}
	if r := between(c, ProtoTCP, "192.0.2.10:40001", "198.51.100.1:50000", testTime); r.Protocol != "FTP_DATA" {
		t.Errorf("the data connection is %q", r.Protocol)
	}
}
