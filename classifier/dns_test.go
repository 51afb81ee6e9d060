// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// question packs a query.
func question(t testing.TB, id uint16, name string, kind uint16) []byte {
	t.Helper()
	var m dns.Msg
	m.SetQuestion(dns.Fqdn(name), kind)
	m.Id = id
	m.SetEdns0(1232, true)
	return pack(t, &m)
}

// answer packs a reply to question(id, name, kind) with records in the order
// given, in zone file form.
func answer(t testing.TB, id uint16, name string, kind uint16, records ...string) []byte {
	t.Helper()
	var m dns.Msg
	m.SetQuestion(dns.Fqdn(name), kind)
	m.Id = id
	m.Response, m.Compress, m.RecursionAvailable = true, true, true
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return pack(t, &m)
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDNS(t *testing.T) {
	v := newConversation(t, New(Options{}))
	if v.udp(Original, question(t, 1, "Www.Netflix.Com", dns.TypeA)) != More {
		t.Fatal("done after the question")
	}
	r := v.s.Result()
	// The session stays DNS whatever it asks for.
	if r.Protocol != "DNS" || r.Application != "DNS" || r.Category != "network" || r.Detail != "www.netflix.com" || r.Chain != "IP/UDP/DNS" {
		t.Errorf("got %+v", r)
	}
	if v.udp(Reply, answer(t, 1, "www.netflix.com", dns.TypeA, "www.netflix.com. 60 IN A 203.0.113.1")) != Done {
		t.Error("not done after the answer")
	}
}

// hinted runs one DNS exchange and returns the classifier that saw it.
func hinted(t testing.TB, hints *Hints, query, reply []byte) *Classifier {
	t.Helper()
	c := New(Options{Hints: hints})
	v := newConversation(t, c)
	v.server = netip.MustParseAddrPort("192.0.2.53:53")
	v.udp(Original, query)
	v.udp(Reply, reply)
	return c
}

func TestDNSHints(t *testing.T) {
	const name = "www.netflix.com"
	tests := []struct {
		name    string
		query   []byte
		reply   []byte
		address string
		want    string
	}{
		{"address", question(t, 7, name, dns.TypeA), answer(t, 7, name, dns.TypeA, name+". 300 IN A 203.0.113.1"), "203.0.113.1", name},
		{"address of version 6", question(t, 7, name, dns.TypeAAAA), answer(t, 7, name, dns.TypeAAAA, name+". 300 IN AAAA 2001:db8::7"), "2001:db8::7", name},
		{"by way of other names", question(t, 7, name, dns.TypeA), answer(t, 7, name, dns.TypeA,
			name+". 300 IN CNAME a.example.", "a.example. 300 IN CNAME b.example.", "b.example. 300 IN A 203.0.113.1"), "203.0.113.1", name},
		{"in any order", question(t, 7, name, dns.TypeA), answer(t, 7, name, dns.TypeA,
			"b.example. 300 IN A 203.0.113.1", "a.example. 300 IN CNAME b.example.", name+". 300 IN CNAME a.example."), "203.0.113.1", name},
		{"of another name", question(t, 7, name, dns.TypeA), answer(t, 7, name, dns.TypeA, "other.example. 300 IN A 203.0.113.1"), "203.0.113.1", ""},
		{"names in a ring", question(t, 7, name, dns.TypeA), answer(t, 7, name, dns.TypeA,
			name+". 300 IN CNAME a.example.", "a.example. 300 IN CNAME "+name+"."), "203.0.113.1", ""},
		{"nobody asked this id", question(t, 7, name, dns.TypeA), answer(t, 8, name, dns.TypeA, name+". 300 IN A 203.0.113.1"), "203.0.113.1", ""},
		{"nobody asked this name", question(t, 7, name, dns.TypeA), answer(t, 7, "other.example", dns.TypeA, "other.example. 300 IN A 203.0.113.1"), "203.0.113.1", ""},
		{"another name of the same FNV hash", question(t, 7, "7kp3wb64z2wtf.example.org", dns.TypeA),
			answer(t, 7, "ovnt3vxujgi7h.netflix.com", dns.TypeA, "ovnt3vxujgi7h.netflix.com. 300 IN A 203.0.113.1"), "203.0.113.1", ""},
		{"name is no host name", question(t, 7, "a b.example", dns.TypeA), answer(t, 7, "a b.example", dns.TypeA, `a\032b.example. 300 IN A 203.0.113.1`), "203.0.113.1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hints := NewHints(HintsOptions{})
			c := hinted(t, hints, tt.query, tt.reply)
			addr := netip.MustParseAddr(tt.address)
			got, _ := hints.Lookup(clientAddr.Addr(), addr, testTime)
			if got != tt.want {
				t.Fatalf("hint %q, want %q", got, tt.want)
			}
			if _, ok := hints.Lookup(netip.MustParseAddr("192.0.2.11"), addr, testTime); ok {
				t.Error("another client is told, too")
			}
			if tt.want == "" {
				return
			}
			var s Session
			c.Begin(&s, Endpoints{ProtoTCP, clientAddr, netip.AddrPortFrom(addr, 443)}, testTime)
			r := s.Result()
			if r.Application != "NETFLIX" || !r.Inferred || r.Hint != name || r.Confidence != confidenceHint || s.Learned() {
				t.Errorf("later session: learned %v, %+v", s.Learned(), r)
			}
		})
	}
}

