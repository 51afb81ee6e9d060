// SPDX-License-Identifier: MIT

package httpd

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// Hall has the connections of a server's ports. It never turns a new one away: when there
// is no place, the one that has waited longest without a request loses its own. Who
// only connects, or sends his request a byte at a time, so holds up nobody but
// others of his kind.
type Hall struct {
	most, ofOne int

	mu      sync.Mutex
	waiting list.List // of *seat that have no request, the longest first
	of      map[netip.Addr]int
	total   int
}

// NewHall returns one for so many connections, and so many of one address.
func NewHall(most, ofOne int) *Hall {
	return &Hall{most: most, ofOne: ofOne, of: make(map[netip.Addr]int)}
}

// Connections returns how many there are.
func (h *Hall) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.total
}

// seat is a connection with a place.
type seat struct {
	net.Conn
	hall *Hall
	addr netip.Addr
	at   *list.Element // in hall.waiting; nil while a request is worked on
	gone bool          // has no place any more
	// A connection to the port of HTTP, which may have been meant for somebody else, and
	// one over which nothing was asked for yet.
	plain, silent bool
}

// enter gives a connection a place, and returns whose place it is if it was
// somebody's, who is to be closed. There is always somebody where fewer requests are
// worked on than there are places.
func (h *Hall) enter(conn net.Conn, bare bool) (s, loser *seat) {
	s = &seat{Conn: conn, hall: h, plain: bare, silent: true}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		s.addr = a.AddrPort().Addr().Unmap().WithZone("")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[s.addr] >= h.ofOne {
		loser = h.longest(func(o *seat) bool { return o.addr == s.addr })
	}
	if loser == nil && h.total >= h.most {
		loser = h.longest(func(*seat) bool { return true })
	}
	if loser != nil {
		h.remove(loser)
	}
	h.of[s.addr]++
	h.total++
	s.at = h.waiting.PushBack(s)
	return s, loser
}

// longest finds who has waited longest of some. The hall is locked.
func (h *Hall) longest(of func(*seat) bool) *seat {
	for e := h.waiting.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*seat); of(s) {
			return s
		}
	}
	return nil
}

// dismiss closes the connections of an address over which nothing was asked for yet, and
// which may have been meant for somebody else: browsers open some before they need
// them, and what they would ask for there once they are let in would lead here.
func (h *Hall) dismiss(addr netip.Addr) {
	h.mu.Lock()
	var all []*seat
	for e := h.waiting.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*seat); s.addr == addr && s.plain && s.silent {
			all = append(all, s)
		}
	}
	h.mu.Unlock()
	for _, s := range all {
		s.Close()
	}
}

// remove takes the place of a seat, once. The hall is locked.
func (h *Hall) remove(s *seat) {
	if s.gone {
		return
	}
	s.gone = true
	if s.at != nil {
		h.waiting.Remove(s.at)
		s.at = nil
	}
	if h.of[s.addr]--; h.of[s.addr] == 0 {
		delete(h.of, s.addr)
	}
	h.total--
}

// Close closes the connection and gives its place back.
func (s *seat) Close() error {
	s.hall.mu.Lock()
	s.hall.remove(s)
	s.hall.mu.Unlock()
	return s.Conn.Close()
}

// work keeps the place while a request of the connection is worked on, until the
// function it returns is called.
func (s *seat) work() (done func()) {
	h := s.hall
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.at != nil {
		h.waiting.Remove(s.at)
		s.at = nil
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !s.gone && s.at == nil {
			s.at = h.waiting.PushBack(s)
		}
	}
}
