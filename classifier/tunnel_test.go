// SPDX-License-Identifier: MIT

package classifier

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestInner(t *testing.T) {
	inner4 := buildUDP(clientAddr, serverAddr, []byte("payload"))
	six := netip.MustParseAddrPort("[2001:db8::1]:1000")
	inner6 := buildUDP(six, six, []byte("payload"))
	ether := func(parts ...any) []byte { return joinParts(append([]any{make([]byte, 12)}, parts...)) }
	udp := func(src, dst uint16, parts ...any) []byte {
		return buildUDP(netip.AddrPortFrom(clientAddr.Addr(), src), netip.AddrPortFrom(serverAddr.Addr(), dst), joinParts(parts))
	}
	ip := func(proto uint8, parts ...any) []byte {
		return buildIP(proto, clientAddr.Addr(), serverAddr.Addr(), joinParts(parts))
	}
	gtp := func(flags, kind byte, parts ...any) []byte {
		body := joinParts(parts)
		return udp(2152, 2152, flags, kind, uint16(len(body)), uint32(0xabcdef01), body)
	}
	tests := []struct {
		name   string
		packet []byte
		want   []byte
	}{
		{"4in4", ip(4, inner4), inner4},
		{"6in4", ip(41, inner6), inner6},
		{"gre", ip(47, uint16(0), uint16(0x0800), inner4), inner4},
		{"gre with a key and numbers", ip(47, uint16(0x3000), uint16(0x86dd), uint32(1), uint32(2), inner6), inner6},
		{"gre, bridged", ip(47, uint16(0), uint16(0x6558), ether(uint16(0x8100), uint16(5), uint16(0x0800), inner4)), inner4},
		{"gre of another version", ip(47, uint16(2), uint16(0x0800), inner4), nil},
		{"gre with a route", ip(47, uint16(0x4000), uint16(0x0800), inner4), nil},
		{"pptp", ip(47, uint16(0x3081), uint16(0x880b), uint16(99), uint16(1), uint32(1), uint32(1), 0xff, 0x03, uint16(0x21), inner4), inner4},
		{"pptp, short protocol", ip(47, uint16(0x3001), uint16(0x880b), uint16(99), uint16(1), uint32(1), 0x57, inner6), inner6},
		{"pptp acknowledgement", ip(47, uint16(0x2081), uint16(0x880b), uint16(0), uint16(1), uint32(1)), nil},
		{"pptp, compressed", ip(47, uint16(0x3001), uint16(0x880b), uint16(99), uint16(1), uint32(1), 0xfd, inner4), nil},
		{"etherip", ip(97, uint16(0x3000), ether(uint16(0x0800), inner4)), inner4},
		{"gtp-u", gtp(0x30, 255, inner4), inner4},
		{"gtp-u with a number", gtp(0x32, 255, uint16(7), 0, 0, inner4), inner4},
		{"gtp-u with an extension", gtp(0x34, 255, uint16(0), 0, 0x85, 1, 0x10, 1, 0, inner4), inner4},
		{"gtp-u, no data", gtp(0x30, 1, inner4), nil},
		{"gtp-u with an empty extension", gtp(0x34, 255, uint16(0), 0, 0x85, 0, 0x10, 1, 0, inner4), nil},
		{"vxlan", udp(50000, 4789, uint32(0x08000000), uint32(0x123400), ether(uint16(0x0800), inner4)), inner4},
		{"vxlan without a network", udp(50000, 4789, uint32(0), uint32(0x123400), ether(uint16(0x0800), inner4)), nil},
		{"geneve", udp(50000, 6081, uint16(0x0100), uint16(0x6558), uint32(0x123400), uint32(0), ether(uint16(0x86dd), inner6)), inner6},
		{"l2tp", udp(1701, 1701, uint16(0x0002), uint16(1), uint16(2), 0xff, 0x03, uint16(0x21), inner4), inner4},
		{"l2tp control", udp(1701, 1701, uint16(0xc802), uint16(12), uint16(2), uint16(0), uint32(0)), nil},
		{"teredo", udp(50000, 3544, 0, 0, uint16(1), uint32(2), inner6), inner6},
		{"teredo, signed", udp(3544, 50000, 0, 1, uint16(0), uint64(3), 0, inner6), inner6},
		{"pppoe in vxlan", udp(50000, 4789, uint32(0x08000000), uint32(0), ether(uint16(0x8864), 0x11, 0, uint16(9), uint16(60), uint16(0x21), inner4)), inner4},
		{"plain", inner4, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Packet
			if err := Decode(tt.packet, &p); err != nil {
				t.Fatal(err)
			}
			got, ok := p.Inner()
			if ok != (tt.want != nil) || !bytes.Equal(got, tt.want) {
				t.Errorf("got %x, %v; want %x", got, ok, tt.want)
			}
			for n := range p.Payload { // no beginning of it is read beyond its end
				cut := p
				cut.Payload = bytes.Clone(p.Payload[:n])
				cut.Inner()
			}
		})
	}
}

// FuzzInner looks behind headers until there is nothing more.
func FuzzInner(f *testing.F) {
	inner := buildUDP(clientAddr, serverAddr, []byte("payload"))
	f.Add(buildIP(4, clientAddr.Addr(), serverAddr.Addr(), inner))
	f.Add(buildIP(47, clientAddr.Addr(), serverAddr.Addr(), joinParts([]any{uint16(0x3000), uint16(0x0800), uint32(1), uint32(2), inner})))
	f.Add(buildUDP(clientAddr, netip.AddrPortFrom(serverAddr.Addr(), 2152), joinParts([]any{0x30, 255, uint16(len(inner)), uint32(1), inner})))
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			var p Packet
			if Decode(b, &p) != nil {
				return
			}
			inner, ok := p.Inner()
			if !ok {
				return
			}
			if len(inner) < 20 || len(inner) >= len(b) {
				t.Fatalf("%d bytes in %d", len(inner), len(b))
			}
			b = inner
		}
	})
}
