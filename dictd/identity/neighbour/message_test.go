// SPDX-License-Identifier: MIT

package neighbour

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"golang.org/x/sys/unix"
)

// message is a neighbour message with attributes.
func message(t testing.TB, family byte, state uint16, flags byte, addr, mac []byte, ago uint32) []byte {
	t.Helper()
	b := make([]byte, neighbourHeader)
	b[0], b[10] = family, flags
	binary.NativeEndian.PutUint32(b[4:], 7)
	binary.NativeEndian.PutUint16(b[8:], state)
	e := netlink.NewAttributeEncoder()
	e.Bytes(unix.NDA_DST, addr)
	if mac != nil {
		e.Bytes(unix.NDA_LLADDR, mac)
	}
	info := make([]byte, 16)
	binary.NativeEndian.PutUint32(info, ago)
	binary.NativeEndian.PutUint32(info[8:], ago+100)
	e.Bytes(unix.NDA_CACHEINFO, info)
	attributes, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return append(b, attributes...)
}

func TestParseNeighbour(t *testing.T) {
	mac := []byte{2, 0, 0, 0, 0, 9}
	v4, v6 := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("fe80::9")
	for name, c := range map[string]struct {
		family byte
		state  uint16
		flags  byte
		addr   netip.Addr
		mac    []byte
		want   bool
	}{
		"reachable":      {unix.AF_INET, unix.NUD_REACHABLE, 0, v4, mac, true},
		"stale":          {unix.AF_INET6, unix.NUD_STALE, 0, v6, mac, true},
		"a router":       {unix.AF_INET6, unix.NUD_DELAY, unix.NTF_ROUTER, v6, mac, true},
		"permanent":      {unix.AF_INET, unix.NUD_PERMANENT, 0, v4, mac, true},
		"failed":         {unix.AF_INET, unix.NUD_FAILED, 0, v4, mac, false},
		"incomplete":     {unix.AF_INET, unix.NUD_INCOMPLETE, 0, v4, nil, false},
		"not resolved":   {unix.AF_INET, unix.NUD_NOARP, 0, v4, mac, false},
		"without MAC":    {unix.AF_INET, unix.NUD_REACHABLE, 0, v4, nil, false},
		"a tunnel's":     {unix.AF_INET, unix.NUD_REACHABLE, 0, v4, []byte{10, 0, 0, 1}, false},
		"zero MAC":       {unix.AF_INET, unix.NUD_REACHABLE, 0, v4, make([]byte, 6), false},
		"a group's MAC":  {unix.AF_INET, unix.NUD_REACHABLE, 0, v4, []byte{1, 0, 0x5e, 0, 0, 1}, false},
		"proxied":        {unix.AF_INET, unix.NUD_REACHABLE, unix.NTF_PROXY, v4, mac, false},
		"of a bridge":    {unix.AF_BRIDGE, unix.NUD_REACHABLE, 0, v4, mac, false},
		"family differs": {unix.AF_INET6, unix.NUD_REACHABLE, 0, v4, mac, false},
		"multicast":      {unix.AF_INET, unix.NUD_REACHABLE, 0, netip.MustParseAddr("224.0.0.1"), mac, false},
		"unspecified":    {unix.AF_INET6, unix.NUD_REACHABLE, 0, netip.IPv6Unspecified(), mac, false},
	} {
		e, ok := parseNeighbour(message(t, c.family, c.state, c.flags, c.addr.AsSlice(), c.mac, 300))
		if ok != c.want {
			t.Errorf("%s: %v, want %v", name, ok, c.want)
		}
		if !ok {
			continue
		}
		quiet := 3 * time.Second
		if c.state&(unix.NUD_REACHABLE|unix.NUD_PERMANENT) != 0 {
			quiet = 0
		}
		if want := (entry{7, c.addr, [6]byte(c.mac), quiet}); e != want {
			t.Errorf("%s: %v, want %v", name, e, want)
		}
	}
}

func TestLeavesBy(t *testing.T) {
	e := netlink.NewAttributeEncoder()
	hops := make([]byte, 2*nexthopHeader)
	for i, index := range []uint32{3, 4} {
		binary.NativeEndian.PutUint16(hops[i*nexthopHeader:], nexthopHeader)
		binary.NativeEndian.PutUint32(hops[i*nexthopHeader+4:], index)
	}
	e.Bytes(unix.RTA_MULTIPATH, hops)
	e.Uint32(unix.RTA_OIF, 9)
	attributes, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	route := append([]byte{unix.AF_INET, 0, 0, 0, unix.RT_TABLE_MAIN, 0, 0, unix.RTN_UNICAST, 0, 0, 0, 0}, attributes...)
	if !isDefault(route) {
		t.Error("not a default route")
	}
	if got := leavesBy(route); !slices.Equal(got, []uint32{3, 4, 9}) {
		t.Errorf("leaves by %v", got)
	}
	route[1] = 24
	if isDefault(route) {
		t.Error("a network's route is a default route")
	}
}

