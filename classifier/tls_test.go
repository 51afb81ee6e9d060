// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTLS(t *testing.T) {
	c := New(Options{})
	tests := []struct {
		name, host, application, category string
	}{
		{"known", "occ-0-1.1.nflxso.net", "NETFLIX", "streaming"},
		{"below the domain", "www.netflix.com", "NETFLIX", "streaming"},
		{"unknown", "www.example.org", "TLS", "web"},
		{"similar", "www.notnetflix.com", "TLS", "web"},
	}
	for _, tt := range tests {
		for kind, build := range map[string]func(testing.TB, string) []byte{"classic": classicHello, "quantum": quantumHello} {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				v := newConversation(t, c)
				v.open()
				if got := v.at(Original, 0, build(t, tt.host)); got != Done {
					t.Fatalf("state %v, want done", got)
				}
				r := v.s.Result()
				chain := "IP/TCP/TLS"
				if tt.application != "TLS" {
					chain += "/" + tt.application
				}
				want := Result{
					Protocol: "TLS", Application: tt.application, Category: tt.category, Chain: chain, Detail: tt.host,
					Confidence: r.Confidence, SNI: tt.host, ALPN: []string{"h2", "http/1.1"}, JA4: r.JA4, JA3: r.JA3, Version: r.Version,
				}
				if diff := cmp.Diff(want, r); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
				if !strings.HasPrefix(r.JA4, "t13d") || len(r.JA4) != 36 {
					t.Errorf("JA4 %q", r.JA4)
				}
				if r.Confidence < 90 || r.Confidence > 99 {
					t.Errorf("confidence %d", r.Confidence)
				}
			})
		}
	}
}

// TestTLSNameInFirstSegment expects the application as soon as the name is
// there, long before the hello is whole.
func TestTLSNameInFirstSegment(t *testing.T) {
	b := quantumHello(t, "www.netflix.com")
	cut := bytes.Index(b, []byte("www.netflix.com")) + len("www.netflix.com")
	if cut > 1300 {
		t.Fatalf("the name stands at %d in this hello", cut)
	}
	v := newConversation(t, New(Options{}))
	v.open()
	if v.s.Learned() {
		t.Fatal("learned from a handshake")
	}
	if got := v.at(Original, 0, b[:cut]); got != More {
		t.Fatalf("state %v, want more", got)
	}
	r := v.s.Result()
	if !v.s.Learned() || r.Application != "NETFLIX" || r.SNI != "www.netflix.com" || r.JA4 != "" {
		t.Fatalf("after the first segment: learned %v, %+v", v.s.Learned(), r)
	}
	if got := v.at(Original, cut, b[cut:]); got != Done {
		t.Fatalf("state %v, want done", got)
	}
	if last := v.s.Result(); last.JA4 == "" || last.Version <= r.Version {
		t.Errorf("after the second segment: %+v", last)
	}
	if v.s.work != nil {
		t.Error("a buffer is kept after the end")
	}
}

// TestTLSAnySegmentation cuts a hello into records and segments of any size, in
// any order, with overlaps and repetitions, and expects one answer.
func TestTLSAnySegmentation(t *testing.T) {
	c := New(Options{MaxPackets: 1000})
	for _, original := range [][]byte{classicHello(t, "www.netflix.com"), quantumHello(t, "www.netflix.com")} {
		v := newConversation(t, c)
		v.open()
		v.at(Original, 0, original)
		want := v.s.Result()
		for seed := range uint64(300) {
			r := rand.New(rand.NewPCG(seed, 2))
			var sizes []int
			for range r.IntN(8) {
				sizes = append(sizes, 1+r.IntN(400))
			}
			stream := records(original[5:], sizes...)
			type piece struct{ off, end int }
			var pieces []piece
			for off := 0; off < len(stream); {
				end := min(len(stream), off+1+r.IntN(1+len(stream)/(1+r.IntN(30))))
				pieces = append(pieces, piece{max(0, off-r.IntN(20)), end})
				if r.IntN(4) == 0 {
					pieces = append(pieces, pieces[r.IntN(len(pieces))])
				}
				off = end
			}
			if seed%2 == 0 {
				r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
			}
			v := newConversation(t, c)
			v.open()
			for _, p := range pieces {
				v.at(Original, p.off, bytes.Clone(stream[p.off:p.end]))
			}
			got := v.s.Result()
			got.Version = want.Version
			if diff := cmp.Diff(want, got); diff != "" || v.s.State() != Done {
				t.Fatalf("seed %d, %d pieces, state %v (-want +got):\n%s", seed, len(pieces), v.s.State(), diff)
			}
		}
	}
}

