// SPDX-License-Identifier: MIT

package web

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// Connections at one time: of all clients, and of one address.
const (
	MaxConnections = 2048
	maxOfAddress   = 64
)

// OtherFiles are descriptors that a process needs besides.
const OtherFiles = 64

// hall has the connections of both ports. It never turns a new one away: when there
// is no place, the one that has waited longest without a request loses its own. Who
// only connects, or sends his request a byte at a time, so holds up nobody but
// others of his kind.
type hall struct {
	most, ofOne int

	mu      sync.Mutex
	waiting list.List // of *seat that have no request, the longest first
	of      map[netip.Addr]int
	total   int
}

func newHall(most, ofOne int) *hall {
	return &hall{most: most, ofOne: ofOne, of: make(map[netip.Addr]int)}
}

// placesHere is how many connections the process can have: of its descriptors some
// are for other things.
func placesHere() int {
	var have unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &have); err != nil {
		return MaxConnections
	}
	return max(1, int(min(MaxConnections+OtherFiles, have.Cur))-OtherFiles)
}

// seat is a connection with a place.
type seat struct {
	net.Conn
	hall *hall
	addr netip.Addr
	at   *list.Element // in hall.waiting; nil while a request is worked on
	gone bool          // has no place any more
	// A connection to the port of HTTP, which may have been meant for somebody else, and
	// one over which nothing was asked for yet.
	plain, silent bool
}

// enter gives a connection a place, and returns whose place it is if it was
// somebody's, who is to be closed. There is always somebody: fewer requests are
// worked on than there are places (maxAsking).
func (h *hall) enter(conn net.Conn, bare bool) (s, loser *seat) {
	s = &seat{Conn: conn, hall: h, plain: bare, silent: true}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		s.addr = plain(a.AddrPort().Addr())
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
func (h *hall) longest(of func(*seat) bool) *seat {
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
func (h *hall) dismiss(addr netip.Addr) {
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
func (h *hall) remove(s *seat) {
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

// gate is a port as the HTTP server listens on it.
type gate struct {
	net.Listener
	hall  *hall
	plain bool // without TLS
}

// Accept waits for a connection.
func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s, loser := g.hall.enter(conn, g.plain)
	if loser != nil {
		if tcp, ok := loser.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // nothing is kept of it; it may be gone
		}
		loser.Conn.Close()
	}
	return s, nil
}

// seatKey is where the context of a request has its seat.
type seatKey struct{}

// withSeat puts the seat of a connection into the context of its requests.
func withSeat(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if s, ok := c.(*seat); ok {
		return context.WithValue(ctx, seatKey{}, s)
	}
	return ctx
}

// spoke notes that something is asked for over the connection of a request.
func spoke(ctx context.Context) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		s.hall.mu.Lock()
		s.silent = false
		s.hall.mu.Unlock()
	}
}

// dismiss closes what else an address has open that may have been meant for others.
func dismiss(ctx context.Context, addr netip.Addr) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		s.hall.dismiss(addr)
	}
}

// working keeps the place of a request's connection until done is called.
func working(ctx context.Context) (done func()) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		return s.work()
	}
	return func() {}
}
