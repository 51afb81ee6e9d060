// SPDX-License-Identifier: MIT

package neighbour

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Lengths of the fixed parts of messages.
const (
	neighbourHeader = 12
	routeHeader     = 12
	addressHeader   = 8
	linkHeader      = 16
	nexthopHeader   = 8
)

// counts are the states in which an entry says who has the address.
const counts = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT

// tick is the unit of times in messages (USER_HZ).
const tick = time.Second / 100

// entry is a neighbour as a message tells it.
type entry struct {
	index uint32
	addr  netip.Addr
	mac   [6]byte
	quiet time.Duration
}

// parseNeighbour reads an RTM_NEWNEIGH, false if it tells of nobody.
func parseNeighbour(b []byte) (e entry, ok bool) {
	if len(b) < neighbourHeader {
		return entry{}, false
	}
	state, flags := binary.NativeEndian.Uint16(b[8:]), b[10]
	if b[0] != unix.AF_INET && b[0] != unix.AF_INET6 || state&counts == 0 || flags&unix.NTF_PROXY != 0 {
		return entry{}, false
	}
	e.index = binary.NativeEndian.Uint32(b[4:])
	d, err := netlink.NewAttributeDecoder(b[neighbourHeader:])
	if err != nil {
		return entry{}, false
	}
	hasMAC := false
	for d.Next() {
		v := d.Bytes()
		switch d.Type() {
		case unix.NDA_DST:
			if a, whole := netip.AddrFromSlice(v); whole && (a.Is4() == (b[0] == unix.AF_INET)) {
				e.addr = a
			}
		case unix.NDA_LLADDR:
			if hasMAC = len(v) == len(e.mac); hasMAC {
				copy(e.mac[:], v)
			}
		case unix.NDA_CACHEINFO: // since it was confirmed, used, updated
			if len(v) >= 12 && state&(unix.NUD_PERMANENT|unix.NUD_REACHABLE) == 0 {
				e.quiet = time.Duration(min(binary.NativeEndian.Uint32(v), binary.NativeEndian.Uint32(v[8:]))) * tick
			}
		}
	}
	return e, d.Err() == nil && hasMAC && isDevice(e.mac) && isHost(e.addr)
}

// isDevice reports whether an Ethernet address is one device's.
func isDevice(mac [6]byte) bool { return mac != [6]byte{} && mac[0]&1 == 0 }

// isHost reports whether an address is one host's on a link.
func isHost(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !a.Is4In6() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// parseLink reads an RTM_NEWLINK: index and name; loopback says that it has no
// neighbours.
func parseLink(b []byte) (index uint32, name string, loopback, ok bool) {
	if len(b) < linkHeader {
		return 0, "", false, false
	}
	index = binary.NativeEndian.Uint32(b[4:])
	loopback = binary.NativeEndian.Uint16(b[2:]) == unix.ARPHRD_LOOPBACK
	d, err := netlink.NewAttributeDecoder(b[linkHeader:])
	if err != nil {
		return 0, "", false, false
	}
	for d.Next() {
		if d.Type() == unix.IFLA_IFNAME {
			name = d.String()
		}
	}
	return index, name, loopback, d.Err() == nil && name != ""
}

// parseAddress reads an RTM_NEWADDR: the network that an interface has by one of
// its addresses. Link-local ones tell nothing: all have them.
func parseAddress(b []byte) (index uint32, p netip.Prefix, ok bool) {
	if len(b) < addressHeader || b[0] != unix.AF_INET && b[0] != unix.AF_INET6 {
		return 0, p, false
	}
	d, err := netlink.NewAttributeDecoder(b[addressHeader:])
	if err != nil {
		return 0, p, false
	}
	var a netip.Addr
	for d.Next() {
		// With a peer the network is the peer's: that comes as the address.
		if d.Type() == unix.IFA_ADDRESS {
			a, _ = netip.AddrFromSlice(d.Bytes())
		}
	}
	if d.Err() != nil || !a.IsValid() || a.Is4() != (b[0] == unix.AF_INET) || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return 0, p, false
	}
	p, err = a.Prefix(int(b[1]))
	return binary.NativeEndian.Uint32(b[4:]), p, err == nil
}

// isDefault reports whether a route message is about a default route, or half of
// one, as tunnels set them.
func isDefault(b []byte) bool {
	return len(b) >= routeHeader && b[1] <= 1 && b[7] == unix.RTN_UNICAST && b[4] != unix.RT_TABLE_LOCAL
}

// leavesBy returns the interfaces by which a route leaves.
func leavesBy(b []byte) (indices []uint32) {
	if len(b) < routeHeader {
		return nil
	}
	d, err := netlink.NewAttributeDecoder(b[routeHeader:])
	if err != nil {
		return nil
	}
	for d.Next() {
		v := d.Bytes()
		switch d.Type() {
		case unix.RTA_OIF:
			if len(v) >= 4 {
				indices = append(indices, binary.NativeEndian.Uint32(v))
			}
		case unix.RTA_MULTIPATH:
			for len(v) >= nexthopHeader {
				n := int(binary.NativeEndian.Uint16(v))
				if n < nexthopHeader {
					break
				}
				indices = append(indices, binary.NativeEndian.Uint32(v[4:]))
				v = v[min((n+3)&^3, len(v)):]
			}
		}
	}
	return indices
}
