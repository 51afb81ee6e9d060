// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"testing"
)

// netflixInitials returns the datagrams of a client's hello to a name: one, or
// two where it is long.
func netflixInitials(t *testing.T, id string, long bool) [][]byte {
	t.Helper()
	if !long {
		return [][]byte{initialSpec{quicV1, id, id, "", 0, cryptoFrame(0, specHello().bytes()), 1200}.seal(t)}
	}
	m := quantumHello(t, "www.netflix.com")[5:]
	return [][]byte{
		initialSpec{quicV1, id, id, "", 0, cryptoFrame(0, m[:700]), 1200}.seal(t),
		initialSpec{quicV1, id, id, "", 1, cryptoFrame(700, m[700:]), 1200}.seal(t),
	}
}

// initiation is the first message of WireGuard.
func initiation() []byte { return joinParts([]any{"\x01\x00\x00\x00", noiseBytes(144)}) }

// A client that sends any protocol's first datagram, which a server of another
// drops, has its QUIC and WireGuard recognised all the same.
func TestTakeOverFromEveryProtocol(t *testing.T) {
	c := New(Options{})
	p := newPlayer(c, false, 0)
	quic := netflixInitials(t, "another", false)[0]
	for _, e := range allExamples() {
		if e.tcp || len(e.messages) == 0 || e.messages[0].dir != Original {
			continue
		}
		p.begin(false, e.port)
		for _, m := range e.messages {
			if m.dir == Original && p.s.payloads[Original] < 4 {
				p.show(Original, m.data)
			}
		}
		before := p.s.Result()
		if p.show(Original, quic); p.s.Result().SNI != "www.netflix.com" {
			t.Errorf("%s/%s, %q: QUIC behind it is %+v", e.protocol, e.name, before.Protocol, p.s.Result())
		}
		if before.Protocol == "" || before.Protocol == "Tailscale" || before.Protocol == "WireGuard" {
			continue
		}
		p.begin(false, e.port)
		p.show(Original, e.messages[0].data)
		if p.show(Original, initiation()); p.s.Result().Protocol != "WireGuard" {
			t.Errorf("%s/%s: WireGuard behind it is %q", e.protocol, e.name, p.s.Result().Protocol)
		}
	}
}

// What a server of QUIC says to anything, versions to choose from and a reset, is
// nobody's answer: the hello behind it is looked at.
func TestTakeOverBehindRefusals(t *testing.T) {
	p := newPlayer(New(Options{Relations: NewRelations(RelationsOptions{})}), false, 0)
	quic := netflixInitials(t, "another", false)[0]
	negotiation := joinParts([]any{"\x00\x00\x00\x00\x00\x08clientid\x08serverid\x00\x00\x00\x01\x6b\x33\x43\xcf"})
	reset := noiseBytes(43)
	for _, e := range allExamples() {
		if e.tcp || len(e.messages) == 0 || e.messages[0].dir != Original {
			continue
		}
		for first := 0x40; first < 0x100; first++ {
			refusal := negotiation
			if first < 0x80 {
				refusal = reset
			}
			refusal[0] = byte(first)
			p.begin(false, e.port)
			for _, m := range e.messages {
				if m.dir == Original && p.s.payloads[Original] < 4 {
					p.show(Original, m.data)
				}
			}
			p.show(Reply, refusal)
			if p.show(Original, quic); p.s.Result().SNI != "www.netflix.com" {
				t.Errorf("%s/%s: QUIC behind a refusal %#x is %q", e.protocol, e.name, first, p.s.Result().Protocol)
				break
			}
		}
	}
}

