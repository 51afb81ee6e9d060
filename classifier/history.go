// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"time"
)

// Confidence in what earlier sessions were: of one, for each that agreed, and at
// most. A client chooses the names it shows, so that it stays below that of a
// name in the session itself.
const (
	confidencePast     = 20
	confidencePastMore = 5
	confidencePastMost = 60
)

// HistoryOptions bounds a History. Zero fields take the defaults named.
type HistoryOptions struct {
	Total  int           // servers kept, rounded up to a multiple of 16; 65536
	MaxAge time.Duration // an entry that no session confirmed for so long is forgotten; 24 hours
}

// History remembers what the sessions to a server's address, port and protocol
// were, for the next one that does not say. Unlike Hints it is not told apart by
// client: it holds applications, never names. When it is full an entry chosen at
// random gives way. It is safe for concurrent use.
type History struct {
	servers remembered[historyKey, past]
}

type historyKey struct {
	addr  [16]byte
	port  uint16
	proto uint8
}

// past is what the sessions to one server were.
type past struct {
	application *Application
	agreed      uint8 // sessions that were so, less those that were not
}

// NewHistory returns an empty memory.
func NewHistory(o HistoryOptions) *History {
	if o.Total <= 0 {
		o.Total = 65536
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 24 * time.Hour
	}
	h := new(History)
	h.servers.init(o.Total, o.MaxAge)
	return h
}

// Add remembers that a session to server over the IP protocol proto was app,
// which is kept.
func (h *History) Add(server netip.AddrPort, proto uint8, app *Application, now time.Time) {
	h.servers.confirm(historyKey{server.Addr().As16(), server.Port(), proto}, now, func(p past, known bool) past {
		switch {
		case known && p.application.Name == app.Name:
			p.agreed = min(p.agreed+1, 16)
			return p
		case known && p.agreed > 1: // servers that are many things are soon forgotten
			p.agreed /= 2
			return p
		}
		return past{application: app, agreed: 1}
	})
}

// Lookup returns what sessions to server over proto were, and the confidence in
// that, from 0 to 100.
func (h *History) Lookup(server netip.AddrPort, proto uint8, now time.Time) (*Application, int) {
	p, ok := h.servers.find(historyKey{server.Addr().As16(), server.Port(), proto}, now)
	if !ok {
		return nil, 0
	}
	return p.application, min(confidencePast+confidencePastMore*int(p.agreed-1), confidencePastMost)
}

// Len returns the number of servers held, old ones included.
func (h *History) Len() int { return h.servers.len() }

// recall starts s from what earlier sessions to its server were.
func (c *Classifier) recall(s *Session, e Endpoints, now time.Time) {
	app, confidence := c.opts.History.Lookup(e.Server, e.Proto, now)
	if app == nil {
		return
	}
	f := s.findings()
	f.application, f.confidence, f.inferred = app, uint8(confidence), true
	s.note("history", app.Name, confidence)
	s.touch()
}

// forgetBare takes an inferred application from s if it is but the name of a
// protocol: the session has its own now.
func (c *Classifier) forgetBare(s *Session) {
	f := s.found
	if f == nil || !f.inferred || f.hint != nil && f.hint.server != "" || f.application == nil {
		return
	}
	for i := range c.detectors {
		if c.detectors[i].upper == f.application.Name {
			f.application, f.confidence, f.inferred = nil, 0, false
			return
		}
	}
}

// remember tells the history what s was, of which p in direction d is a packet.
func (c *Classifier) remember(s *Session, p *Packet, d Dir, now time.Time) {
	if s.detector == nil || p.Proto != ProtoTCP && p.Proto != ProtoUDP {
		return
	}
	app := s.detector.bare
	if f := s.found; f != nil && f.application != nil {
		if f.inferred {
			return
		}
		app = f.application
	}
	e := p.Endpoints()
	if d == Reply {
		e = e.Reverse()
	}
	c.opts.History.Add(e.Server, p.Proto, app, now)
}