func TestTLSHostileNames(t *testing.T) {
	long := strings.Repeat("a.", 70) + "netflix.com"
	tests := []struct {
		name, sni, want, application, evidence string
	}{
		{"upper case and dot", "WWW.NetFlix.COM.", "www.netflix.com", "NETFLIX", "tls/sni"},
		{"control characters", "www.net\nflix.com", "", "TLS", "tls/sni: not a host name"},
		{"blank", "www netflix.com", "", "TLS", "tls/sni: not a host name"},
		{"not ASCII", "n\xc3\xa4tflix.com", "", "TLS", "tls/sni: not a host name"},
		{"empty label", "www..netflix.com", "", "TLS", "tls/sni: not a host name"},
		{"too long to keep", long, "", "TLS", "tls/sni: name too long"},
		{"too long to be one", strings.Repeat("a.", 200) + "com", "", "TLS", "tls/sni: not a host name"},
		{"underscore", "my_host.netflix.com", "my_host.netflix.com", "NETFLIX", "tls/sni"},
		{"address", "192.0.2.7", "192.0.2.7", "TLS", "tls/sni"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			h := helloSpec{0x0303, []uint16{0x1301}, []helloExtension{sniExtension(tt.sni)}}
			if got := v.at(Original, 0, records(h.bytes())); got != Done {
				t.Fatalf("state %v, want done", got)
			}
			r := v.s.Result()
			if r.SNI != tt.want || r.Detail != tt.want || r.Application != tt.application {
				t.Errorf("got %+v", r)
			}
			found := false
			for _, e := range v.s.Evidence() {
				found = found || e.Rule == tt.evidence
				if !isPrintable([]byte(e.Seen)) || len(e.Seen) > maxSeen {
					t.Errorf("evidence %q", e.Seen)
				}
			}
			if !found {
				t.Errorf("no evidence %q in %+v", tt.evidence, v.s.Evidence())
			}
		})
	}
}

func TestTLSHostileALPN(t *testing.T) {
	v := newConversation(t, New(Options{}))
	h := helloSpec{0x0303, []uint16{0x1301}, []helloExtension{alpnExtension("h2,x", "\x1a\x1a", "a b", "h3\n", "http/1.1", "ok")}}
	v.at(Original, 0, records(h.bytes()))
	if diff := cmp.Diff([]string{"http/1.1", "ok"}, v.s.Result().ALPN); diff != "" {
		t.Errorf("ALPN (-want +got):\n%s", diff)
	}
}

func TestTLSWithoutHello(t *testing.T) {
	server := append([]byte{2, 0, 0, 72, 3, 3}, make([]byte, 70)...)
	server[4+39] = 32 // bytes of extensions
	data := func(n int) []byte { return append([]byte{recordData, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...) }
	tests := []struct {
		name       string
		dir        Dir
		in         []byte
		want       string
		confidence int
	}{
		{"server hello", Reply, records(server), "TLS", confidenceHello},
		{"record that ends with the segment", Original, data(100), "TLS", confidenceRecords},
		{"two records", Original, append(data(30), data(2000)[:700]...), "TLS", confidenceRecords},
		{"one header is not enough", Original, data(2000)[:900], "", 0},
		{"record of another version", Original, append([]byte{recordData, 3, 9, 0, 2}, 1, 2), "", 0},
		{"a hello in name only", Original, append([]byte{recordHandshake, 3, 1, 0, 60, 1, 0, 0, 56, 9, 9}, make([]byte, 54)...), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.at(tt.dir, 0, tt.in)
			if r := v.s.Result(); r.Protocol != tt.want || r.Confidence != tt.confidence {
				t.Errorf("protocol %q, confidence %d, want %q, %d", r.Protocol, r.Confidence, tt.want, tt.confidence)
			}
		})
	}
}

// TestTLSPicksUpInTheMiddle has no SYN: the first data segment is the start.
func TestTLSPicksUpInTheMiddle(t *testing.T) {
	v := newConversation(t, New(Options{}))
	if got := v.at(Original, 12345, classicHello(t, "www.netflix.com")); got != Done {
		t.Errorf("state %v, want done", got)
	}
}

// TestTLSOldSegments has segments from before the stream, and SYNs at odd times.
func TestTLSOldSegments(t *testing.T) {
	b := classicHello(t, "www.netflix.com")
	v := newConversation(t, New(Options{}))
	v.inspect(Original, buildTCP(v.client, v.server, 99, FlagSYN, nil)) // another attempt's
	v.open()
	v.at(Original, -1, []byte{0})         // keep-alive
	v.at(Original, -50, make([]byte, 20)) // of an older connection
	v.at(Original, 0, b[:20])             // too little to decide
	v.at(Original, -5, make([]byte, 10))  // half of it old
	v.inspect(Original, buildTCP(v.client, v.server, 12345, FlagSYN, nil))
	if got := v.at(Original, 20, b[20:]); got != Done || v.s.Result().SNI != "www.netflix.com" {
		t.Errorf("state %v, %+v", got, v.s.Result())
	}
}

