// SPDX-License-Identifier: MIT

package httpd

import (
	"net"
	"net/netip"
	"testing"
)

// from is a connection from an address, and nothing else.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(f.addr), 1))
}
func (f from) Close() error { return nil }

// TestHall gives places away.
func TestHall(t *testing.T) {
	h := NewHall(4, 2)
	enter := func(addr string, want *seat) *seat {
		t.Helper()
		s, loser := h.enter(from{addr: addr}, true)
		if loser != want {
			t.Errorf("%s: %v lost its place, want %v", addr, loser, want)
		}
		return s
	}
	a1 := enter("192.0.2.1", nil)
	a2 := enter("::ffff:192.0.2.1", nil) // the same
	a3 := enter("192.0.2.1", a1)         // one of his own
	b1 := enter("2001:db8::1", nil)
	enter("2001:db8::2", nil) // all are taken
	done := a2.work()
	d1 := enter("2001:db8::3", a3) // a2 has waited longer, but works
	again := a2.work()             // never twice at one time, and harmless
	again()
	done()
	enter("2001:db8::4", b1)
	b1.Close()
	d1.Close()
	d1.Close()
	if h.total != 3 || len(h.of) != 3 {
		t.Errorf("%d places, of %v", h.total, h.of)
	}
	done = a2.work()
	a2.Close()
	done()
	if h.total != 2 || h.waiting.Len() != 2 {
		t.Errorf("%d places, %d wait", h.total, h.waiting.Len())
	}
	// One address alone has all its places at work: it gets another, as long as there is one.
	h = NewHall(4, 2)
	enter("192.0.2.1", nil).work()
	enter("192.0.2.1", nil).work()
	enter("192.0.2.1", nil)
}
