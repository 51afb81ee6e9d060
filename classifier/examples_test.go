// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// example is a conversation made by hand from a protocol's specification. Every
// detector has one at least; the tests in this file run over all of them.
type example struct {
	name        string // what is shown, unique within the protocol
	protocol    string // Result.Protocol at the end; empty for a near miss that stays unknown
	application string // Result.Application, where it is not the protocol's own
	tcp         bool
	port        uint16 // of the server, where the protocol has one; 0: no matter
	messages    []message
}

// message is a datagram, or a piece of a stream of any size.
type message struct {
	dir  Dir
	data []byte
}

// allExamples returns the examples of every family.
func allExamples() []example {
	return slices.Concat(
		webExamples(),
		servicesExamples(),
		industrialExamples(),
		peersExamples(),
		talkExamples(),
		gamesExamples(),
		gadgetsExamples(),
		underlaysExamples(),
		plantsExamples(),
		notationsExamples(),
		greetingsExamples(),
	)
}

// toServer and toClient make messages of the client and of the server from parts: byte
// slices, strings, single bytes, and numbers of two, four and eight bytes in
// network byte order.
func toServer(parts ...any) message { return message{Original, joinParts(parts)} }
func toClient(parts ...any) message { return message{Reply, joinParts(parts)} }

// little marks a number that stands in little endian.
type little struct{ n any }

// size16 and size32 stand for a length in network byte order of everything that
// follows, in bytes.
type (
	size16 struct{ parts []any }
	size32 struct{ parts []any }
)

// joinParts returns the parts one after the other.
func joinParts(parts []any) []byte {
	var out []byte
	for _, p := range parts {
		switch v := p.(type) {
		case []byte:
			out = append(out, v...)
		case string:
			out = append(out, v...)
		case byte:
			out = append(out, v)
		case int: // an untyped constant is a byte
			if v < 0 || v > 255 {
				panic(fmt.Sprintf("%d is no byte", v))
			}
			out = append(out, byte(v))
		case uint16:
			out = binary.BigEndian.AppendUint16(out, v)
		case uint32:
			out = binary.BigEndian.AppendUint32(out, v)
		case uint64:
			out = binary.BigEndian.AppendUint64(out, v)
		case little:
			n := len(out)
			out = append(out, joinParts([]any{v.n})...)
			slices.Reverse(out[n:])
		case size16:
			b := joinParts(v.parts)
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(b))), b...)
		case size32:
			b := joinParts(v.parts)
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(b))), b...)
		default:
			panic(fmt.Sprintf("part of type %T", p))
		}
	}
	return out
}

// noiseBytes returns n bytes that look like nothing, the same ones every time.
func noiseBytes(n int) []byte {
	r := rand.New(rand.NewPCG(5, uint64(n)))
	b := make([]byte, n)
	fillRandom(r, b)
	return b
}

