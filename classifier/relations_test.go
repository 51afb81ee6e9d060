// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"testing"
	"time"
)

// between shows one session the messages of a client and a server.
func between(c *Classifier, proto uint8, client, server string, at time.Time, says ...said) Result {
	p := &player{c: c, ends: Endpoints{proto, netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)}}
	p.c.Begin(&p.s, p.ends, at)
	for _, m := range says {
		p.showAt(m.dir, []byte(m.in), at)
	}
	return p.s.Result()
}

func TestRelationsOfCalls(t *testing.T) {
	const phone, relay = "192.0.2.10:40000", "198.51.100.1:3478"
	plain := said{Original, stunMessageOf(1, stunAttribute(0x0006, "a:b"))}
	named := said{Reply, stunMessageOf(0x113, stunAttribute(0x0014, "turn.signal.org"))}
	for _, tt := range []struct {
		name, client, server string
		after                time.Duration
		want                 string
	}{
		{"the same socket", phone, "203.0.113.5:19302", time.Second, "SIGNALVOIP"},
		{"a peer calls the socket", "203.0.113.6:5000", phone, time.Second, "SIGNALVOIP"},
		{"the same relay", "192.0.2.10:40001", relay, time.Second, "SIGNALVOIP"},
		{"another client of the relay", "192.0.2.11:40000", relay, time.Second, "STUN"},
		{"another socket", "192.0.2.10:40001", "203.0.113.5:19302", time.Second, "STUN"},
		{"the same socket, later", phone, "203.0.113.5:19302", 11 * time.Minute, "STUN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Options{Relations: NewRelations(RelationsOptions{})})
			if r := between(c, ProtoUDP, phone, relay, testTime, plain, named); r.Application != "SIGNALVOIP" || r.Confidence <= confidenceRelation {
				t.Fatalf("named: %q, %d", r.Application, r.Confidence)
			}
			if r := between(c, ProtoUDP, tt.client, tt.server, testTime.Add(tt.after), plain); r.Protocol != "STUN" || r.Application != tt.want {
				t.Errorf("got %q %q, want %q", r.Protocol, r.Application, tt.want)
			}
		})
	}
}

// What was named by a relation names nothing further.
func TestRelationsDoNotSpread(t *testing.T) {
	c := New(Options{Relations: NewRelations(RelationsOptions{})})
	plain := said{Original, stunMessageOf(1, stunAttribute(0x0006, "a:b"))}
	named := said{Reply, stunMessageOf(0x113, stunAttribute(0x0014, "turn.signal.org"))}
	between(c, ProtoUDP, "192.0.2.10:40000", "198.51.100.1:3478", testTime, plain, named)
	between(c, ProtoUDP, "192.0.2.10:40000", "203.0.113.5:19302", testTime, plain)
	if r := between(c, ProtoUDP, "192.0.2.10:50000", "203.0.113.5:19302", testTime, plain); r.Application != "STUN" {
		t.Errorf("got %q", r.Application)
	}
}

func TestRelationsAreBounded(t *testing.T) {
	r := NewRelations(RelationsOptions{Total: 32})
	for i := range 1000 {
		r.add(relationKey{end: netip.AddrPortFrom(serverAddr.Addr(), uint16(i))}, &Application{"X", "x"}, testTime)
	}
	if n := r.Len(); n > 32 {
		t.Errorf("%d entries", n)
	}
}