func TestTopology(t *testing.T) {
	links := map[uint32]string{1: "wan0", 2: "lan1", 3: "lan0"}
	inside := newTopology(links, nil, map[uint32]struct{}{1: {}}, nil)
	if got := inside.names(); !slices.Equal(got, []string{"lan0", "lan1"}) {
		t.Errorf("inside are %v", got)
	}
	inside = newTopology(links, []string{"wan0", "none"}, nil, nil)
	if got := inside.names(); !slices.Equal(got, []string{"wan0"}) {
		t.Errorf("inside are %v", got)
	}
}

// A flood of what is not told does not keep from telling what is.
func TestDrainEnds(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	if _, err := unix.Write(pair[0], make([]byte, maxBatch+1)); err != nil {
		t.Fatal(err)
	}
	l := &Listener{buf: make([]byte, 1)}
	for _, want := range []int{1, 0} {
		if some, err := l.drain(pair[1]); !some || err != nil {
			t.Fatal(some, err)
		}
		if left, err := unix.IoctlGetInt(pair[1], unix.TIOCINQ); err != nil || left != want {
			t.Fatalf("%d left, want %d; %v", left, want, err)
		}
	}
}

// What the kernel sends is read within its bounds, and what is told is sound.
func FuzzMessages(f *testing.F) {
	f.Add(uint16(unix.RTM_NEWNEIGH), message(f, unix.AF_INET, unix.NUD_REACHABLE, 0, []byte{10, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 1}, 1))
	f.Add(uint16(unix.RTM_NEWROUTE), make([]byte, routeHeader))
	f.Fuzz(func(t *testing.T, kind uint16, data []byte) {
		l := &Listener{topology: topology{inside: map[uint32]string{7: "lan0"}}}
		l.message(kind, data)
		header := make([]byte, unix.NLMSG_HDRLEN)
		binary.NativeEndian.PutUint32(header, uint32(len(header)+len(data)))
		binary.NativeEndian.PutUint16(header[4:], kind)
		l.datagram(append(header, data...))
		l.datagram(data)
		leavesBy(data)
		parseLink(data)
		for _, n := range l.update.Neighbours {
			if !isHost(n.Addr) || !isDevice(n.MAC) || n.Interface != "lan0" || n.Quiet < 0 {
				t.Errorf("told %+v", n)
			}
		}
	})
}

// An address belongs to the link whose network has it.
func TestAstray(t *testing.T) {
	p := netip.MustParsePrefix
	top := newTopology(map[uint32]string{1: "lan0", 2: "guest0"}, nil, nil, map[uint32][]netip.Prefix{
		1: {p("10.0.0.1/24"), p("fd00::/64")}, 2: {p("10.0.1.1/24"), p("10.0.0.128/25")},
	})
	for _, c := range []struct {
		link uint32
		addr string
		want bool
	}{
		{1, "10.0.0.5", false}, {2, "10.0.0.5", true}, {2, "10.0.0.200", false}, {1, "10.0.0.200", false}, {2, "fd00::5", true}, {2, "fe80::5", false},
		{2, "10.9.9.9", false}, {1, "10.0.1.7", true},
	} {
		if got := top.astray(c.link, netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s on link %d: astray %v", c.addr, c.link, got)
		}
	}
}

// script is a kernel that answers a dump by its kind.
func script(t *testing.T, answers map[netlink.HeaderType][]netlink.Message) *netlink.Conn {
	t.Helper()
	return nltest.Dial(func(asked []netlink.Message) ([]netlink.Message, error) {
		all := slices.Clone(answers[asked[0].Header.Type])
		for i := range all {
			all[i].Header.Sequence, all[i].Header.PID = asked[0].Header.Sequence, asked[0].Header.PID
		}
		if len(all) == 0 {
			return nltest.Multipart(append(all, netlink.Message{Header: netlink.Header{Sequence: asked[0].Header.Sequence, PID: asked[0].Header.PID}}))
		}
		return nltest.Multipart(append(all, netlink.Message{Header: all[0].Header}))
	})
}

// What the kernel could not tell as a whole is read again; a table of routes
// without a default one leaves what is outside as it was.
func TestSurvey(t *testing.T) {
	link := func(index uint32, name string) netlink.Message {
		b := make([]byte, linkHeader)
		binary.NativeEndian.PutUint32(b[4:], index)
		e := netlink.NewAttributeEncoder()
		e.String(unix.IFLA_IFNAME, name)
		attributes, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return netlink.Message{Data: append(b, attributes...)}
	}
	answers := map[netlink.HeaderType][]netlink.Message{unix.RTM_GETLINK: {link(1, "wan0"), link(2, "lan0")}}
	l := &Listener{ask: script(t, answers), outside: map[uint32]struct{}{1: {}}}
	if err := l.survey(); err != nil {
		t.Fatal(err)
	}
	if got := l.topology.names(); !slices.Equal(got, []string{"lan0"}) || l.stale {
		t.Errorf("inside are %v, stale %v", got, l.stale)
	}
	answers[unix.RTM_GETLINK][1].Header.Flags |= netlink.DumpInterrupted
	if err := l.survey(); err != nil || !l.stale {
		t.Errorf("stale %v, %v", l.stale, err)
	}
}
