// SPDX-License-Identifier: MIT

package classifier

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// ntpMessage builds a time message of 48 bytes.
func ntpMessage(first, stratum, poll byte, precision int8, transmit uint32) []byte {
	b := make([]byte, 48)
	b[0], b[1], b[2], b[3] = first, stratum, poll, byte(precision)
	binary.BigEndian.PutUint32(b[40:], transmit)
	return b
}

func TestNTP(t *testing.T) {
	const now = 3_900_000_000 // in seconds since 1900
	server := ntpMessage(4<<3|4, 2, 6, -20, now)
	binary.BigEndian.PutUint32(server[32:], now)
	strange := func(at int, v uint32) []byte {
		b := append([]byte(nil), server...)
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"client", ntpMessage(3<<6|4<<3|3, 0, 6, -6, now), "NTP"},
		{"client that hides its clock", ntpMessage(4<<3|3, 0, 6, 32, 0x12345678), "NTP"},
		{"client of version 3 with nothing but a time", ntpMessage(3<<3|3, 0, 0, 0, now), "NTP"},
		{"server", server, "NTP"},
		{"with an authenticator", append(server[:48:48], make([]byte, 20)...), "NTP"},
		{"with an extension field", append(append(server[:48:48], 1, 4, 0, 28), make([]byte, 24)...), "NTP"},
		{"too short", server[:47], ""},
		{"odd tail", append(server[:48:48], 1, 2, 3), ""},
		{"no time", ntpMessage(4<<3|3, 0, 6, -6, 0), ""},
		{"stratum", ntpMessage(4<<3|3, 17, 6, -6, now), ""},
		{"poll", ntpMessage(4<<3|3, 0, 40, -6, now), ""},
		{"version 5", ntpMessage(5<<3|3, 0, 6, -6, now), ""},
		{"server in another century", strange(40, 1_000_000_000), ""},
		{"delay", strange(4, 100<<16), ""},
		{"dispersion", strange(8, 100<<16), ""},
		{"clock set in another century", strange(16, 2_000_000_000), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newConversation(t, New(Options{}))
			state := v.udp(Original, tt.in)
			if r := v.s.Result(); r.Protocol != tt.want || state != More {
				t.Errorf("state %v, %+v", state, r)
			}
			if state = v.udp(Reply, server); tt.want != "" && state != Done {
				t.Errorf("state %v after the answer", state)
			}
		})
	}
}

// TestNTPControl is believed on the protocol's own port only.
func TestNTPControl(t *testing.T) {
	monlist := append([]byte{0x17, 0, 3, 42}, make([]byte, 44)...)
	readVariables := append([]byte{0x16, 2, 0, 1}, make([]byte, 8)...)
	unset := append([]byte{0xd6, 2, 0, 1}, make([]byte, 8)...)
	for name, in := range map[string][]byte{"private": monlist, "control": readVariables, "control, the clock not set": unset} {
		for port, want := range map[uint16]string{123: "NTP", 4433: ""} {
			v := newConversation(t, New(Options{}))
			v.server = netip.AddrPortFrom(v.server.Addr(), port)
			v.udp(Original, in)
			if got := v.s.Result().Protocol; got != want {
				t.Errorf("%s on port %d: protocol %q, want %q", name, port, got, want)
			}
		}
	}
}

// TestNTPRandom shows random messages of the right length and first byte.
func TestNTPRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	b := make([]byte, 48)
	for range 200_000 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		b[0] = 4<<3 | byte(1+r.IntN(5))
		if isNTPTime(b, b[0]&7) {
			t.Fatalf("taken for a time message: %x", b)
		}
	}
}

func FuzzNTP(f *testing.F) {
	f.Add(ntpMessage(4<<3|3, 0, 6, -6, 3_900_000_000))
	f.Add([]byte{0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		isNTPTime(b, b[0]&7)
		isNTPControl(b, 6)
		isNTPControl(b, 7)
	})
}
