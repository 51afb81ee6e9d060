// SPDX-License-Identifier: MIT

package neighbour

import (
	"encoding/binary"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// station is a device on a bridge.
type station struct {
	bridge uint32 // index
	vlan   uint16 // 0: of none
	mac    [6]byte
}

// stations are the ports by which bridges reach devices. What a bridge has forgotten
// is among them: it forgets whom it does not hear, as who is heard by a flowtable
// alone.
type stations struct {
	ports map[station]uint32
	moved map[[6]byte]struct{} // since it was told
	all   bool                 // and there may be others
	full  bool                 // some were not learnt
	hops  map[hop][6]byte      // who has the addresses outside
}

// hop is an address on a link that is outside: a router's, mostly.
type hop struct {
	index uint32
	addr  netip.Addr
}

// maxStations and maxHops are how many are remembered, maxMoved how many are told of one
// by one.
const (
	maxStations = 1 << 16
	maxHops     = 1 << 10
	maxMoved    = 1 << 10
)

// learn notes by which port a device is reached now.
func (s *stations) learn(t station, port uint32) {
	was, known := s.ports[t]
	switch {
	case known && was == port:
		return
	case !known && len(s.ports) >= maxStations:
		s.all, s.full = true, true
		return
	case known && len(s.moved) >= maxMoved:
		s.all = true
	case known:
		s.moved[t.mac] = struct{}{}
	}
	s.ports[t] = port
}

// learnHop notes who has an address outside: where that is somebody else now, as another
// router, any may be behind him.
func (s *stations) learnHop(e *entry) {
	at := hop{e.index, e.addr}
	was, known := s.hops[at]
	if !known && len(s.hops) >= maxHops {
		return
	}
	s.all = s.all || known && was != e.mac
	s.hops[at] = e.mac
}

// forget begins anew: any may have moved meanwhile.
func (s *stations) forget() {
	s.all = s.all || len(s.ports) > 0
	s.full = false
	s.ports, s.moved, s.hops = make(map[station]uint32), make(map[[6]byte]struct{}), make(map[hop][6]byte)
}

// take returns who has moved, and forgets that; all says that others may have, too.
func (s *stations) take() (moved [][6]byte, all bool) {
	for mac := range s.moved {
		moved = append(moved, mac)
	}
	clear(s.moved)
	all, s.all = s.all, false
	return moved, all
}

// parseStation reads an RTM_NEWNEIGH of a bridge, false if it tells of no device behind
// a port.
func parseStation(b []byte) (t station, port uint32, ok bool) {
	if len(b) < neighbourHeader || b[0] != unix.AF_BRIDGE || binary.NativeEndian.Uint16(b[8:])&unix.NUD_PERMANENT != 0 {
		return station{}, 0, false // permanent are the bridge's own
	}
	port = binary.NativeEndian.Uint32(b[4:])
	d, err := netlink.NewAttributeDecoder(b[neighbourHeader:])
	if err != nil {
		return station{}, 0, false
	}
	for d.Next() {
		v := d.Bytes()
		switch {
		case d.Type() == unix.NDA_LLADDR && len(v) == len(t.mac):
			copy(t.mac[:], v)
		case d.Type() == unix.NDA_MASTER && len(v) == 4:
			t.bridge = binary.NativeEndian.Uint32(v)
		case d.Type() == unix.NDA_VLAN && len(v) == 2:
			t.vlan = binary.NativeEndian.Uint16(v)
		}
	}
	return t, port, d.Err() == nil && isDevice(t.mac) && t.bridge != 0 && port != t.bridge
}
