// SPDX-License-Identifier: MIT

package httpd

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
)

// Port returns a listener as a server listens on it; plain is one without TLS that what
// was meant for others may be led to.
func (h *Hall) Port(ln net.Listener, plain bool) net.Listener { return &gate{ln, h, plain} }

type gate struct {
	net.Listener
	hall  *Hall
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

// WithSeat puts the seat of a connection into the context of its requests: an http.Server's
// ConnContext.
func WithSeat(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if s, ok := c.(*seat); ok {
		return context.WithValue(ctx, seatKey{}, s)
	}
	return ctx
}

// Spoke notes that something is asked for over the connection of a request.
func Spoke(ctx context.Context) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		s.hall.mu.Lock()
		s.silent = false
		s.hall.mu.Unlock()
	}
}

// Dismiss closes what else an address has open that may have been meant for others.
func Dismiss(ctx context.Context, addr netip.Addr) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		s.hall.dismiss(addr)
	}
}

// Working keeps the place of a request's connection until done is called.
func Working(ctx context.Context) (done func()) {
	if s, ok := ctx.Value(seatKey{}).(*seat); ok {
		return s.work()
	}
	return func() {}
}