func TestExpectedTransfers(t *testing.T) {
	const client, server = "192.0.2.10", "198.51.100.1"
	login := []said{{Reply, "220 FTP ready\r\n"}, {Original, "USER a\r\n"}, {Reply, "331 password\r\n"}}
	for _, tt := range []struct {
		name     string
		says     said
		from, to string
		want     string
	}{
		{"passive", said{Reply, "227 Entering Passive Mode (198,51,100,1,200,10).\r\n"}, client + ":50000", server + ":51210", "FTP_DATA"},
		{"passive behind translation", said{Reply, "227 Entering Passive Mode (10,0,0,1,200,10)\r\n"}, client + ":50000", server + ":51210", "FTP_DATA"},
		{"passive, another client", said{Reply, "227 Entering Passive Mode (198,51,100,1,200,10)\r\n"}, "192.0.2.11:50000", server + ":51210", ""},
		{"passive, not whole", said{Reply, "227 Entering Passive Mode (198,51,100,1,200,1"}, client + ":50000", server + ":51201", ""},
		{"passive, a port of services", said{Reply, "227 Entering Passive Mode (198,51,100,1,1,187)\r\n"}, client + ":50000", server + ":443", ""},
		{"passive, no port", said{Reply, "227 Entering Passive Mode (198,51,100,1,0,0)\r\n"}, client + ":50000", server + ":0", ""},
		{"extended passive", said{Reply, "229 Entering Extended Passive Mode (|||51210|)\r\n"}, client + ":50000", server + ":51210", "FTP_DATA"},
		{"active", said{Original, "PORT 192,0,2,10,200,10\r\n"}, server + ":20", client + ":51210", "FTP_DATA"},
		{"active, elsewhere", said{Original, "PORT 192,0,2,11,200,10\r\n"}, server + ":20", "192.0.2.11:51210", ""},
		{"extended active", said{Original, "EPRT |1|192.0.2.10|51210|\r\n"}, server + ":20", client + ":51210", "FTP_DATA"},
		{"said by the wrong side", said{Original, "227 Entering Passive Mode (198,51,100,1,200,10)\r\n"}, client + ":50000", server + ":51210", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relations := NewRelations(RelationsOptions{})
			c := New(Options{Relations: relations})
			if r := between(c, ProtoTCP, client+":40000", server+":21", testTime, append(login[:3:3], tt.says)...); r.Protocol != "FTP_CONTROL" {
				t.Fatalf("control connection: %q", r.Protocol)
			}
			c = New(Options{Relations: relations}) // as after a reload
			r := between(c, ProtoTCP, tt.from, tt.to, testTime, said{Reply, noise(40)})
			if r.Protocol != tt.want {
				t.Errorf("got %q, want %q", r.Protocol, tt.want)
			}
		})
	}
}

// What is announced is good for one connection, and for a minute.
func TestExpectedTransfersOnce(t *testing.T) {
	const from, to = "192.0.2.10:50000", "198.51.100.1:51210"
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  [2]string
	}{
		{"at once", time.Second, [2]string{"FTP_DATA", ""}},
		{"late", 2 * time.Minute, [2]string{"", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Options{Relations: NewRelations(RelationsOptions{})})
			between(c, ProtoTCP, "192.0.2.10:40000", "198.51.100.1:21", testTime, said{Reply, "220 FTP ready\r\n"}, said{Original, "USER a\r\n"},
				said{Reply, "229 Entering Extended Passive Mode (|||51210|)\r\n"})
			for i, want := range tt.want {
				if r := between(c, ProtoTCP, from, to, testTime.Add(tt.after), said{Reply, noise(40)}); r.Protocol != want {
					t.Errorf("connection %d: got %q, want %q", i+1, r.Protocol, want)
				}
			}
		})
	}
}

// A session that nobody began begins with its first packet, as one that another
// has announced, too.
func TestExpectedWithoutBegin(t *testing.T) {
	c := New(Options{Relations: NewRelations(RelationsOptions{})})
	between(c, ProtoTCP, "192.0.2.10:40000", "198.51.100.1:655", testTime, said{Original, "0 node_a 17.7\n"}, said{Reply, "0 node_b 17.7\n"})
	p := Packet{Proto: ProtoUDP, Src: netip.MustParseAddr("192.0.2.10"), Dst: netip.MustParseAddr("198.51.100.1"), SrcPort: 655, DstPort: 655, Payload: noiseBytes(100)}
	var s Session
	if state := c.Inspect(&s, &p, Original, testTime); state != Done || s.Result().Protocol != "TINC" {
		t.Errorf("state %v, %q", state, s.Result().Protocol)
	}
}

// A node of tinc sends datagrams to the port that took its connection.
func TestExpectedDatagrams(t *testing.T) {
	const node = "0 node_b 17.7\n"
	for _, tt := range []struct{ name, answer, from, to, want string }{
		{"to the server", node, "192.0.2.10:655", "198.51.100.1:655", "TINC"},
		{"from the server", node, "198.51.100.1:655", "192.0.2.10:655", "TINC"},
		{"to another port", node, "192.0.2.10:655", "198.51.100.1:656", ""},
		{"of another client", node, "192.0.2.11:655", "198.51.100.1:655", ""},
		{"to what is no node", "HTTP/1.1 400 Bad Request\r\n\r\n", "192.0.2.10:655", "198.51.100.1:655", ""},
		{"to what says nothing", "", "192.0.2.10:655", "198.51.100.1:655", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Options{Relations: NewRelations(RelationsOptions{})})
			if r := between(c, ProtoTCP, "192.0.2.10:40000", "198.51.100.1:655", testTime, said{Original, "0 node_a 17.7\n"}, said{Reply, tt.answer}); r.Protocol != "TINC" {
				t.Fatalf("connection: %q", r.Protocol)
			}
			if r := between(c, ProtoUDP, tt.from, tt.to, testTime, said{Original, noise(100)}); r.Protocol != tt.want {
				t.Errorf("got %q, want %q", r.Protocol, tt.want)
			}
		})
	}
}
