// SPDX-License-Identifier: MIT

package radius

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"

	"nftdict/dict"
	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
)

// Sessions are what a Listener changes: the portal's.
type Sessions interface {
	Sessions() []portal.Session
	End(id string, why portal.Cause) error
	// Change gives a session what else it is granted; zero members of the grant stay as
	// they were. dict.ErrNotExist of both: there is none of that id.
	Change(id string, g portal.Grant) error
}

// ListenerConfig says where a Listener listens, and to whom.
type ListenerConfig struct {
	NetNS    int // descriptor of the network namespace; 0 means the caller's
	Listen   []netip.AddrPort
	Clients  radmsg.Clients
	Groups   []string // as Config's
	Sessions Sessions
	Log      *slog.Logger
}

// Listener hears from servers that sessions end or change (RFC 5176). It is asked for
// sessions that came in by RADIUS alone.
type Listener struct {
	cfg   ListenerConfig
	way   *Way // reads grants
	conns radmsg.Sockets
	said  *memory
	stats struct{ ended, changed, refused, strangers, forged atomic.Uint64 }
}

// ListenerStats are its figures.
type ListenerStats struct {
	Ended     uint64 `json:"ended"`     // sessions
	Changed   uint64 `json:"changed"`   // sessions
	Refused   uint64 `json:"refused"`   // requests answered with a NAK
	Strangers uint64 `json:"strangers"` // datagrams of who is no client
	Forged    uint64 `json:"forged"`    // datagrams not made with the client's secret and signed, old, or no request
}

// Listen opens the sockets. Close must follow.
func Listen(cfg ListenerConfig) (*Listener, error) {
	conns, err := radmsg.Listen(cfg.NetNS, cfg.Listen)
	if err != nil {
		return nil, err
	}
	return &Listener{cfg: cfg, way: New(Config{Groups: cfg.Groups, Log: cfg.Log}), said: newMemory(), conns: conns}, nil
}

// Close closes the sockets.
func (l *Listener) Close() error {
	conns := l.conns
	l.conns = nil
	return conns.Close()
}

// Stats returns the figures.
func (l *Listener) Stats() ListenerStats {
	s := &l.stats
	return ListenerStats{s.ended.Load(), s.changed.Load(), s.refused.Load(), s.strangers.Load(), s.forged.Load()}
}

// Run answers until ctx ends. Close must follow.
func (l *Listener) Run(ctx context.Context) error {
	return l.conns.Run(ctx, func(b []byte, from netip.AddrPort) []byte { return l.answer(b, from, time.Now()) },
		func(err error) { l.cfg.Log.Warn("a server of RADIUS has no answer", "err", err) })
}

// fresh is how far a request's time may be from ours (RFC 5176, 6.3).
const fresh = 5 * time.Minute

// answer does what a request says and returns what to answer, nil for nothing.
func (l *Listener) answer(b []byte, from netip.AddrPort, now time.Time) []byte {
	secret := l.cfg.Clients.Secret(from.Addr())
	if secret == nil {
		l.stats.strangers.Add(1)
		return nil
	}
	b, ok := radmsg.Whole(b)
	if !ok || radmsg.Request(b, secret) != radmsg.Signed {
		l.stats.forged.Add(1)
		return nil
	}
	p, err := radius.Parse(b, secret)
	if err != nil || p.Code != radius.CodeDisconnectRequest && p.Code != radius.CodeCoARequest {
		l.stats.forged.Add(1)
		return nil
	}
	if at, err := rfc2869.EventTimestamp_Lookup(p); err == nil && at.Sub(now).Abs() > fresh {
		l.stats.forged.Add(1) // somebody says again what he has overheard
		return nil
	}
	key := told{from, p.Identifier, p.Authenticator}
	if before, ok := l.said.get(key, now); ok {
		return before
	}
	cause := l.act(p)
	out := p.Response(verdict(p.Code, cause == 0))
	if cause != 0 {
		l.stats.refused.Add(1)
		if err := rfc3576.ErrorCause_Set(out, cause); err != nil {
			return nil
		}
	}
	answer, err := radmsg.Seal(out)
	if err != nil {
		return nil
	}
	l.said.put(key, answer, now)
	return answer
}

// verdict returns the code of an answer.
func verdict(asked radius.Code, done bool) radius.Code {
	switch {
	case asked == radius.CodeDisconnectRequest && done:
		return radius.CodeDisconnectACK
	case asked == radius.CodeDisconnectRequest:
		return radius.CodeDisconnectNAK
	case done:
		return radius.CodeCoAACK
	}
	return radius.CodeCoANAK
}

// act ends or changes the sessions that a request means, and returns why it does not,
// 0 if it does.
func (l *Listener) act(p *radius.Packet) rfc3576.ErrorCause {
	which, cause := readSelection(p)
	if cause != 0 {
		return cause
	}
	var grant portal.Grant
	if p.Code == radius.CodeCoARequest {
		p.Del(1) // User-Name names the session here, and is nobody's new name
		var err error
		if grant, err = l.way.grant(p, ""); err != nil {
			return invalidValue
		}
		if !changes(&grant) {
			return rfc3576.ErrorCause_Value_MissingAttribute
		}
	}
	n := 0
	for _, s := range l.cfg.Sessions.Sessions() {
		if s.Way != portal.RADIUS || !which.has(&s) {
			continue
		}
		var err error
		if p.Code == radius.CodeDisconnectRequest {
			err = l.cfg.Sessions.End(s.ID, portal.CauseServer)
		} else {
			err = l.cfg.Sessions.Change(s.ID, grant)
		}
		if errors.Is(err, dict.ErrNotExist) { // it has just ended
			continue
		}
		if err != nil {
			l.cfg.Log.Error("a session is not as its server wants it", "session", s.ID, "err", err)
			return rfc3576.ErrorCause_Value_ResourcesUnavailable
		}
		n++
	}
	if n == 0 {
		return rfc3576.ErrorCause_Value_SessionContextNotFound
	}
	if p.Code == radius.CodeDisconnectRequest {
		l.stats.ended.Add(uint64(n))
	} else {
		l.stats.changed.Add(uint64(n))
	}
	return 0
}

// invalidValue is RFC 5176's, 3.5.
const invalidValue rfc3576.ErrorCause = 407

// changes reports whether a grant says anything.
func changes(g *portal.Grant) bool {
	return g.For > 0 || g.Idle > 0 || g.Bytes != nil || len(g.Groups) > 0 || g.Interim > 0 || len(g.Class) > 0
}
