// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/miekg/dns"
)

// TestRandomStaysUnknown shows payloads that only begin like something.
func TestRandomStaysUnknown(t *testing.T) {
	c := New(Options{Hints: NewHints(HintsOptions{})})
	r := rand.New(rand.NewPCG(1, 6))
	b := make([]byte, 1400)
	for i := range 100_000 {
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		n := 1 + r.IntN(len(b))
		b[0] = byte(i) // every detector's first byte comes up
		v := newConversation(t, c)
		if i%2 == 0 {
			v.udp(Original, b[:n])
			v.udp(Reply, b[n/2:])
		} else {
			v.at(Original, 0, b[:n])
			v.at(Reply, 0, b[n/2:])
		}
		if got := v.s.Result(); got.Protocol != "" || got.Application != "" || got.Confidence != 0 {
			t.Fatalf("payload %x: %+v", b[:n], got)
		}
	}
}

func TestUnknownIsGivenUp(t *testing.T) {
	noise := []byte{0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8}
	t.Run("stream", func(t *testing.T) {
		v := newConversation(t, New(Options{}))
		v.open()
		if v.at(Original, 0, noise) != More {
			t.Error("given up before the server said a word")
		}
		if v.at(Reply, 0, noise) != Done {
			t.Error("not given up after both sides spoke")
		}
	})
	t.Run("datagrams", func(t *testing.T) {
		v := newConversation(t, New(Options{}))
		n := 1
		for v.udp(Original, noise) == More {
			n++
		}
		if n != maxUndecided {
			t.Errorf("given up at datagram %d", n)
		}
	})
	t.Run("packets", func(t *testing.T) {
		v := newConversation(t, New(Options{MaxPackets: 5}))
		n := 1
		for v.at(Original, 0, nil) == More {
			n++
		}
		if n != 5 {
			t.Errorf("given up at packet %d", n)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		v := newConversation(t, New(Options{MaxBytes: 1000}))
		if v.at(Original, 0, []byte("GET /"+strings.Repeat("a", 500))) != More || v.at(Original, 505, make([]byte, 600)) != Done {
			t.Error("not given up after 1000 bytes")
		}
	})
}

func TestOtherProtocols(t *testing.T) {
	for proto, want := range map[uint8]string{ProtoICMP: "ICMP", 47: "GRE", 200: ""} {
		v := newConversation(t, New(Options{}))
		state := v.inspect(Original, buildIP(proto, v.client.Addr(), v.server.Addr(), []byte{8, 0, 0, 0, 0, 0, 0, 0}))
		r := v.s.Result()
		chain := strings.TrimSuffix("IP/"+want, "/")
		if state != Done || r.Protocol != want || r.Application != want || r.Chain != chain {
			t.Errorf("protocol %d: state %v, %+v", proto, state, r)
		}
	}
}

// TestSessionIgnoresStrangers counts packets that cannot be the session's.
func TestSessionIgnoresStrangers(t *testing.T) {
	v := newConversation(t, New(Options{}))
	v.udp(Original, initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()[:50]), 1200}.seal(t))
	before := v.s.Result()
	if before.Protocol != "QUIC" {
		t.Fatalf("got %+v", before)
	}
	if v.at(Original, 0, classicHello(t, "www.netflix.com")) != More || v.s.Version() != before.Version {
		t.Error("a TCP segment changed a UDP session")
	}
}

func TestDoneIsForGood(t *testing.T) {
	v := newConversation(t, New(Options{}))
	v.at(Original, 0, classicHello(t, "www.netflix.com"))
	before := v.s.Result().Version
	if v.at(Original, 0, classicHello(t, "www.facebook.com")) != Done || v.s.Result().Version != before {
		t.Error("changed after the end")
	}
}

