// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"sync"

	"github.com/mdlayher/netlink"
)

// maxIdle is how many sockets a store keeps that nobody uses.
const maxIdle = 8

// pool is the sockets of a store: as many as there are calls at one time.
type pool struct {
	dial func() (*netlink.Conn, wire, error)

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// errClosed is what a closed Store answers.
var errClosed = errors.New("store is closed")

// get returns a socket that is the caller's until it is put back.
func (p *pool) get() (*conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	nl, w, err := p.dial()
	if err != nil {
		return nil, explain(err)
	}
	return newConn(nl, w)
}

// put takes a socket back. One whose last exchange is not over is closed:
// what is left of it would answer the next.
func (p *pool) put(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.broken || p.closed || len(p.idle) >= maxIdle {
		return c.close()
	}
	p.idle = append(p.idle, c)
	return nil
}

// use calls f with a socket.
func (p *pool) use(f func(*conn) error) error {
	c, err := p.get()
	if err != nil {
		return err
	}
	return errors.Join(f(c), p.put(c))
}

// close closes the sockets that nobody uses; the others are closed when they
// are put back. first says that it was not closed before.
func (p *pool) close() (first bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = !p.closed
	p.closed = true
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.idle = nil
	return first, errors.Join(errs...)
}