// TestTLSAfterDecoy has the hello behind bytes for the same place that were
// never meant to arrive, or that somebody padded an empty segment with.
func TestTLSAfterDecoy(t *testing.T) {
	b := classicHello(t, "www.netflix.com")
	for name, decoy := range map[string][]byte{
		"noise":             bytes.Repeat([]byte{0xee}, 300),
		"padding":           {0, 0},
		"half a request":    []byte("GET /inno"),
		"beginning of SSH":  []byte("SS"),
		"records of a kind": {recordData, 3, 3, 64, 0, 1, 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.open()
			v.at(Original, 0, decoy)
			v.at(Reply, 0, decoy[:2])
			v.at(Original, 0, b[:100])
			if got := v.at(Original, 100, b[100:]); got != Done || v.s.Result().SNI != "www.netflix.com" {
				t.Errorf("state %v, %+v", got, v.s.Result())
			}
		})
	}
	t.Run("second decoy", func(t *testing.T) {
		v := newConversation(t, New(Options{}))
		v.at(Original, 0, b[:5])
		v.at(Original, 0, []byte("tell nobody"))
		if got := v.at(Original, 5, b[5:]); got != Done || v.s.Result().SNI != "www.netflix.com" {
			t.Errorf("state %v, %+v", got, v.s.Result())
		}
	})
}

// TestTLSFastOpen has the hello in the SYN.
func TestTLSFastOpen(t *testing.T) {
	v := newConversation(t, New(Options{}))
	if got := v.inspect(Original, buildTCP(v.client, v.server, 7, FlagSYN, classicHello(t, "www.netflix.com"))); got != Done {
		t.Errorf("state %v, want done", got)
	}
}

func BenchmarkInspectTLS(b *testing.B) {
	for _, tt := range []struct {
		name  string
		hello []byte
	}{
		{"classic", classicHello(b, "www.netflix.com")},
		{"quantum", quantumHello(b, "www.netflix.com")},
	} {
		b.Run(tt.name, func(b *testing.B) { benchmarkSegments(b, tt.hello, len(tt.hello)) })
		b.Run(tt.name+"/two segments", func(b *testing.B) { benchmarkSegments(b, tt.hello, len(tt.hello)/2) })
	}
}

func benchmarkSegments(b *testing.B, stream []byte, size int) {
	c := New(Options{})
	var packets []Packet
	for off := 0; off < len(stream); off += size {
		var p Packet
		raw := buildTCP(clientAddr, serverAddr, uint32(off), FlagACK, stream[off:min(off+size, len(stream))])
		if err := Decode(raw, &p); err != nil {
			b.Fatal(err)
		}
		packets = append(packets, p)
	}
	var s Session
	b.ReportAllocs()
	for b.Loop() {
		c.Begin(&s, packets[0].Endpoints(), testTime)
		for i := range packets {
			c.Inspect(&s, &packets[i], Original, testTime)
		}
	}
	if s.State() != Done {
		b.Fatal("not done")
	}
}

func ExampleClassifier() {
	var r recorder
	_ = tls.Client(&r, &tls.Config{ServerName: "www.netflix.com"}).Handshake()

	c := New(Options{})
	var p Packet
	var s Session
	if err := Decode(buildTCP(clientAddr, serverAddr, 1, FlagACK, r.wrote), &p); err != nil {
		panic(err)
	}
	c.Begin(&s, p.Endpoints(), testTime)
	fmt.Println(c.Inspect(&s, &p, Original, testTime), s.Result().Chain)
	// Output: done IP/TCP/TLS/NETFLIX
}

