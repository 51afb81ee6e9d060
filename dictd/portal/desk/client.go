// SPDX-License-Identifier: MIT

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"

	"nftdict/dictd/portal"
)

// ErrGone says that the daemon does not answer any more.
var ErrGone = errors.New("desk: the daemon is gone")

// Client asks at the other end of a connection. Its methods may be called by many
// goroutines.
type Client struct {
	conn *net.UnixConn

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan<- *answer // nil when the connection is
}

var _ portal.Desk = (*Client)(nil)

// NewClient asks over a connection, which it owns.
func NewClient(conn *net.UnixConn) *Client {
	return &Client{conn: conn, waiting: make(map[uint64]chan<- *answer)}
}

// Run takes the answers until ctx or the connection ends, and closes it.
func (c *Client) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	defer c.end()
	buf := make([]byte, maxMessage)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
		a := new(answer)
		if err := json.Unmarshal(buf[:n], a); err != nil {
			return fmt.Errorf("desk: an answer: %w", err)
		}
		c.mu.Lock()
		waits := c.waiting[a.ID]
		delete(c.waiting, a.ID)
		c.mu.Unlock()
		if waits != nil {
			waits <- a
		}
	}
}

// end tells all who wait.
func (c *Client) end() {
	c.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waits := range c.waiting {
		close(waits)
	}
	c.waiting = nil
}

// ask waits for the answer to a question.
func (c *Client) ask(ctx context.Context, q *question) (*answer, error) {
	if err := q.check(); err != nil { // of the visitor's making: the daemon would take it for an attack
		return nil, fmt.Errorf("desk: %w: %w", portal.ErrWrong, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	answers := make(chan *answer, 1)
	c.mu.Lock()
	if c.waiting == nil {
		c.mu.Unlock()
		return nil, ErrGone
	}
	c.last++
	q.ID = c.last
	c.waiting[q.ID] = answers
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, q.ID)
		c.mu.Unlock()
	}()
	text, err := json.Marshal(q)
	if err == nil {
		_, err = c.conn.Write(text)
	}
	if err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("desk: %w", ctx.Err())
	case a := <-answers:
		switch {
		case a == nil:
			return nil, ErrGone
		case a.Refusal != nil:
			return nil, a.Refusal
		case a.Failed != "":
			return nil, fmt.Errorf("desk: the daemon: %s", a.Failed)
		}
		return a, nil
	}
}

// visitor waits for an answer that is a Visitor.
func (c *Client) visitor(ctx context.Context, q *question) (portal.Visitor, error) {
	a, err := c.ask(ctx, q)
	if err != nil {
		return portal.Visitor{}, err
	}
	if a.Visitor == nil {
		return portal.Visitor{}, errors.New("desk: an answer without a visitor")
	}
	return *a.Visitor, nil
}

// Visitor implements portal.Desk.
func (c *Client) Visitor(ctx context.Context, from portal.From) (portal.Visitor, error) {
	return c.visitor(ctx, &question{Verb: visitor, From: from})
}

// Enter implements portal.Desk.
func (c *Client) Enter(ctx context.Context, from portal.From, cred portal.Credentials) (portal.Visitor, error) {
	return c.visitor(ctx, &question{Verb: enter, From: from, Credentials: &cred})
}

// Leave implements portal.Desk.
func (c *Client) Leave(ctx context.Context, from portal.From) error {
	_, err := c.ask(ctx, &question{Verb: leave, From: from})
	return err
}

// Extend implements portal.Desk.
func (c *Client) Extend(ctx context.Context, from portal.From) (portal.Visitor, error) {
	return c.visitor(ctx, &question{Verb: extend, From: from})
}

// Begin implements portal.Desk.
func (c *Client) Begin(ctx context.Context, from portal.From, way string) (string, error) {
	a, err := c.ask(ctx, &question{Verb: begin, From: from, Way: way})
	if err != nil {
		return "", err
	}
	return a.Redirect, nil
}

// Finish implements portal.Desk.
func (c *Client) Finish(ctx context.Context, from portal.From, way, state, code string) (portal.Visitor, error) {
	return c.visitor(ctx, &question{Verb: finish, From: from, Way: way, State: state, Code: code})
}
