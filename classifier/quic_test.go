// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/internal/cputime"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go"
)

// TestQUICKeys uses the connection id and keys printed in the appendices of the
// specifications of version 1 and 2.
func TestQUICKeys(t *testing.T) {
	dcid, _ := hex.DecodeString("8394c8f03e515708")
	tests := []struct {
		version     uint32
		key, iv, hp string
	}{
		{quicV1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		{quicV2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
	}
	for _, tt := range tests {
		v, ok := lookupQUIC(tt.version)
		if !ok {
			t.Fatalf("version %#x is unknown", tt.version)
		}
		k, err := newQUICKeys(&v, dcid)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(k.iv[:]); got != tt.iv {
			t.Errorf("version %s: iv %s, want %s", quicName(v.number), got, tt.iv)
		}
		// A cipher does not show its key: compare what it makes of a block.
		want, _ := hex.DecodeString(tt.hp)
		block, _ := aes.NewCipher(want)
		var a, b [16]byte
		block.Encrypt(a[:], a[:])
		k.hp.Encrypt(b[:], b[:])
		if a != b {
			t.Errorf("version %s: header protection key differs", quicName(v.number))
		}
		initial := hmacSHA256(v.salt[:], dcid)
		client := expandLabel(&initial, "client in")
		if key := expandLabel(&client, v.key); hex.EncodeToString(key[:16]) != tt.key {
			t.Errorf("version %s: key %x, want %s", quicName(v.number), key[:16], tt.key)
		}
	}
}

// initialSpec is an Initial packet to build.
type initialSpec struct {
	version uint32
	keyID   string // the id the keys are made from
	dcid    string
	token   string
	number  uint16
	frames  []byte
	size    int // of the packet, padded
}

// seal builds and protects the packet.
func (p initialSpec) seal(t testing.TB) []byte {
	t.Helper()
	v, ok := lookupQUIC(p.version)
	if !ok {
		t.Fatalf("version %#x is unknown", p.version)
	}
	k, err := newQUICKeys(&v, []byte(p.keyID))
	if err != nil {
		t.Fatal(err)
	}
	kind := byte(0)
	if v.rotated {
		kind = 1
	}
	b := []byte{0xc0 | kind<<4 | 1} // two bytes of packet number
	b = binary.BigEndian.AppendUint32(b, p.version)
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(b, 4, 1, 2, 3, 4) // source id
	b = append(binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(p.token))), p.token...)
	plain := bytes.Clone(p.frames)
	if n := p.size - len(b) - 2 - 2 - 16 - len(plain); n > 0 {
		plain = append(plain, make([]byte, n)...)
	}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(2+len(plain)+16))
	at := len(b)
	b = binary.BigEndian.AppendUint16(b, p.number)
	nonce := k.iv
	nonce[10] ^= byte(p.number >> 8)
	nonce[11] ^= byte(p.number)
	b = k.aead.Seal(b, nonce[:], plain, b)
	var mask [16]byte
	k.hp.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	b[at] ^= mask[1]
	b[at+1] ^= mask[2]
	return b
}

// cryptoFrame builds one CRYPTO frame.
func cryptoFrame(off int, data []byte) []byte {
	b := []byte{6}
	b = binary.BigEndian.AppendUint32(b, 0x80000000|uint32(off))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(data)))
	return append(b, data...)
}

// quicRecorder is a packet connection that keeps what is written and has
// nothing to read.
type quicRecorder struct {
	mu     sync.Mutex
	wrote  [][]byte
	closed chan struct{}
	once   sync.Once
}

func (r *quicRecorder) WriteTo(b []byte, _ net.Addr) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrote = append(r.wrote, bytes.Clone(b))
	return len(b), nil
}

func (r *quicRecorder) ReadFrom([]byte) (int, net.Addr, error) {
	<-r.closed
	return 0, nil, net.ErrClosed
}
func (r *quicRecorder) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// SetReadBuffer and SetWriteBuffer keep the client from complaining.
func (r *quicRecorder) SetReadBuffer(int) error  { return nil }
func (r *quicRecorder) SetWriteBuffer(int) error { return nil }

func (r *quicRecorder) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(clientAddr) }
func (r *quicRecorder) SetDeadline(time.Time) error      { return nil }
func (r *quicRecorder) SetReadDeadline(time.Time) error  { _ = r.Close(); return nil }
func (r *quicRecorder) SetWriteDeadline(time.Time) error { return nil }