func fillRandom(r *rand.Rand, b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, r.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

// player shows examples to sessions without making packets' bytes first.
type player struct {
	c    *Classifier
	s    Session
	seq  [2]uint32
	ends Endpoints
}

func newPlayer(c *Classifier, tcp bool, port uint16) *player {
	p := &player{c: c}
	p.begin(tcp, port)
	return p
}

func (p *player) begin(tcp bool, port uint16) {
	if port == 0 {
		port = 40001
	}
	p.ends = Endpoints{ProtoUDP, clientAddr, netip.AddrPortFrom(serverAddr.Addr(), port)}
	p.seq = [2]uint32{1000, 0xffffff00}
	if tcp {
		p.ends.Proto = ProtoTCP
	}
	p.c.Begin(&p.s, p.ends, testTime)
}

func (p *player) show(d Dir, data []byte) { p.showAt(d, data, testTime) }

func (p *player) showAt(d Dir, data []byte, at time.Time) {
	e := p.ends
	if d == Reply {
		e = e.Reverse()
	}
	pk := Packet{
		Family: 4, Proto: e.Proto, Hops: 64, Src: e.Client.Addr(), Dst: e.Server.Addr(), SrcPort: e.Client.Port(), DstPort: e.Server.Port(),
		Length: 40 + len(data), Payload: data,
	}
	if e.Proto == ProtoTCP {
		pk.TCPFlags, pk.Seq = FlagACK, p.seq[d]
		p.seq[d] += uint32(len(data))
	}
	p.c.Inspect(&p.s, &pk, d, at)
}

func (e *example) play(p *player) Result {
	p.begin(e.tcp, e.port)
	for _, m := range e.messages {
		p.show(m.dir, m.data)
	}
	return p.s.Result()
}

func (e *example) check(t *testing.T, r Result) {
	t.Helper()
	if r.Protocol != e.protocol || e.application != "" && r.Application != e.application {
		t.Errorf("%s/%s: got %q, application %q; want %q %q", e.protocol, e.name, r.Protocol, r.Application, e.protocol, e.application)
	}
}

func TestExamples(t *testing.T) {
	p := newPlayer(New(Options{}), true, 0)
	for _, e := range allExamples() {
		e.check(t, e.play(p))
		checkResult(t, &p.s, DefaultMaxString)
	}
}

// TestEveryDetectorHasAnExample counts a detector whose sessions can bear
// another name as having one if that name is its own in upper case, too.
func TestEveryDetectorHasAnExample(t *testing.T) {
	p := newPlayer(New(Options{}), true, 0)
	seen := map[string]bool{}
	for _, e := range allExamples() {
		e.play(p)
		if d := p.s.detector; d != nil {
			seen[d.name] = true
		}
	}
	names := map[string]bool{}
	for _, d := range detectors() {
		if !seen[d.name] && !names[d.name] {
			t.Errorf("detector %q has no example", d.name)
		}
		names[d.name] = true
		if d.name == "" || d.upper == "" || d.category == "" || d.confidence == 0 || d.confidence > 99 || d.stream == nil && d.datagram == nil {
			t.Errorf("detector %q: incomplete", d.name)
		}
	}
	if n := len(detectors()); n > 255 {
		t.Errorf("%d detectors: a set holds 255", n)
	}
}

// TestExamplesInAnySegmentation cuts streams byte by byte, and at random.
func TestExamplesInAnySegmentation(t *testing.T) {
	p := newPlayer(New(Options{MaxPackets: 65535}), true, 0)
	r := rand.New(rand.NewPCG(1, 2))
	for _, e := range allExamples() {
		if !e.tcp {
			continue
		}
		want := e.play(p)
		for round := range 12 {
			p.begin(true, e.port)
			for _, m := range e.messages {
				for b := m.data; len(b) > 0; {
					n := 1
					if round > 0 {
						n = min(len(b), 1+r.IntN(1<<min(round, 9)))
					}
					p.show(m.dir, b[:n])
					b = b[n:]
				}
			}
			got := p.s.Result()
			if got.Protocol != want.Protocol || got.Application != want.Application || got.Detail != want.Detail {
				t.Errorf("%s/%s: in pieces (round %d) %q %q %q, at once %q %q %q", e.protocol, e.name, round,
					got.Protocol, got.Application, got.Detail, want.Protocol, want.Application, want.Detail)
				break
			}
		}
	}
}

// TestExamplesCut shows every beginning of every message: it is the protocol,
// or nothing, and nothing is read that is not there.
func TestExamplesCut(t *testing.T) {
	p := newPlayer(New(Options{}), true, 0)
	for _, e := range allExamples() {
		want := e.play(p).Protocol
		for i, m := range e.messages {
			for n := range min(len(m.data), 1500) {
				p.begin(e.tcp, e.port)
				for _, before := range e.messages[:i] {
					p.show(before.dir, before.data)
				}
				so := p.s.Result().Protocol // a later message may refine it
				p.show(m.dir, slices.Clip(bytes.Clone(m.data[:n])))
				if got := p.s.Result().Protocol; got != want && got != so && got != "" {
					t.Errorf("%s/%s: message %d cut to %d bytes is %q", e.protocol, e.name, i, n, got)
					break
				}
			}
		}
	}
}

// randomRate is how many payloads that mean nothing there are to one that may
// get a label: so rare that a short run has none. Of fifteen million, in runs
// with other seeds, twelve did.
const randomRate = 200_000

// TestNoiseStaysUnknown shows sessions of bytes that mean nothing, on ports
// that mean something: at random, text at random, bytes that repeat, and numbers
// of two bytes in places of four.
func TestNoiseStaysUnknown(t *testing.T) {
	payloads := 1_000_000
	if testing.Short() {
		payloads = 100_000
	}
	ports := []uint16{0}
	for _, e := range allExamples() {
		if e.port != 0 && !slices.Contains(ports, e.port) {
			ports = append(ports, e.port)
		}
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;-_/+=\r\n"
	kinds := []struct {
		name  string
		share int // of the payloads, in percent
		fill  func(*rand.Rand, []byte)
	}{
		{"bytes", 70, fillRandom},
		{"text", 10, func(r *rand.Rand, b []byte) {
			for i := range b {
				b[i] = alphabet[r.IntN(len(alphabet))]
			}
		}},
		{"repeated", 5, func(r *rand.Rand, b []byte) {
			v := byte(r.Uint32())
			for i := range b {
				b[i] = v
			}
		}},
		{"numbers", 15, func(r *rand.Rand, b []byte) {
			shift := 16 * r.IntN(2) // in network byte order, or the other way round
			for i := range b {
				b[i] = 0
				if i&2 == shift>>3 {
					b[i] = byte(r.Uint32())
				}
			}
		}},
	}
	c := New(Options{})
	r := rand.New(rand.NewPCG(7, 11))
	p := newPlayer(c, true, 0)
	buf := make([]byte, 1400)
	wrong, shown, total := map[string]int{}, 0, 0
	for _, k := range kinds {
		n := 0
		limit := payloads * k.share / 100
		for n < limit {
			tcp := r.IntN(2) == 0
			p.begin(tcp, ports[r.IntN(len(ports))])
			both, most := r.IntN(2) == 0, 1+r.IntN(12)
			size := 1 + r.IntN(1<<(3+r.IntN(8)))
			for i := range most {
				if r.IntN(3) == 0 {
					size = 1 + r.IntN(1<<(3+r.IntN(8)))
				}
				d := Original
				if both {
					d = Dir(i & 1)
				}
				b := buf[:min(size, len(buf))]
				k.fill(r, b)
				p.show(d, b)
				n++
				if p.s.State() == Done {
					break
				}
			}
			if p.s.detector != nil {
				total++
				over := "udp"
				if tcp {
					over = "tcp"
				}
				wrong[k.name+" "+over+" "+p.s.Result().Protocol]++
			}
		}
		shown += n
	}
	if total*randomRate > shown {
		t.Errorf("%d of %d payloads got a label: %v", total, shown, wrong)
	}
}

// FuzzExamples changes examples: bytes of a message, its direction, the port.
func FuzzExamples(f *testing.F) {
	for _, e := range allExamples() {
		var a, b []byte
		if len(e.messages) > 0 {
			a = e.messages[0].data
		}
		if len(e.messages) > 1 {
			b = e.messages[1].data
		}
		f.Add(e.tcp, e.port, a, b)
	}
	plain := New(Options{})
	all := New(Options{Hints: NewHints(HintsOptions{}), History: NewHistory(HistoryOptions{}), Relations: NewRelations(RelationsOptions{}), Certificates: true, Lookups: true})
	f.Fuzz(func(t *testing.T, tcp bool, port uint16, a, b []byte) {
		for _, c := range []*Classifier{plain, all} {
			p := newPlayer(c, tcp, port)
			for i, data := range [][]byte{a, b, a, b} {
				before := bytes.Clone(data)
				p.show(Dir(i&1), data)
				if !bytes.Equal(before, data) {
					t.Fatal("the packet was changed")
				}
				checkResult(t, &p.s, DefaultMaxString)
			}
		}
	})
}