func TestEvidence(t *testing.T) {
	v := newConversation(t, New(Options{}))
	v.open()
	v.at(Original, 0, classicHello(t, "www.netflix.com"))
	var got []string
	for _, e := range v.s.Evidence() {
		got = append(got, fmt.Sprintf("%d %s %d", e.Packet, e.Rule, e.Confidence))
	}
	want := "4 TLS 98, 4 tls/sni 90, 4 tls/alpn 0, 4 tls/ja4 0"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestClassifierConcurrently has one classifier serve sessions of several
// goroutines, with hints going from some to others.
func TestClassifierConcurrently(t *testing.T) {
	c := New(Options{Hints: NewHints(HintsOptions{})})
	hello, quic := quantumHello(t, "www.netflix.com"), initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()), 1200}.seal(t)
	ask := question(t, 1, "www.netflix.com", dns.TypeA)
	reply := answer(t, 1, "www.netflix.com", dns.TypeA, "www.netflix.com. 60 IN A 203.0.113.1")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				a, b, d := newConversation(t, c), newConversation(t, c), newConversation(t, c)
				for i := 0; i < len(hello); i += 500 {
					a.at(Original, i, hello[i:min(i+500, len(hello))])
				}
				b.udp(Original, quic)
				d.udp(Original, ask)
				d.udp(Reply, reply)
				if a.s.Result().Application != "NETFLIX" || b.s.Result().Application != "NETFLIX" || d.s.Result().Protocol != "DNS" {
					t.Errorf("got %+v, %+v, %+v", a.s.Result(), b.s.Result(), d.s.Result())
				}
			}
		})
	}
	wg.Wait()
}

// TestInspectDoesNotAllocate covers the packets a queue sees most: of sessions
// that wait for more, and of sessions that are done.
func TestInspectDoesNotAllocate(t *testing.T) {
	segment := func(d Dir, off uint32, payload []byte) Packet {
		src, dst := clientAddr, serverAddr
		if d == Reply {
			src, dst = dst, src
		}
		var p Packet
		if err := Decode(buildTCP(src, dst, off, FlagACK, payload), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	datagram := func(payload []byte) Packet {
		var p Packet
		if err := Decode(buildUDP(clientAddr, serverAddr, payload), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	dnsQuery := question(t, 3, "www.example.org", dns.TypeA)
	noise := bytes.Repeat([]byte{0xfe}, 500)
	tests := []struct {
		name  string
		first Packet
		next  Packet
	}{
		{"empty segments", segment(Original, 0, nil), segment(Original, 0, nil)},
		{"unknown stream", segment(Original, 0, noise), segment(Original, 500, noise)},
		{"retransmission", segment(Original, 0, []byte("GET / HT")), segment(Original, 0, []byte("GET / HT"))},
		{"unknown datagrams", datagram(noise), datagram(noise)},
		{"dns", datagram(dnsQuery), datagram(dnsQuery)},
		{"final", segment(Original, 0, classicHello(t, "www.netflix.com")), segment(Original, 900, noise)},
		{"encrypted, undecided", segment(Original, 0, noise[:20]), segment(Original, 20, nil)},
	}
	for _, certificates := range []bool{false, true} { // without them the final session is done
		c := New(Options{MaxPackets: 65535, MaxBytes: 1 << 30, Certificates: certificates})
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				var s Session
				c.Begin(&s, tt.first.Endpoints(), testTime)
				c.Inspect(&s, &tt.first, Original, testTime)
				if n := testing.AllocsPerRun(200, func() { c.Inspect(&s, &tt.next, Original, testTime) }); n != 0 {
					t.Errorf("certificates %v: %v allocations, want 0", certificates, n)
				}
			})
		}
	}
}

func TestSessionSize(t *testing.T) {
	for name, tt := range map[string]struct{ is, most uintptr }{
		"session": {unsafe.Sizeof(Session{}), 80}, "findings": {unsafe.Sizeof(findings{}), 96}, "handshake": {unsafe.Sizeof(handshake{}), 128},
	} {
		if tt.is > tt.most {
			t.Errorf("%s: %d bytes, want at most %d", name, tt.is, tt.most)
		}
	}
}

// fuzzStream shows b in two pieces, and at once, and expects the same answer
// within the bounds of a result.
func fuzzStream(t *testing.T, c *Classifier, b []byte, cut int) {
	t.Helper()
	if len(b) == 0 || len(b) > 30000 {
		return
	}
	if cut < 0 || cut > len(b) {
		cut = len(b) / 2
	}
	one, two := newConversation(t, c), newConversation(t, c)
	one.open()
	one.at(Original, 0, b)
	two.open()
	two.at(Original, 0, b[:cut])
	two.at(Original, cut, b[cut:])
	x, y := one.s.Result(), two.s.Result()
	checkResult(t, &one.s, DefaultMaxString)
	checkResult(t, &two.s, DefaultMaxString)
	if x.Protocol == y.Protocol {
		x.Version, y.Version = 0, 0
		if fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("at once %+v, in two %+v", x, y)
		}
	}
}