// firstFlight returns the datagrams a QUIC client opens a connection with.
func firstFlight(t testing.TB, name string, version quic.Version, curves ...tls.CurveID) [][]byte {
	t.Helper()
	r := &quicRecorder{closed: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	tr := &quic.Transport{Conn: r}
	_, err := tr.Dial(ctx, net.UDPAddrFromAddrPort(serverAddr),
		&tls.Config{ServerName: name, NextProtos: []string{"h3"}, CurvePreferences: curves},
		&quic.Config{Versions: []quic.Version{version}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("dial: %v", err)
	}
	_ = tr.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wrote) == 0 {
		t.Fatal("the client sent nothing")
	}
	return r.wrote
}

func TestQUICRealClient(t *testing.T) {
	c := New(Options{})
	for _, tt := range []struct {
		name, version string
		number        quic.Version
		curves        []tls.CurveID
		datagrams     int
	}{
		{"v1 classic", "1", quic.Version1, []tls.CurveID{tls.X25519}, 1},
		{"v1 quantum", "1", quic.Version1, []tls.CurveID{tls.X25519MLKEM768}, 2},
		{"v2 classic", "2", quic.Version2, []tls.CurveID{tls.X25519}, 1},
		{"v2 quantum", "2", quic.Version2, []tls.CurveID{tls.X25519MLKEM768}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			flight := firstFlight(t, "www.youtube.com", tt.number, tt.curves...)
			v := newConversation(t, c)
			shown := 0
			for shown < len(flight) && v.s.flags&told == 0 {
				v.udp(Original, flight[shown])
				shown++
			}
			r := v.s.Result()
			if v.udp(Reply, quicAnswer) != Done || shown < tt.datagrams {
				t.Fatalf("state %v after %d of %d datagrams: %+v", v.s.State(), shown, len(flight), r)
			}
			want := Result{
				Protocol: "QUIC", Application: "YOUTUBE", Category: "streaming", Chain: "IP/UDP/QUIC/YOUTUBE",
				Detail: "www.youtube.com", Confidence: confidenceName, SNI: "www.youtube.com", ALPN: []string{"h3"},
				JA4: r.JA4, JA3: r.JA3, QUICVersion: tt.version, Version: r.Version,
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(r.JA4, "q13d") || !strings.Contains(r.JA4, "h3_") {
				t.Errorf("JA4 %q", r.JA4)
			}
		})
	}
}

// TestQUICAnyFrames spreads a hello over CRYPTO frames of any size and order,
// with other frames between them, over several Initials, coalesced or not, in
// datagrams of any order, and expects one answer.
func TestQUICAnyFrames(t *testing.T) {
	c := New(Options{})
	message := quantumHello(t, "www.netflix.com")[5:]
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		version := []uint32{quicV1, quicV2, quicDrafts + 29, quicDrafts + 27}[r.IntN(4)]
		var frames [][]byte
		for off := 0; off < len(message); {
			end := min(len(message), off+1+r.IntN(300))
			frames = append(frames, cryptoFrame(off, message[off:end]))
			off = end
		}
		r.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		var datagrams [][]byte
		for number := uint16(0); len(frames) > 0; number++ {
			var body []byte
			for len(frames) > 0 && len(body) < 700 {
				switch r.IntN(4) {
				case 0:
					body = append(body, 1) // PING
				case 1:
					body = append(body, make([]byte, r.IntN(9))...)
				case 2:
					body = append(body, 2, 5, 0, 1, 2, 1, 1) // ACK of two ranges
				}
				body = append(body, frames[0]...)
				frames = frames[1:]
			}
			p := initialSpec{version: version, keyID: "original", dcid: "original", number: number, frames: body}
			if r.IntN(2) == 0 {
				p.size = 1200
			}
			b := p.seal(t)
			if n := len(datagrams); n > 0 && r.IntN(3) == 0 {
				datagrams[n-1] = append(datagrams[n-1], b...)
			} else {
				datagrams = append(datagrams, b)
			}
		}
		r.Shuffle(len(datagrams), func(i, j int) { datagrams[i], datagrams[j] = datagrams[j], datagrams[i] })
		v := newConversation(t, c)
		for i, d := range datagrams {
			if v.udp(Original, d); v.s.flags&told != 0 != (i == len(datagrams)-1) {
				t.Fatalf("seed %d: flags %x after %d of %d datagrams", seed, v.s.flags, i+1, len(datagrams))
			}
		}
		if got := v.s.Result(); got.SNI != "www.netflix.com" || got.Application != "NETFLIX" || got.JA4 == "" {
			t.Fatalf("seed %d: %+v", seed, got)
		}
		if v.s.work != nil {
			t.Fatal("a buffer is kept after the end")
		}
	}
}