func TestIsResolverName(t *testing.T) {
	for host, want := range map[string]bool{
		"doh.example.org": true, "dns.example.org": true, "dns2.example.org": true, "doh-1.example.org": true, "dot.example.org": true,
		"dns.org": false, "dnsmasq.example.org": false, "www.dns.example": false, "do.example.org": false, "": false,
	} {
		if got := isResolverName(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// An encrypted hello takes from the confidence in the name beside it: most where
// that is a front's.
// A front's name says less than the name that the client has asked DNS for.
func TestEncryptedHelloBehindHint(t *testing.T) {
	for _, tt := range []struct {
		hint, name, want string
		inferred         bool
	}{
		{"www.netflix.com", "cloudflare-ech.com", "NETFLIX", true},
		{"www.example.org", "cloudflare-ech.com", "CLOUDFLARE", false},
		{"www.netflix.com", "www.vimeo.com", "VIMEO", false},
	} {
		hints := NewHints(HintsOptions{})
		v := newConversation(t, New(Options{Hints: hints}))
		hints.Add(v.client.Addr(), v.server.Addr(), tt.hint, 0, testTime)
		v.open()
		v.at(Original, 0, records(helloSpec{version: 0x0303, ciphers: []uint16{0x1301}, extensions: []helloExtension{sniExtension(tt.name), {extECH, noiseBytes(80)}}}.bytes()))
		if r := v.s.Result(); r.Application != tt.want || r.Inferred != tt.inferred || r.SNI != tt.name {
			t.Errorf("%s behind the hint %s: %q, inferred %v", tt.name, tt.hint, r.Application, r.Inferred)
		}
	}
}

// What has no name tells itself by the protocols it offers, or by its port.
func TestNamelessHello(t *testing.T) {
	for _, tt := range []struct {
		name       string
		port       uint16
		extensions []helloExtension
		want       string
	}{
		{"Apple's notifications", 5223, []helloExtension{alpnExtension("apns-security-v3", "apns-pack-v1")}, "APPLEPUSH"},
		{"a server on the port of Cast", 8009, []helloExtension{{0x000a, []byte{0, 2, 0, 23}}}, "TLS"},
		{"a server with a name", 8009, []helloExtension{sniExtension("www.example.org")}, "TLS"},
		{"another port", 8010, []helloExtension{{0x000a, []byte{0, 2, 0, 23}}}, "TLS"},
	} {
		in := records(helloSpec{version: 0x0303, ciphers: []uint16{0x1301}, extensions: tt.extensions}.bytes())
		for _, size := range []int{7, len(in)} {
			p := newPlayer(New(Options{}), true, tt.port)
			for b := in; len(b) > 0; b = b[min(size, len(b)):] {
				p.show(Original, b[:min(size, len(b))])
			}
			if r := p.s.Result(); r.Application != tt.want {
				t.Errorf("%s, %d at a time: %q, want %q", tt.name, size, r.Application, tt.want)
			}
		}
	}
	in := records(helloSpec{version: 0x0303, ciphers: []uint16{0x1301}, extensions: []helloExtension{{0x000a, []byte{0, 2, 0, 23}}}}.bytes())
	for _, device := range []string{"192.168.1.9:8009", "[fe80::9]:8009"} {
		if r := between(New(Options{}), ProtoTCP, "192.168.1.2:50000", device, testTime, said{Original, string(in)}); r.Application != "CHROMECAST" {
			t.Errorf("a device of Cast, %s: %q", device, r.Application)
		}
	}
}

// A server's hello that turns out to be none leaves no label behind.
func TestBrokenServerHelloHasNoLabel(t *testing.T) {
	p := newPlayer(New(Options{}), true, 465)
	p.show(Reply, joinParts([]any{22, uint16(0x0303), size16{[]any{2, 0, uint16(60), uint16(0x0303), noiseBytes(32), 4, noiseBytes(4), uint16(0x1301), 77, noiseBytes(19)}}}))
	if f := p.s.found; f != nil && f.label != nil {
		t.Errorf("label %q", f.label.name)
	}
}

func TestEncryptedHello(t *testing.T) {
	for _, tt := range []struct {
		name       string
		ech        bool
		want       string
		confidence int
	}{
		{"www.netflix.com", false, "NETFLIX", confidenceName},
		{"www.netflix.com", true, "NETFLIX", confidenceOuter},
		{"cloudflare-ech.com", true, "CLOUDFLARE", confidenceFront},
		{"www.example.org", true, "TLS", confidenceHello},
	} {
		for i, size := range []int{20, 100, 5000, 20, 100, 5000} {
			front := i >= 3 // of the name: browsers shuffle their extensions
			v := newConversation(t, New(Options{}))
			v.open()
			hello := helloSpec{version: 0x0303, ciphers: []uint16{0x1301}, extensions: []helloExtension{sniExtension(tt.name)}}
			if ech := (helloExtension{extECH, noiseBytes(80)}); tt.ech && front {
				hello.extensions = slices.Insert(hello.extensions, 0, ech)
			} else if tt.ech {
				hello.extensions = append(hello.extensions, ech)
			}
			in := records(hello.bytes())
			for i := 0; i < len(in); i += size {
				v.at(Original, i, in[i:min(len(in), i+size)])
			}
			if r := v.s.Result(); r.Application != tt.want || r.Confidence != tt.confidence {
				t.Errorf("%s, %v, %d at a time, in front %v: %q with %d, want %q with %d", tt.name, tt.ech, size, front, r.Application, r.Confidence, tt.want, tt.confidence)
			}
		}
	}
}