// checkResult fails if anything hostile has come through.
func checkResult(t *testing.T, s *Session, longest int) {
	t.Helper()
	r := s.Result()
	for _, v := range append([]string{
		r.Protocol, r.Application, r.Category, r.Detail, r.SNI, r.JA4, r.HTTPHost, r.URL, r.UserAgent, r.QUICVersion, r.SSHBanner, r.Hint,
	}, r.ALPN...) {
		if len(v) > longest || !isPrintable([]byte(v)) {
			t.Fatalf("string %q in %+v", v, r)
		}
	}
	for _, name := range []string{r.SNI, r.HTTPHost, r.Hint} {
		if _, err := netip.ParseAddr(name); name != "" && err != nil && !isHostname(name) {
			t.Fatalf("host name %q", name)
		}
	}
	if r.Confidence < 0 || r.Confidence > 100 || (r.Application == "") != (r.Confidence == 0) {
		t.Fatalf("confidence %d in %q", r.Confidence, r.Application)
	}
	evidence := s.Evidence()
	if len(evidence) > maxEvidence {
		t.Fatalf("%d pieces of evidence", len(evidence))
	}
	for _, e := range evidence {
		if len(e.Seen) > maxSeen || !isPrintable([]byte(e.Seen)) {
			t.Fatalf("evidence %q", e.Seen)
		}
	}
}

