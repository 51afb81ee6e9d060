// SPDX-License-Identifier: MIT

package classifier

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

var (
	clientAddr = netip.MustParseAddrPort("192.0.2.10:40000")
	serverAddr = netip.MustParseAddrPort("198.51.100.20:4433")
	testTime   = time.Unix(1_800_000_000, 0)
)

// buildIP puts an IP header of src's family in front of payload.
func buildIP(proto uint8, src, dst netip.Addr, payload []byte) []byte {
	if src.Is4() {
		b := make([]byte, 20, 20+len(payload))
		b[0] = 0x45
		binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
		b[8], b[9] = 64, proto
		copy(b[12:], src.AsSlice())
		copy(b[16:], dst.AsSlice())
		return append(b, payload...)
	}
	b := make([]byte, 40, 40+len(payload))
	b[0] = 0x60
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = proto, 64
	copy(b[8:], src.AsSlice())
	copy(b[24:], dst.AsSlice())
	return append(b, payload...)
}

// buildTCP builds a segment.
func buildTCP(src, dst netip.AddrPort, seq uint32, flags uint8, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint32(b[4:], seq)
	b[12], b[13] = 5<<4, flags
	return buildIP(ProtoTCP, src.Addr(), dst.Addr(), append(b, payload...))
}

// buildUDP builds a datagram.
func buildUDP(src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	return buildIP(ProtoUDP, src.Addr(), dst.Addr(), append(b, payload...))
}

// conversation feeds one session.
type conversation struct {
	t      testing.TB
	c      *Classifier
	s      Session
	client netip.AddrPort
	server netip.AddrPort
	seq    [2]uint32
	now    time.Time
}

func newConversation(t testing.TB, c *Classifier) *conversation {
	return &conversation{t: t, c: c, client: clientAddr, server: serverAddr, seq: [2]uint32{0xfffffff0, 77}, now: testTime}
}

// inspect decodes and shows one packet.
func (v *conversation) inspect(d Dir, b []byte) State {
	v.t.Helper()
	var p Packet
	if err := Decode(b, &p); err != nil {
		v.t.Fatalf("decode: %v", err)
	}
	return v.c.Inspect(&v.s, &p, d, v.now)
}

func (v *conversation) ends(d Dir) (src, dst netip.AddrPort) {
	if d == Original {
		return v.client, v.server
	}
	return v.server, v.client
}

// at shows a segment at an offset of its stream, which begins behind the SYN.
func (v *conversation) at(d Dir, off int, payload []byte) State {
	v.t.Helper()
	src, dst := v.ends(d)
	return v.inspect(d, buildTCP(src, dst, v.seq[d]+1+uint32(off), FlagACK, payload))
}

// open shows a three-way handshake.
func (v *conversation) open() {
	v.t.Helper()
	v.inspect(Original, buildTCP(v.client, v.server, v.seq[0], FlagSYN, nil))
	v.inspect(Reply, buildTCP(v.server, v.client, v.seq[1], FlagSYN|FlagACK, nil))
	v.at(Original, 0, nil)
}

// udp shows a datagram.
func (v *conversation) udp(d Dir, payload []byte) State {
	v.t.Helper()
	src, dst := v.ends(d)
	return v.inspect(d, buildUDP(src, dst, payload))
}

// recorder is a connection that keeps what is written and has nothing to read.
type recorder struct {
	net.Conn
	wrote []byte
}

var errRecorded = errors.New("recorded")

func (r *recorder) Write(b []byte) (int, error) { r.wrote = append(r.wrote, b...); return len(b), nil }
func (r *recorder) Read([]byte) (int, error)    { return 0, errRecorded }
func (r *recorder) Close() error                { return nil }

// clientHello returns the records crypto/tls opens a connection with.
func clientHello(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	var r recorder
	if err := tls.Client(&r, config).Handshake(); !errors.Is(err, errRecorded) {
		t.Fatalf("handshake: %v", err)
	}
	return r.wrote
}

// classicHello is short enough for any segment; quantumHello is not.
func classicHello(t testing.TB, name string) []byte {
	return clientHello(t, &tls.Config{
		ServerName: name, NextProtos: []string{"h2", "http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519},
	})
}

func quantumHello(t testing.TB, name string) []byte {
	b := clientHello(t, &tls.Config{
		ServerName: name, NextProtos: []string{"h2", "http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519},
	})
	if len(b) < 1400 {
		t.Fatalf("hello of %d bytes: want a post-quantum one", len(b))
	}
	return b
}

// records puts handshake bytes into TLS records of the sizes given, the last
// one taking the rest.
func records(handshake []byte, sizes ...int) []byte {
	var out []byte
	for len(handshake) > 0 {
		n := len(handshake)
		if len(sizes) > 0 {
			n, sizes = min(n, sizes[0]), sizes[1:]
		}
		out = append(out, recordHandshake, 3, 1, byte(n>>8), byte(n))
		out = append(out, handshake[:n]...)
		handshake = handshake[n:]
	}
	return out
}