func TestTakeOver(t *testing.T) {
	disco := joinParts([]any{"TS\xf0\x9f\x92\xac", noiseBytes(120)})
	dtls := dtlsHello()
	innocent := initialSpec{quicV1, "innocent", "innocent", "", 0, cryptoFrame(0, classicHello(t, "www.example.org")[5:]), 1200}.seal(t)
	negotiation := []byte{0x80, 0, 0, 0, 0, 4, 1, 2, 3, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf}
	reset := joinParts([]any{0x4a, noiseBytes(50)})
	quic, long := netflixInitials(t, "original", false), netflixInitials(t, "original", true)
	part := initialSpec{quicV1, "innocent", "innocent", "", 0, cryptoFrame(0, quantumHello(t, "www.example.org")[5:705]), 1200}.seal(t)
	verify := joinParts([]any{22, uint16(0xfefd), uint16(0), uint16(0), uint32(0), size16{[]any{3, "\x00\x00\x07", uint16(0), 0, 0, 0, "\x00\x00\x07", uint16(0xfefd), "\x04cook"}}})
	toServer := func(bs ...[]byte) (all []message) {
		for _, b := range bs {
			all = append(all, message{Original, b})
		}
		return all
	}
	join := func(parts ...[]message) (all []message) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	answer := func(b []byte) []message { return []message{{Reply, b}} }
	for _, tt := range []struct {
		name     string
		says     []message
		protocol string
		sni      string
		state    State
	}{
		{"nothing behind it", toServer(disco), "Tailscale", "", More},
		{"its answer", join(toServer(disco), answer(disco)), "Tailscale", "", Done},
		{"QUIC", toServer(disco, quic[0]), "QUIC", "www.netflix.com", More},
		{"QUIC, answered", join(toServer(disco, quic[0]), answer(quicAnswer)), "QUIC", "www.netflix.com", Done},
		{"QUIC in two datagrams", toServer(disco, long[0], long[1]), "QUIC", "www.netflix.com", More},
		{"a reset, then QUIC", join(toServer(disco), answer(reset), toServer(quic[0])), "QUIC", "www.netflix.com", More},
		{"QUIC behind the answer", join(toServer(disco), answer(disco), toServer(quic[0])), "Tailscale", "", Done},
		{"QUIC, short", toServer(disco, quic[0][:1199]), "Tailscale", "", More},
		{"QUIC to another name", toServer(innocent, quic[0]), "QUIC", "www.netflix.com", More},
		{"QUIC to another name, in two", toServer(innocent, long[0], long[1]), "QUIC", "www.netflix.com", More},
		{"the same, behind a refusal", join(toServer(innocent), answer(negotiation), toServer(long...)), "QUIC", "www.netflix.com", More},
		{"the same, behind an answer", join(toServer(innocent), answer(quicAnswer), toServer(quic[0])), "QUIC", "www.example.org", Done},
		{"QUIC behind half a hello to another name", toServer(part, quic[0]), "QUIC", "www.netflix.com", More},
		{"QUIC in two behind half a hello", toServer(part, long[0], long[1]), "QUIC", "www.netflix.com", More},
		{"the same, answered", join(toServer(part), answer(quicAnswer), toServer(quic[0])), "QUIC", "www.netflix.com", Done},
		{"DTLS to another name", toServer(dtlsHelloOf(classicHello(t, "www.example.org")[5:]), dtls), "DTLS", "www.netflix.com", More},
		{"DTLS to another name, with a cookie", join(toServer(dtlsHelloOf(classicHello(t, "www.example.org")[5:])), answer(verify), toServer(dtls)), "DTLS", "www.netflix.com", More},
		{"DTLS", toServer(disco, dtls), "DTLS", "www.netflix.com", More},
		{"the server speaks another", join(toServer(disco), answer(joinParts([]any{"\x02\x00\x00\x00", noiseBytes(88)}))), "WireGuard", "", Done},
		{"noise", toServer(disco, noiseBytes(100), noiseBytes(101)), "Tailscale", "", More},
		{"enough noise", toServer(disco, noiseBytes(100), noiseBytes(101), noiseBytes(102), noiseBytes(103), noiseBytes(104), noiseBytes(105), noiseBytes(106)), "Tailscale", "", Done},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(New(Options{}), false, 0)
			for _, m := range tt.says {
				before := bytes.Clone(m.data)
				if p.show(m.dir, m.data); !bytes.Equal(before, m.data) {
					t.Fatal("the packet was changed")
				}
			}
			r := p.s.Result()
			if r.Protocol != tt.protocol || r.SNI != tt.sni || p.s.State() != tt.state {
				t.Errorf("got %q %q %v, want %q %q %v", r.Protocol, r.SNI, p.s.State(), tt.protocol, tt.sni, tt.state)
			}
			if p.s.State() == Done && (p.s.work != nil || p.s.trial != nil) {
				t.Error("something is kept after the end")
			}
			checkResult(t, &p.s, DefaultMaxString)
		})
	}
}

// What was the protocol before is evidence, and the same hello once more is none.
func TestTakeOverEvidence(t *testing.T) {
	p := newPlayer(New(Options{}), false, 0)
	quic := netflixInitials(t, "original", false)[0]
	for range 3 {
		p.show(Original, quic)
	}
	n := len(p.s.Evidence())
	if version := p.s.Version(); n == 0 || version != p.s.Result().Version {
		t.Fatalf("%d pieces", n)
	}
	for _, e := range p.s.Evidence() {
		if e.Packet != 1 {
			t.Errorf("a hello that comes again is evidence: %+v", e)
		}
	}
	p.begin(false, 0)
	p.show(Original, ntpMessage(4<<3|3, 0, 6, -6, 3_900_000_000))
	p.show(Original, quic)
	var rules []string
	for _, e := range p.s.Evidence() {
		rules = append(rules, e.Rule+" "+e.Seen)
	}
	if len(rules) < 4 || rules[0] != "NTP " || rules[1] != "protocol/taken over NTP" || rules[2] != "QUIC " {
		t.Errorf("evidence %q", rules)
	}
}

// A hint outlives the protocol that a session first had.
func TestTakeOverKeepsHint(t *testing.T) {
	hints := NewHints(HintsOptions{})
	hints.Add(clientAddr.Addr(), serverAddr.Addr(), "www.netflix.com", 0, testTime)
	p := newPlayer(New(Options{Hints: hints}), false, 0)
	p.show(Original, joinParts([]any{"TS\xf0\x9f\x92\xac", noiseBytes(120)}))
	p.show(Reply, joinParts([]any{"\x02\x00\x00\x00", noiseBytes(88)}))
	if r := p.s.Result(); r.Protocol != "WireGuard" || r.Hint != "www.netflix.com" || r.Application != "NETFLIX" || !r.Inferred {
		t.Errorf("got %+v", r)
	}
}
