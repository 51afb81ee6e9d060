// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"net/netip"
	"sync/atomic"

	"layeh.com/radius"

	"nftdict/dictd/internal/radmsg"
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

// Server listens for accounting.
type Server struct {
	cfg    Config
	groups []radius.Type
	conns  radmsg.Sockets

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
	var err error
	if s.conns, err = radmsg.Listen(cfg.NetNS, cfg.Listen); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the sockets.
func (s *Server) Close() error {
	conns := s.conns
	s.conns = nil
	return conns.Close()
}

// Run answers until ctx ends. Close must follow.
func (s *Server) Run(ctx context.Context) error {
	return s.conns.Run(ctx, func(b []byte, from netip.AddrPort) []byte { return s.answer(b, from.Addr()) }, s.note)
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