// TestQUICServerID goes on with the id the server chose: the keys stay those of
// the first one.
func TestQUICServerID(t *testing.T) {
	message := quantumHello(t, "www.netflix.com")[5:]
	v := newConversation(t, New(Options{}))
	v.udp(Original, initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, message[:700]), 1200}.seal(t))
	v.udp(Original, initialSpec{quicV1, "original", "server's", "", 1, cryptoFrame(700, message[700:]), 1200}.seal(t))
	if got := v.s.Result(); v.udp(Reply, quicAnswer) != Done || got.SNI != "www.netflix.com" {
		t.Errorf("state %v, %+v", v.s.State(), got)
	}
}

// quicAnswer begins a server's first datagram.
var quicAnswer = append([]byte{0xc0, 0, 0, 0, 1, 4, 1, 2, 3, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x40, 100}, make([]byte, 100)...)

// TestQUICRetry starts anew with the id and token of a Retry.
func TestQUICRetry(t *testing.T) {
	message := quantumHello(t, "www.netflix.com")[5:]
	refused := quantumHello(t, "a-name-of-another-length.example")[5:]
	v := newConversation(t, New(Options{}))
	v.udp(Original, initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, refused[:40]), 1200}.seal(t))
	retry := append([]byte{0xf0, 0, 0, 0, 1, 4, 1, 2, 3, 4, 8}, "retried!token and sixteen bytes of tag"...)
	if v.udp(Reply, retry) != More {
		t.Fatal("done after a Retry")
	}
	v.udp(Original, initialSpec{quicV1, "retried!", "retried!", "token", 1, cryptoFrame(0, message[:900]), 1200}.seal(t))
	v.udp(Original, initialSpec{quicV1, "retried!", "retried!", "token", 2, cryptoFrame(900, message[900:]), 1200}.seal(t))
	if got := v.s.Result(); v.udp(Reply, quicAnswer) != Done || got.SNI != "www.netflix.com" {
		t.Errorf("state %v, %+v", v.s.State(), got)
	}
}

func TestQUICWithoutHello(t *testing.T) {
	sealed := initialSpec{quicV1, "anything", "original", "", 0, cryptoFrame(0, []byte("x")), 1200}.seal(t)
	opens := initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()), 1200}.seal(t)
	negotiation := []byte{0x80, 0, 0, 0, 0, 4, 1, 2, 3, 4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf}
	reserved := append([]byte{0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0}, make([]byte, 1200)...)
	tests := []struct {
		name string
		dir  Dir
		in   []byte
		want string
	}{
		{"Initial that does not open", Original, sealed, "QUIC"},
		{"server's Initial", Reply, sealed, "QUIC"},
		{"server's Initial that opens as if it were the client's", Reply, opens, "QUIC"},
		{"version negotiation", Reply, negotiation, "QUIC"},
		{"version negotiation, unknown versions only", Reply, append(negotiation[:19:19], 9, 9, 9, 9), ""},
		{"version that asks for negotiation", Original, reserved, "QUIC"},
		{"the same, short", Original, reserved[:300], ""},
		{"unknown version", Original, append([]byte{0xc0, 1, 2, 3, 4}, reserved[5:]...), ""},
		{"length beyond the datagram", Original, sealed[:600], ""},
		{"id too long", Original, append([]byte{0xc0, 0, 0, 0, 1, 21}, make([]byte, 1300)...), ""},
		{"short header", Original, append([]byte{0x40}, make([]byte, 60)...), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			v.udp(tt.dir, tt.in)
			if r := v.s.Result(); r.Protocol != tt.want || r.SNI != "" || r.Protocol != "" && r.Confidence != confidenceSealed {
				t.Errorf("got %+v, want protocol %q", r, tt.want)
			}
		})
	}
}

