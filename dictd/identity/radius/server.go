// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"layeh.com/radius"

	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/netns"
)

// Config of a Server.
type Config struct {
	NetNS   int // descriptor of the network namespace; 0 means the caller's
	Listen  []netip.AddrPort
	Clients radmsg.Clients
	// Groups are names of the attributes that name groups: "Class", "Filter-Id".
	Groups []string
	// Handle takes in what was told; where it cannot the client is not answered. It
	// may be called by as many goroutines as there are addresses.
	Handle func(*Account) error
}

// buffer is the size of a socket's receive buffer in bytes: clients tell of all
// their sessions at once.
const buffer = 1 << 20

// Server listens for accounting.
type Server struct {
	cfg    Config
	groups []radius.Type
	conns  []*net.UDPConn

	taken, useless, strangers, forged, failed atomic.Uint64
	lastError                                 atomic.Pointer[string]
}

// Listen opens the sockets. Close must follow.
func Listen(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	for _, name := range cfg.Groups {
		if t, ok := radmsg.Grouping(name); ok {
			s.groups = append(s.groups, t)
		}
	}
	err := netns.Do(cfg.NetNS, func() error {
		for _, at := range cfg.Listen {
			c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
			if err != nil {
				return err
			}
			s.conns = append(s.conns, c)
			if err := c.SetReadBuffer(buffer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("radius: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// Close closes the sockets.
func (s *Server) Close() error {
	var errs []error
	for _, c := range s.conns {
		errs = append(errs, c.Close())
	}
	s.conns = nil
	return errors.Join(errs...)
}

// Run answers until ctx ends. Close must follow.
func (s *Server) Run(ctx context.Context) error {
	conns := s.conns
	stop := context.AfterFunc(ctx, func() {
		for _, c := range conns {
			c.SetReadDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	var tasks errgroup.Group
	for _, c := range conns {
		tasks.Go(func() error {
			buf := make([]byte, radmsg.MaxMessage+1)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				if ctx.Err() != nil {
					return nil
				}
				if errors.Is(err, net.ErrClosed) {
					return fmt.Errorf("radius: %w", err)
				}
				if err != nil { // of an answer that found nobody
					continue
				}
				if answer := s.answer(buf[:n], from.Addr().Unmap()); answer != nil {
					if _, err := c.WriteToUDPAddrPort(answer, from); err != nil {
						s.note(err)
					}
				}
			}
		})
	}
	return tasks.Wait()
}

// answer takes a message in and returns what to answer, nil for nothing.
func (s *Server) answer(b []byte, from netip.Addr) []byte {
	secret := s.cfg.Clients.Secret(from)
	if secret == nil {
		s.strangers.Add(1)
		return nil
	}
	b, ok := radmsg.Whole(b)
	if !ok || radius.Code(b[0]) != radius.CodeAccountingRequest || radmsg.Request(b, secret) == radmsg.Forged {
		s.forged.Add(1)
		return nil
	}
	p, err := radius.Parse(b, secret)
	if err != nil {
		s.forged.Add(1)
		return nil
	}
	a, err := readAccount(p, from, s.groups)
	switch {
	case err != nil:
		s.useless.Add(1)
	default:
		if err := s.cfg.Handle(&a); err != nil {
			s.note(err)
			return nil
		}
		s.taken.Add(1)
	}
	out, err := p.Response(radius.CodeAccountingResponse).Encode()
	if err != nil {
		s.note(err)
		return nil
	}
	return out
}

func (s *Server) note(err error) {
	s.failed.Add(1)
	text := err.Error()
	s.lastError.Store(&text)
}

// Stats are a Server's figures.
type Stats struct {
	Taken     uint64 `json:"taken"`                // messages taken in
	Useless   uint64 `json:"useless"`              // messages that tell of no session, answered
	Strangers uint64 `json:"strangers"`            // datagrams of who is no client
	Forged    uint64 `json:"forged"`               // datagrams not made with the client's secret, or no request for accounting
	Failed    uint64 `json:"failed"`               // messages that could not be taken in, not answered
	LastError string `json:"last_error,omitempty"` // of these
}

// Stats returns the figures.
func (s *Server) Stats() Stats {
	out := Stats{Taken: s.taken.Load(), Useless: s.useless.Load(), Strangers: s.strangers.Load(), Forged: s.forged.Load(), Failed: s.failed.Load()}
	if text := s.lastError.Load(); text != nil {
		out.LastError = *text
	}
	return out
}
