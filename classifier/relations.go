// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// confidenceRelation is the confidence in an application that another session
// of the same socket, or to the same relay, has named.
const confidenceRelation = 65

// maxAnnouncement is how long a connection that was announced is waited for.
const maxAnnouncement = time.Minute

// RelationsOptions bounds a Relations. Zero fields take the defaults named.
type RelationsOptions struct {
	Total  int           // entries kept of each kind, rounded up to a multiple of 16; 16384
	MaxAge time.Duration // an entry that nothing confirmed for so long is forgotten; 10 minutes
}

// Relations remembers for a short time what sessions told of others to come: the
// data connections that a control connection of FTP has settled, the media that
// SIP and RTSP have, and the calls
// that use the socket, or of the same client the relay, of a session that named
// its application. A client tells of its own socket, and of a server for itself
// alone; but who forges another's address on the link tells of that one's. When
// it is full an entry chosen at random gives way, of the same kind: media, which a
// client can announce by itself as many as it likes, displace no data connection.
// It is safe for concurrent use.
type Relations struct {
	ends [relationKinds]remembered[relationKey, *Application]
	// announced is set for good by the first announcement: until then no session
	// needs to be looked up when it begins.
	announced atomic.Bool
	media     atomic.Bool // the same, by the first announcement of media
}

// relationKey is an end of sessions. With peer set it is so for that address at
// the other end only.
type relationKey struct {
	end   netip.AddrPort
	peer  netip.Addr
	proto uint8
	kind  relationKind
}

// relationKind tells what goes to an end.
type relationKind uint8

const (
	ofCall  relationKind = iota // sessions of an application
	ofData                      // one that was announced, whole
	ofMedia                     // packets of RTP
	relationKinds
)

// NewRelations returns an empty memory.
func NewRelations(o RelationsOptions) *Relations {
	if o.Total <= 0 {
		o.Total = 16384
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 10 * time.Minute
	}
	r := new(Relations)
	for i := range r.ends {
		r.ends[i].init(o.Total, o.MaxAge)
	}
	return r
}

func (r *Relations) add(k relationKey, app *Application, now time.Time) {
	r.ends[k.kind].confirm(k, now, func(*Application, bool) *Application { return app })
}

// find returns the application of an end, nil if none is known.
func (r *Relations) find(k relationKey, now time.Time) *Application {
	app, _ := r.ends[k.kind].find(k, now)
	return app
}

// Len returns the number of entries held, old ones included.
func (r *Relations) Len() int {
	n := 0
	for i := range r.ends {
		n += r.ends[i].len()
	}
	return n
}

// expected settles a session that another has announced as carrying a protocol.
func (c *Classifier) expected(s *Session, e Endpoints, now time.Time) bool {
	if !c.opts.Relations.announced.Load() {
		return false
	}
	k := relationKey{end: e.Server, peer: e.Client.Addr(), proto: e.Proto, kind: ofData}
	app := c.opts.Relations.find(k, now)
	if app != nil && e.Proto == ProtoTCP { // good for one connection, soon
		if app, _ = c.opts.Relations.ends[ofData].take(k, maxAnnouncement, now); app == nil {
			return false
		}
	}
	if app == nil && e.Proto == ProtoUDP { // announced by the other side
		app = c.opts.Relations.find(relationKey{end: e.Client, peer: e.Server.Addr(), proto: e.Proto, kind: ofData}, now)
	}
	if app == nil {
		return false
	}
	d := c.announced[app.Name]
	if d == nil {
		return false
	}
	s.note("relation", e.Server.String(), int(d.confidence))
	s.lock(d, s.noted())
	s.finish()
	return true
}

// announce remembers that what goes between peer and end over proto is d's.
func (x *sight) announce(d *detector, end netip.AddrPort, peer netip.Addr, proto uint8) {
	x.s.note("relation/announced", end.String(), 0)
	x.c.opts.Relations.add(relationKey{end: end, peer: peer, proto: proto, kind: ofData}, d.bare, x.now)
	x.c.opts.Relations.announced.Store(true)
}

// ends returns the session's ends as x's packet and its direction tell them.
func (x *sight) ends() Endpoints {
	e := x.p.Endpoints()
	if x.dir == Reply {
		e = e.Reverse()
	}
	return e
}

// relate remembers the session's application for others that its client's
// socket has, and for its client's others to the same server.
func (x *sight) relate() {
	r, f := x.c.opts.Relations, x.s.found
	if r == nil || f == nil || f.application == nil || f.inferred || f.confidence <= confidenceRelation {
		return
	}
	e := x.ends()
	r.add(relationKey{end: e.Client, proto: e.Proto}, f.application, x.now)
	r.add(relationKey{end: e.Server, peer: e.Client.Addr(), proto: e.Proto}, f.application, x.now)
}

// related names the session's application after another session that had one
// of its sockets, unless packets have named it, and reports whether it has one.
func (x *sight) related() bool {
	f := x.s.found
	if f != nil && f.application != nil && !f.inferred {
		return true
	}
	r := x.c.opts.Relations
	if r == nil {
		return false
	}
	e := x.ends()
	for _, k := range [...]relationKey{
		{end: e.Client, proto: e.Proto},
		{end: e.Server, proto: e.Proto}, // a peer calls the socket that a call has opened
		{end: e.Server, peer: e.Client.Addr(), proto: e.Proto},
	} {
		if app := r.find(k, x.now); app != nil {
			x.s.note("relation", k.end.String(), confidenceRelation)
			x.application(app.Name, app.Category, confidenceRelation)
			return true
		}
	}
	return false
}