// TestQUICLeavesThePacket decrypts without touching the caller's bytes.
func TestQUICLeavesThePacket(t *testing.T) {
	b := initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()), 1200}.seal(t)
	before := bytes.Clone(b)
	v := newConversation(t, New(Options{}))
	v.udp(Original, b)
	if !bytes.Equal(b, before) || v.s.Result().SNI == "" {
		t.Error("the packet was changed, or not read")
	}
}

// FuzzQUICFrames fuzzes what is inside an Initial, where only a sender of valid
// packets gets.
func FuzzQUICFrames(f *testing.F) {
	f.Add(cryptoFrame(0, specHello().bytes()))
	f.Add(append([]byte{0, 1, 2, 5, 0, 1, 2, 1, 1, 3, 0, 0, 0, 0, 1, 2, 3}, cryptoFrame(100, []byte("x"))...))
	f.Add([]byte{6, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 4096
		var w quicWork
		w.frames(b, limit, false)
		if n := len(w.crypto.buf) + len(w.crypto.store); n > limit {
			t.Fatalf("holds %d bytes", n)
		}
		new(hello).parse(w.crypto.bytes())
	})
}

// FuzzQUICPacket fuzzes the header and expects steps forward within the bytes.
func FuzzQUICPacket(f *testing.F) {
	f.Add(initialSpec{quicV1, "original", "original", "", 0, nil, 100}.seal(f))
	f.Add(initialSpec{quicV2, "original", "original", "token", 0, nil, 100}.seal(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := nextQUIC(b)
		if !ok {
			return
		}
		if p.size <= 0 || p.size > len(b) || p.whole != nil && (len(p.whole) != p.size || p.number+20 > p.size) {
			t.Fatalf("size %d of %d, number at %d", p.size, len(b), p.number)
		}
		v, known := lookupQUIC(p.version)
		if !known || p.whole == nil {
			return
		}
		k, err := newQUICKeys(&v, p.dcid)
		if err != nil {
			t.Fatal(err)
		}
		new(quicScratch).unprotect(&k, &p)
	})
}

func BenchmarkInspectQUIC(b *testing.B) {
	c := New(Options{})
	message := quantumHello(b, "www.netflix.com")[5:]
	one := [][]byte{initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, classicHello(b, "www.netflix.com")[5:]), 1200}.seal(b)}
	two := [][]byte{
		initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, message[:1100]), 1200}.seal(b),
		initialSpec{quicV1, "original", "original", "", 1, cryptoFrame(1100, message[1100:]), 1200}.seal(b),
	}
	for name, flight := range map[string][][]byte{"classic": one, "quantum": two} {
		b.Run(name, func(b *testing.B) {
			var packets []Packet
			for _, d := range flight {
				var p Packet
				if err := Decode(buildUDP(clientAddr, serverAddr, d), &p); err != nil {
					b.Fatal(err)
				}
				packets = append(packets, p)
			}
			var s Session
			b.ReportAllocs()
			start := cputime.Used(b)
			for b.Loop() {
				c.Begin(&s, packets[0].Endpoints(), testTime)
				for i := range packets {
					c.Inspect(&s, &packets[i], Original, testTime)
				}
			}
			cputime.Report(b, start)
			if s.flags&told == 0 {
				b.Fatal("not done")
			}
		})
	}
}

// Servers pass over packets of a datagram that do not open; what follows them is
// looked at, as many as fit.
func TestQUICBehindPacketsThatDoNotOpen(t *testing.T) {
	var b []byte
	for range 16 {
		b = append(b, initialSpec{quicV1, "another key", "original", "", 0, nil, 50}.seal(t)...)
	}
	hello := initialSpec{quicV1, "original", "original", "", 0, cryptoFrame(0, specHello().bytes()), 450}.seal(t)
	p := newPlayer(New(Options{}), false, 443)
	if p.show(Original, append(b, hello...)); p.s.Result().SNI != "www.netflix.com" {
		t.Errorf("got %+v of %d bytes", p.s.Result(), len(b)+len(hello))
	}
	// Of ids that differ only so many are tried.
	b = b[:0]
	for i := range 32 {
		b = append(b, initialSpec{quicV1, "another key", string(rune('A'+i)) + "riginal", "", 0, nil, 50}.seal(t)...)
	}
	p.begin(false, 443)
	x := &sight{c: p.c, s: &p.s, p: &Packet{}, data: b, nth: 1}
	if lookQUIC(x); x.quic.tried.made != maxQUICKeys {
		t.Errorf("keys were made %d times", x.quic.tried.made)
	}
}