// FuzzInspect shows one session a series of packets cut from the input: a byte
// of direction and offset, two of length, then the bytes of an IP packet or of a
// payload.
func FuzzInspect(f *testing.F) {
	script := func(d Dir, raw bool, b []byte) []byte {
		head := byte(d)
		if raw {
			head |= 2
		}
		return append([]byte{head, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	h := classicHello(f, "www.netflix.com")
	f.Add(append(script(Original, false, h[:100]), script(Original, false, h[100:])...))
	f.Add(script(Original, true, buildUDP(clientAddr, serverAddr, question(f, 1, "a.example", dns.TypeA))))
	f.Add(script(Original, true, buildUDP(clientAddr, serverAddr,
		initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()), 1200}.seal(f))))
	f.Add(append(script(Reply, false, []byte("SSH-2.0-x\r\n")), script(Original, false, []byte("GET / HTTP/1.1\r\n\r\n"))...))
	domains := BuiltinDomains()
	f.Fuzz(func(t *testing.T, in []byte) {
		c := New(Options{Domains: domains, Hints: NewHints(HintsOptions{PerClient: 4, Total: 16}), MaxBytes: 8 << 10})
		var s Session
		var p Packet
		offset, version, state := [2]uint32{}, uint64(0), More
		for len(in) >= 3 {
			d, skip, raw := Dir(in[0]&1), uint32(in[0]>>4), in[0]&2 != 0
			n := min(int(in[1])<<8|int(in[2]), len(in)-3)
			b := bytes.Clone(in[3 : 3+n])
			in = in[3+n:]
			if !raw {
				b = buildTCP(clientAddr, serverAddr, offset[d]+skip, FlagACK, b)
				offset[d] += uint32(n)
			}
			if err := Decode(b, &p); err != nil {
				continue
			}
			before := bytes.Clone(b)
			got := c.Inspect(&s, &p, d, testTime)
			if !bytes.Equal(b, before) {
				t.Fatal("the packet was changed")
			}
			if state == Done && (got != Done || s.Version() != version) {
				t.Fatal("changed after the end")
			}
			if s.Version() < version {
				t.Fatalf("version fell from %d to %d", version, s.Version())
			}
			version, state = s.Version(), got
			if s.State() == Done && s.work != nil {
				t.Fatal("memory is kept after the end")
			}
			if w := s.work; w != nil {
				held := 0
				for _, a := range w.streams {
					if a != nil {
						held += len(a.buf) + len(a.store)
					}
				}
				if w.quic != nil {
					held += len(w.quic.crypto.buf) + len(w.quic.crypto.store)
				}
				if held > 2*8<<10 {
					t.Fatalf("holds %d bytes", held)
				}
			}
			checkResult(t, &s, DefaultMaxString)
		}
	})
}

// BenchmarkSessionMemory reports what a finished TLS session takes, names and
// evidence included.
func BenchmarkSessionMemory(b *testing.B) {
	c := New(Options{})
	var p Packet
	if err := Decode(buildTCP(clientAddr, serverAddr, 1, FlagACK, classicHello(b, "www.netflix.com")), &p); err != nil {
		b.Fatal(err)
	}
	const n = 20_000
	for b.Loop() {
		var before, after runtime.MemStats
		sessions := make([]*Session, n)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range sessions {
			sessions[i] = new(Session)
			c.Begin(sessions[i], p.Endpoints(), testTime)
			c.Inspect(sessions[i], &p, Original, testTime)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/session")
		runtime.KeepAlive(sessions)
	}
}

func BenchmarkInspectDone(b *testing.B) {
	c := New(Options{})
	var p Packet
	if err := Decode(buildTCP(clientAddr, serverAddr, 1, FlagACK, classicHello(b, "www.netflix.com")), &p); err != nil {
		b.Fatal(err)
	}
	var s Session
	c.Inspect(&s, &p, Original, testTime)
	b.ReportAllocs()
	for b.Loop() {
		c.Inspect(&s, &p, Original, testTime)
	}
}

func BenchmarkInspectUnknown(b *testing.B) {
	c := New(Options{})
	var p Packet
	if err := Decode(buildTCP(clientAddr, serverAddr, 1, FlagACK, bytes.Repeat([]byte{0xfe}, 1000)), &p); err != nil {
		b.Fatal(err)
	}
	var s Session
	b.ReportAllocs()
	for b.Loop() {
		c.Begin(&s, p.Endpoints(), testTime)
		c.Inspect(&s, &p, Original, testTime)
	}
}

// A stream whose beginning was missed is known by a segment in the middle that
// tells; one whose beginning was seen, and was nobody's, is not.
func TestTakenUpMidway(t *testing.T) {
	record := string(joinParts([]any{23, uint16(0x0303), size16{[]any{noiseBytes(60)}}}))
	request := "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
	for name, tt := range map[string]struct {
		opened bool
		says   []string
		want   string
	}{
		"record":                  {false, []string{noise(99), record}, "TLS"},
		"record, much later":      {false, []string{noise(99), noise(98), noise(97), noise(96), record}, "TLS"},
		"record, far too late":    {false, []string{noise(99), noise(98), noise(97), noise(96), noise(95), noise(94), noise(93), noise(92), record}, ""},
		"request":                 {false, []string{noise(99), request}, "HTTP"},
		"request in two":          {false, []string{noise(99), request[:20], request[20:]}, "HTTP"},
		"greeting":                {false, []string{noise(99), "SSH-2.0-OpenSSH_9.9\r\n"}, ""},
		"record behind its begin": {true, []string{noise(99), record}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(New(Options{}), true, 443)
			if tt.opened {
				e := p.ends
				p.c.Inspect(&p.s, &Packet{Family: 4, Proto: ProtoTCP, Src: e.Client.Addr(), Dst: e.Server.Addr(), SrcPort: e.Client.Port(), DstPort: e.Server.Port(),
					Seq: p.seq[Original] - 1, TCPFlags: FlagSYN, Length: 40}, Original, testTime)
			}
			for _, in := range tt.says {
				p.show(Original, []byte(in))
			}
			if got := p.s.Result().Protocol; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
