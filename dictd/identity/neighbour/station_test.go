// SPDX-License-Identifier: MIT

package neighbour

import (
	"encoding/binary"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// heardOf is a bridge's message of a device.
func heardOf(tb testing.TB, s station, port uint32, state uint16) []byte {
	tb.Helper()
	b := make([]byte, neighbourHeader)
	b[0] = unix.AF_BRIDGE
	binary.NativeEndian.PutUint32(b[4:], port)
	binary.NativeEndian.PutUint16(b[8:], state)
	e := netlink.NewAttributeEncoder()
	e.Bytes(unix.NDA_LLADDR, s.mac[:])
	e.Uint32(unix.NDA_MASTER, s.bridge)
	if s.vlan != 0 {
		e.Uint16(unix.NDA_VLAN, s.vlan)
	}
	attributes, err := e.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return append(b, attributes...)
}

func TestParseStation(t *testing.T) {
	mac := [6]byte{2, 0, 0, 0, 0, 9}
	for name, c := range map[string]struct {
		message []byte
		want    bool
	}{
		"learnt":          {heardOf(t, station{3, 0, mac}, 7, unix.NUD_REACHABLE), true},
		"in a VLAN":       {heardOf(t, station{3, 20, mac}, 7, unix.NUD_STALE), true},
		"static":          {heardOf(t, station{3, 20, mac}, 7, unix.NUD_NOARP), true},
		"a port's own":    {heardOf(t, station{3, 0, mac}, 7, unix.NUD_PERMANENT), false},
		"the bridge's":    {heardOf(t, station{3, 0, mac}, 3, unix.NUD_NOARP), false},
		"of no bridge":    {heardOf(t, station{0, 0, mac}, 7, unix.NUD_REACHABLE), false},
		"a group's":       {heardOf(t, station{3, 0, [6]byte{1, 0, 0x5e}}, 7, unix.NUD_REACHABLE), false},
		"a neighbour":     {message(t, unix.AF_INET, unix.NUD_REACHABLE, 0, []byte{10, 0, 0, 9}, mac[:], 0), false},
		"nothing":         {nil, false},
		"without an end":  {heardOf(t, station{3, 0, mac}, 7, unix.NUD_REACHABLE)[:neighbourHeader+5], false},
		"without a MAC":   {heardOf(t, station{3, 0, mac}, 7, unix.NUD_REACHABLE)[:neighbourHeader], false},
		"without a state": {heardOf(t, station{3, 0, mac}, 7, 0), true},
	} {
		s, port, ok := parseStation(c.message)
		if ok != c.want || ok && (s.bridge != 3 || s.mac != mac || port != 7 || s.vlan != 0 && s.vlan != 20) {
			t.Errorf("%s: %+v by %d, %v", name, s, port, ok)
		}
	}
}

// Who is behind another port than before has moved, whatever was forgotten meanwhile; where
// too much is to be remembered, any may have.
func TestStations(t *testing.T) {
	var s stations
	s.forget()
	is := func(what string, moved int, all bool) {
		t.Helper()
		if m, a := s.take(); len(m) != moved || a != all {
			t.Errorf("%s: %v, %v", what, m, a)
		}
	}
	is("nothing is known", 0, false)
	at := func(n int) station { return station{3, 0, [6]byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}} }
	for n := range maxStations {
		s.learn(at(n), 7)
	}
	s.learn(at(1), 7)
	other := at(1)
	other.vlan = 5
	is("all are new", 0, false)
	s.learn(at(1), 8)
	s.learn(at(2), 8)
	s.learn(at(1), 7)
	is("two have moved, one back", 2, false)
	for n := range maxMoved + 1 {
		s.learn(at(n), 9)
	}
	is("many have moved", maxMoved, true)
	s.learn(other, 8)
	is("one is too many", 0, true)
	if len(s.ports) != maxStations || !s.full {
		t.Errorf("%d are remembered, full %v", len(s.ports), s.full)
	}
	s.forget()
	s.learn(other, 9)
	is("all is read anew", 0, true)
	s.learn(other, 9)
	is("nothing has moved", 0, false)
}

func FuzzParseStation(f *testing.F) {
	f.Add(heardOf(f, station{3, 20, [6]byte{2}}, 7, unix.NUD_REACHABLE))
	f.Add(heardOf(f, station{3, 0, [6]byte{2}}, 7, unix.NUD_PERMANENT))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, port, ok := parseStation(b)
		if !ok {
			return
		}
		if again, by, ok := parseStation(heardOf(t, s, port, unix.NUD_REACHABLE)); !ok || again != s || by != port {
			t.Errorf("%+v by %d became %+v by %d, %v", s, port, again, by, ok)
		}
	})
}
