// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var addrEqual = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestDecode(t *testing.T) {
	v4a, v4b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	v6a, v6b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	udp := []byte{0, 53, 0x12, 0x34, 0, 12, 0, 0, 'd', 'a', 't', 'a'}
	tcp := append([]byte{0, 80, 1, 187, 1, 2, 3, 4, 5, 6, 7, 8, 6 << 4, FlagACK, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, "hi"...)
	ext := func(next byte, rest ...byte) []byte { return append([]byte{next, 0, 0, 0, 0, 0, 0, 0}, rest...) }
	fragment := func(next byte, off uint16, rest ...byte) []byte {
		b := ext(next, rest...)
		binary.BigEndian.PutUint16(b[2:], off)
		return b
	}
	edit := func(b []byte, f func([]byte)) []byte { f(b); return b }

	tests := []struct {
		name string
		in   []byte
		want Packet
		err  error
	}{
		{name: "udp over v4", in: buildIP(17, v4a, v4b, udp), want: Packet{
			Family: 4, Proto: 17, Hops: 64, SrcPort: 53, DstPort: 0x1234, Src: v4a, Dst: v4b, Length: 32, Payload: []byte("data"),
		}},
		{name: "padding behind the packet", in: append(buildIP(17, v4a, v4b, udp), 0, 0, 0), want: Packet{
			Family: 4, Proto: 17, Hops: 64, SrcPort: 53, DstPort: 0x1234, Src: v4a, Dst: v4b, Length: 32, Payload: []byte("data"),
		}},
		{name: "tcp with options over v6", in: buildIP(6, v6a, v6b, tcp), want: Packet{
			Family: 6, Proto: 6, Hops: 64, TCPFlags: FlagACK, SrcPort: 80, DstPort: 443, Src: v6a, Dst: v6b,
			Seq: 0x01020304, Ack: 0x05060708, Length: 66, Payload: []byte("hi"),
		}},
		{name: "v6 extension headers", in: buildIP(0, v6a, v6b, ext(60, ext(17, udp...)...)), want: Packet{
			Family: 6, Proto: 17, Hops: 64, SrcPort: 53, DstPort: 0x1234, Src: v6a, Dst: v6b, Length: 68, Payload: []byte("data"),
		}},
		{name: "v6 first fragment", in: buildIP(44, v6a, v6b, fragment(17, 1, udp...)), want: Packet{
			Family: 6, Proto: 17, Hops: 64, MoreFragments: true, SrcPort: 53, DstPort: 0x1234, Src: v6a, Dst: v6b, Length: 60, Payload: []byte("data"),
		}},
		{name: "v6 later fragment", in: buildIP(44, v6a, v6b, fragment(17, 64, 'x', 'y')), want: Packet{
			Family: 6, Proto: 17, Hops: 64, Fragment: true, Src: v6a, Dst: v6b, Length: 50, Payload: []byte("xy"),
		}},
		{name: "v4 later fragment", in: edit(buildIP(17, v4a, v4b, udp), func(b []byte) { b[7] = 9 }), want: Packet{
			Family: 4, Proto: 17, Hops: 64, Fragment: true, Src: v4a, Dst: v4b, Length: 32, Payload: udp,
		}},
		{name: "icmp", in: buildIP(1, v4a, v4b, []byte{8, 3, 0, 0, 1, 2}), want: Packet{
			Family: 4, Proto: 1, Hops: 64, ICMPType: 8, ICMPCode: 3, Src: v4a, Dst: v4b, Length: 26, Payload: []byte{1, 2},
		}},
		{name: "total length 0 is all there is", in: edit(buildIP(17, v4a, v4b, udp), func(b []byte) { b[2], b[3] = 0, 0 }), want: Packet{
			Family: 4, Proto: 17, Hops: 64, SrcPort: 53, DstPort: 0x1234, Src: v4a, Dst: v4b, Length: 32, Payload: []byte("data"),
		}},
		{name: "cut in the payload", in: buildIP(17, v4a, v4b, udp)[:30], err: ErrTruncated, want: Packet{
			Family: 4, Proto: 17, Hops: 64, SrcPort: 53, DstPort: 0x1234, Src: v4a, Dst: v4b, Length: 32, Payload: []byte("da"),
		}},
		{name: "empty", err: ErrTruncated},
		{name: "cut header", in: buildIP(17, v4a, v4b, udp)[:19], err: ErrTruncated},
		{name: "cut v6 header", in: buildIP(17, v6a, v6b, udp)[:39], err: ErrTruncated},
		{name: "not IP", in: []byte{0x50, 0, 0}, err: ErrMalformed},
		{name: "header length below 20", in: edit(buildIP(17, v4a, v4b, udp), func(b []byte) { b[0] = 0x44 }), err: ErrMalformed},
		{name: "total length below header", in: edit(buildIP(17, v4a, v4b, udp), func(b []byte) { b[3] = 10 }), err: ErrMalformed},
		{name: "udp longer than the packet", in: edit(buildIP(17, v4a, v4b, udp), func(b []byte) { b[25] = 13 }), err: ErrMalformed},
		{name: "tcp offset beyond the packet", in: edit(buildIP(6, v4a, v4b, tcp), func(b []byte) { b[32] = 0xf0 }), err: ErrMalformed},
		{name: "extension beyond the packet", in: edit(buildIP(0, v6a, v6b, ext(17)), func(b []byte) { b[41] = 9 }), err: ErrMalformed},
		{name: "extensions without end", in: buildIP(60, v6a, v6b, bytes.Repeat(ext(60), 20)), err: ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Packet
			if err := Decode(tt.in, &p); !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if tt.want.Family == 0 {
				return
			}
			if diff := cmp.Diff(tt.want, p, addrEqual); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	b := buildTCP(clientAddr, serverAddr, 1, FlagACK, []byte("payload"))
	var p Packet
	if n := testing.AllocsPerRun(100, func() { _ = Decode(b, &p) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(buildTCP(clientAddr, serverAddr, 1, FlagACK, []byte("payload")))
	f.Add(buildUDP(clientAddr, serverAddr, []byte("payload")))
	f.Add(buildIP(0, netip.IPv6Loopback(), netip.IPv6Loopback(), []byte{44, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		err := Decode(b, &p)
		if len(p.Payload) > len(b) || err == nil && len(p.Payload) > p.Length {
			t.Fatalf("payload of %d bytes from %d, length %d", len(p.Payload), len(b), p.Length)
		}
		if err == nil && (!p.Src.IsValid() || !p.Dst.IsValid()) {
			t.Fatal("no addresses")
		}
		// What was decoded does not depend on bytes behind the packet.
		if err == nil && p.Length <= len(b) {
			var q Packet
			if err := Decode(append(bytes.Clone(b[:p.Length]), 0xff, 0xff), &q); p.Length > 0 && b[2]|b[3] != 0 && b[0]>>4 == 4 {
				if err != nil || !bytes.Equal(p.Payload, q.Payload) {
					t.Fatalf("padding changed the packet: %v", err)
				}
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, tt := range []struct {
		name string
		in   []byte
	}{
		{"tcp4", buildTCP(clientAddr, serverAddr, 1, FlagACK, make([]byte, 1000))},
		{"udp6", buildUDP(netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("[2001:db8::2]:2"), make([]byte, 1000))},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var p Packet
			b.ReportAllocs()
			for b.Loop() {
				_ = Decode(tt.in, &p)
			}
		})
	}
}