// TestDNSHintGivesWay has packets say better, or say that the hint is wrong.
func TestDNSHintGivesWay(t *testing.T) {
	hints := NewHints(HintsOptions{})
	hints.Add(clientAddr.Addr(), serverAddr.Addr(), "www.netflix.com", time.Minute, testTime)
	c := New(Options{Hints: hints})
	tests := []struct {
		name, sni, application string
		inferred               bool
	}{
		{"the same", "www.netflix.com", "NETFLIX", false},
		{"another service", "www.facebook.com", "FACEBOOK", false},
		{"a name without a service", "www.example.org", "TLS", false},
		{"no name", "", "NETFLIX", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, c)
			h := helloSpec{0x0303, []uint16{0x1301}, nil}
			if tt.sni != "" {
				h.extensions = []helloExtension{sniExtension(tt.sni)}
			}
			v.at(Original, 0, records(h.bytes()))
			if r := v.s.Result(); r.Application != tt.application || r.Inferred != tt.inferred || r.Hint != "www.netflix.com" || r.Protocol != "TLS" {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestDNSHintOfClient has a server that had asked for the client's name.
func TestDNSHintOfClient(t *testing.T) {
	hints := NewHints(HintsOptions{})
	hints.Add(serverAddr.Addr(), clientAddr.Addr(), "mail.example.org", time.Minute, testTime)
	v := newConversation(t, New(Options{Hints: hints}))
	v.open()
	if r := v.s.Result(); r.ClientHint != "mail.example.org" || r.Hint != "" || r.Application != "" {
		t.Errorf("got %+v", r)
	}
}

// TestDNSLongSession is watched past the limit of packets for its answers, until
// it carries something else.
func TestDNSLongSession(t *testing.T) {
	hints := NewHints(HintsOptions{})
	v := newConversation(t, New(Options{Hints: hints}))
	for i := range uint16(200) {
		name := fmt.Sprintf("host%d.example", i)
		v.udp(Original, question(t, i, name, dns.TypeA))
		if v.udp(Reply, answer(t, i, name, dns.TypeA, fmt.Sprintf("%s. 60 IN A 203.0.113.%d", name, i))) != More {
			t.Fatalf("done after %d answers", i)
		}
	}
	if got := hints.Len(); got != 200 {
		t.Errorf("%d hints, want 200", got)
	}
	if v.udp(Original, []byte("something else altogether")) != Done {
		t.Error("still watched though it is not DNS any more")
	}
}

func TestDNSOverTCP(t *testing.T) {
	frame := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	var asks, answers []byte
	for i, name := range []string{"a.example", "b.example"} {
		asks = append(asks, frame(question(t, uint16(i), name, dns.TypeA))...)
		answers = append(answers, frame(answer(t, uint16(i), name, dns.TypeA, name+". 60 IN A 203.0.113."+fmt.Sprint(i+1)))...)
	}
	for size := 1; size < len(asks); size += 3 {
		hints := NewHints(HintsOptions{})
		v := newConversation(t, New(Options{Hints: hints, MaxPackets: 1000}))
		v.open()
		for off := 0; off < len(asks); off += size {
			v.at(Original, off, asks[off:min(off+size, len(asks))])
		}
		for off := 0; off < len(answers); off += size {
			v.at(Reply, off, answers[off:min(off+size, len(answers))])
		}
		if r := v.s.Result(); r.Protocol != "DNS" || r.Detail != "b.example" || r.Version != 3 || hints.Len() != 2 {
			t.Fatalf("segments of %d: %d hints, %+v", size, hints.Len(), r)
		}
	}
}

func TestNotDNS(t *testing.T) {
	good := question(t, 1, "www.example.org", dns.TypeA)
	edit := func(at int, v byte) []byte { b := append([]byte(nil), good...); b[at] = v; return b }
	tests := map[string][]byte{
		"cut":                 good[:len(good)-1],
		"bytes behind":        append(good[:len(good):len(good)], 0),
		"two questions":       edit(5, 2),
		"a query with answer": edit(7, 1),
		"reserved bit":        edit(3, 0x40),
		"opcode":              edit(2, 0x38),
		"class":               edit(12+17+3, 7),
		"pointer to itself":   {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1},
		"pointer forward":     {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 14, 0, 1, 0, 1},
		"label type":          {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 0, 1},
	}
	var m dnsMessage
	if !m.parse(good) {
		t.Fatal("the message to start from is refused")
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			if m.parse(b) {
				t.Errorf("taken for DNS: %x", b)
			}
		})
	}
	for _, port := range []uint16{portMDNS, portLLMNR, portNetBIOS} {
		v := newConversation(t, New(Options{}))
		v.server = netip.AddrPortFrom(v.server.Addr(), port)
		if v.udp(Original, good); v.s.Result().Protocol == "DNS" {
			t.Errorf("taken for DNS on port %d", port)
		}
	}
}

func TestDNSOddNames(t *testing.T) {
	for name, want := range map[string]string{
		"_sip._udp.example.org":                    "_sip._udp.example.org",
		"a\\.b.example":                            "",
		"a\\010b.example":                          "",
		strings.Repeat("abcdefg.", 20) + "example": "", // longer than a result's string
		".": "",
	} {
		v := newConversation(t, New(Options{}))
		v.udp(Original, question(t, 1, name, dns.TypeTXT))
		if r := v.s.Result(); r.Protocol != "DNS" || r.Detail != want {
			t.Errorf("%q: %+v", name, r)
		}
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(question(f, 1, "www.example.org", dns.TypeA))
	f.Add(answer(f, 7, "a.example", dns.TypeA, "a.example. 300 IN CNAME b.example.", "b.example. 300 IN A 203.0.113.1"))
	f.Add([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dnsMessage
		if !m.parse(b) {
			return
		}
		for addr, ttl := range m.addresses {
			if !addr.IsValid() || ttl < 0 {
				t.Fatalf("address %v, TTL %v", addr, ttl)
			}
		}
		// Another parser must agree on name and addresses, where it accepts.
		var other dns.Msg
		if other.Unpack(b) != nil || len(other.Question) != 1 {
			return
		}
		name := strings.TrimSuffix(strings.ToLower(other.Question[0].Name), ".")
		if m.question.clean && isHostname(string(m.question.bytes())) && string(m.question.bytes()) != name {
			t.Fatalf("name %q, want %q", m.question.bytes(), name)
		}
		direct := make(map[netip.Addr]bool)
		for addr := range m.addresses {
			direct[addr] = true
		}
		for _, rr := range other.Answer {
			h := rr.Header()
			if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, other.Question[0].Name) {
				continue
			}
			var ip net.IP
			switch rr := rr.(type) {
			case *dns.A:
				ip = rr.A.To4()
			case *dns.AAAA:
				ip = rr.AAAA.To16()
			}
			if addr, ok := netip.AddrFromSlice(ip); ok && !direct[addr] && h.Rdlength > 0 {
				t.Fatalf("address %v is missing", addr)
			}
		}
	})
}

// TestLookups has sessions named after the service they ask for.
func TestLookups(t *testing.T) {
	for name, tt := range map[string]struct {
		asked []string
		want  string // the application
		last  string // the service that the last question was about
	}{
		"one":     {[]string{"www.netflix.com"}, "NETFLIX", "NETFLIX"},
		"same":    {[]string{"www.netflix.com", "a.nflxvideo.net"}, "NETFLIX", "NETFLIX"},
		"two":     {[]string{"www.netflix.com", "www.facebook.com", "www.netflix.com"}, "DNS", "NETFLIX"},
		"unknown": {[]string{"www.netflix.com", "www.example.org"}, "DNS", ""},
		"no host": {[]string{"www.netflix.com", "a$b.example.org"}, "NETFLIX", ""},
		"late":    {[]string{"www.example.org", "www.netflix.com"}, "DNS", "NETFLIX"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lookups := range []bool{true, false} {
				v := newConversation(t, New(Options{Lookups: lookups, Hints: NewHints(HintsOptions{})}))
				for i, asked := range tt.asked {
					v.udp(Original, question(t, uint16(i), asked, dns.TypeA))
				}
				want := tt.want
				if !lookups {
					want = "DNS"
				}
				if r := v.s.Result(); r.Protocol != "DNS" || r.Application != want || r.Lookup != tt.last {
					t.Errorf("with Lookups %v: protocol %q, application %q, want %q, lookup %q, want %q", lookups, r.Protocol, r.Application, want, r.Lookup, tt.last)
				}
			}
		})
	}
}

// What is too short for a message tells nothing, whatever the message before it
// was: its memory is another session's.
func TestDNSShort(t *testing.T) {
	c := New(Options{Hints: NewHints(HintsOptions{})})
	for n := range dnsHeader + 5 {
		asked := newConversation(t, c)
		asked.server = netip.AddrPortFrom(asked.server.Addr(), portDNS)
		asked.udp(Original, question(t, 1, "secret.example.org", dns.TypeA))
		v := newConversation(t, c)
		v.server = asked.server
		v.udp(Original, make([]byte, n))
		if r := v.s.Result(); r.Protocol != "" || r.Detail != "" {
			t.Errorf("%d bytes: %q about %q", n, r.Protocol, r.Detail)
		}
	}
}
