// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"layeh.com/radius"

	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/netns"
	"nftdict/dictd/portal"
)

// resting is how long a server that has not answered is asked after the others.
const resting = 30 * time.Second

// client asks servers, in turns where one does not answer.
type client struct {
	cfg *Config
	all []*peer
}

// peer is one service of a server.
type peer struct {
	at     netip.AddrPort
	secret []byte

	mu     sync.Mutex
	silent time.Time // until then
}

func newClient(cfg *Config) *client { return &client{cfg: cfg} }

func (c *client) add(at netip.AddrPort, secret []byte) {
	c.all = append(c.all, &peer{at: at, secret: secret})
}

func (c *client) none() bool { return len(c.all) == 0 }

// order returns whom to ask first.
func (c *client) order(now time.Time) []*peer {
	var well, silent []*peer
	for _, p := range c.all {
		p.mu.Lock()
		if now.Before(p.silent) {
			silent = append(silent, p)
		} else {
			well = append(well, p)
		}
		p.mu.Unlock()
	}
	return append(well, silent...)
}

// ask sends a request that fill completes, and returns the first answer that proves
// itself. portal.ErrUnreachable: there is none.
func (c *client) ask(ctx context.Context, code radius.Code, fill func(*radius.Packet) error) (*radius.Packet, error) {
	var errs []error
	for _, p := range c.order(time.Now()) {
		answer, err := c.exchange(ctx, p, code, fill)
		if err == nil {
			return answer, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", p.at, err))
		if ctx.Err() != nil {
			break
		}
		p.mu.Lock()
		p.silent = time.Now().Add(resting)
		p.mu.Unlock()
	}
	err := errors.Join(errs...)
	c.cfg.Log.Warn("no server of RADIUS answers", "err", err)
	return nil, fmt.Errorf("radius: %w: %w", portal.ErrUnreachable, err)
}

// errSilent says that a server has not answered.
var errSilent = errors.New("no answer that is made with the secret and has a Message-Authenticator")

// exchange asks one server, over a socket of its own: who does not see the packets has
// to find its port, too.
func (c *client) exchange(ctx context.Context, p *peer, code radius.Code, fill func(*radius.Packet) error) (*radius.Packet, error) {
	ask := radius.New(code, p.secret)
	var conn *net.UDPConn
	err := netns.Do(c.cfg.NetNS, func() (err error) {
		conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.at))
		return err
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if err := fill(ask); err != nil {
		return nil, err
	}
	b, err := radmsg.Seal(ask)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, radmsg.MaxMessage+1)
	err = errSilent
	for range c.cfg.Tries {
		if _, failed := conn.Write(b); failed != nil {
			err = failed // of the one before: nobody listens there
			continue
		}
		conn.SetReadDeadline(time.Now().Add(c.cfg.Timeout))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for {
			n, failed := conn.Read(buf)
			if failed != nil {
				if timeout := net.Error(nil); !errors.As(failed, &timeout) || !timeout.Timeout() {
					err = failed
				}
				break
			}
			if answer, ok := read(buf[:n], ask); ok {
				return answer, nil
			}
		}
	}
	return nil, err
}

// read returns the answer to a request, false if it is not one.
func read(b []byte, ask *radius.Packet) (*radius.Packet, bool) {
	b, ok := radmsg.Whole(b)
	if !ok || b[1] != ask.Identifier {
		return nil, false
	}
	proof := radmsg.Answer(b, ask.Authenticator, ask.Secret)
	switch radius.Code(b[0]) {
	case radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge:
		ok = ask.Code == radius.CodeAccessRequest && proof == radmsg.Signed
	case radius.CodeAccountingResponse:
		// Its authenticator alone proves it: what it answers has no part that others choose
		// freely, and many servers sign no more.
		ok = ask.Code == radius.CodeAccountingRequest && proof != radmsg.Forged
	default:
		return nil, false
	}
	if !ok {
		return nil, false
	}
	p, err := radius.Parse(b, ask.Secret)
	return p, err == nil
}
