// SPDX-License-Identifier: MIT

package classifier

import (
	"net/netip"
	"sync"
	"time"
)

// Limits that Options leave at zero.
const (
	DefaultMaxPackets = 64
	DefaultMaxBytes   = 64 << 10
	DefaultMaxString  = 128
)

// A direction without a protocol is given up after maxUndecided packets with
// payload, unless a detector asks for more: for a stream not before
// minUndecided bytes were seen, so that cutting it small hides nothing. A
// session is unknown once both directions were given up and minUnknown bytes
// were seen.
const (
	maxUndecided = 8
	minUndecided = 2048
	minUnknown   = 16
)

// Options of a Classifier. The zero value is useful.
type Options struct {
	// Domains names applications by host name; nil is the built-in table.
	Domains *Domains
	// Hints remembers DNS answers; nil remembers nothing.
	Hints *Hints
	// Answered is told each answer that Hints takes, with the packet that brought it,
	// which is not to be kept; may be nil.
	Answered func(p *Packet, client, server netip.Addr, name string, ttl time.Duration, now time.Time)
	// History remembers what servers were; nil remembers nothing.
	History *History
	// Relations remembers what sessions told of others; nil remembers nothing.
	Relations *Relations
	// Certificates goes on behind a complete ClientHello, up to the server's hello
	// and, before TLS 1.3, its certificate; and behind a request of HTTP that named
	// no application, up to the head of the response. The session is Final then.
	Certificates bool
	// Lookups names DNS sessions after the service whose name they ask for, as long
	// as they ask for no other. It is for reports: whoever acts on applications would
	// act on their lookups, and leaves it out. Result.Lookup tells either way.
	Lookups bool
	// MaxPackets ends a session's inspection after so many packets; it must be
	// below 65536.
	MaxPackets int
	// MaxBytes ends a session's inspection after so many bytes of payload and
	// bounds what is kept of a session for reassembly.
	MaxBytes int
	// MaxString is the longest string in a Result, in bytes. A longer one is
	// left out and noted as evidence, never cut.
	MaxString int
}

// Classifier looks at packets on behalf of sessions. It is immutable and may be
// used from many goroutines at once, each session by one of them at a time. A
// session may go from one classifier to another, of other options, at any time.
type Classifier struct {
	opts      Options
	detectors []detector
	first     [2][256]idSet        // candidates by first payload byte, for TCP and UDP
	openers   []int                // those whose opening messages take sessions from others
	sure      [2]idSet             // those that take sessions by what either side sends
	midway    idSet                // those that know their protocol from a message in the middle of a stream
	bare      [256]*detector       // protocols told by the IP protocol number
	announced map[string]*detector // by application: what only another session tells
	looks     [2][]func(*sight) verdict
	scratch   sync.Pool // *sight
	trials    sync.Pool // *trial
	streams   sync.Pool // *assembler
}

// New returns a classifier. It keeps o.Domains and the memories.
func New(o Options) *Classifier {
	if o.Domains == nil {
		o.Domains = BuiltinDomains()
	}
	if o.MaxPackets <= 0 || o.MaxPackets > 65535 {
		o.MaxPackets = DefaultMaxPackets
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxString <= 0 {
		o.MaxString = DefaultMaxString
	}
	c := &Classifier{opts: o, detectors: detectors(), bare: bareProtocols(), announced: make(map[string]*detector)}
	for _, d := range []*detector{ftpData(), tincData()} {
		c.announced[d.upper] = d
	}
	for i := range c.detectors {
		d := &c.detectors[i]
		c.looks[overTCP], c.looks[overUDP] = append(c.looks[overTCP], d.stream), append(c.looks[overUDP], d.datagram)
		d.bare = &Application{d.upper, d.category}
		if d.opening != nil {
			c.openers = append(c.openers, i)
		}
		if d.datagram != nil && d.confidence >= confidenceTakeover {
			c.sure[Reply].add(i)
			if d.answers == nil { // what goes with many protocols takes none from another
				c.sure[Original].add(i)
			}
		}
		if d.name == "TLS" || d.name == "HTTP" {
			c.midway.add(i)
		}
		for b := range 256 {
			if d.starts != nil && !d.starts(byte(b)) {
				continue
			}
			if d.stream != nil {
				c.first[overTCP][b].add(i)
			}
			if d.datagram != nil {
				c.first[overUDP][b].add(i)
			}
		}
	}
	c.scratch.New = func() any { return new(sight) }
	c.trials.New = func() any { return &trial{home: &c.trials} }
	c.streams.New = func() any { return &assembler{home: &c.streams} }
	return c
}

// Begin prepares s for the connection e, forgetting what s was before. Where
// this client's DNS answers name the server, the result starts from that hint;
// else from what earlier sessions to the server were.
func (c *Classifier) Begin(s *Session, e Endpoints, now time.Time) {
	*s = Session{client: e.Client.Addr().As16(), flags: begun, proto: e.Proto}
	if c.opts.Relations != nil && c.expected(s, e, now) {
		return
	}
	if c.opts.Hints != nil {
		if name, ok := c.opts.Hints.Lookup(e.Server.Addr(), e.Client.Addr(), now); ok {
			c.hintClient(s, name)
		}
		if name, ok := c.opts.Hints.Lookup(e.Client.Addr(), e.Server.Addr(), now); ok {
			c.hint(s, name)
			return
		}
	}
	if c.opts.History != nil {
		c.recall(s, e, now)
	}
}

// Inspect shows s the next packet of its connection, in the order of arrival
// and in direction d; p is not kept. A session that was not begun begins with
// p. After Done nothing of s changes and further calls return Done at once.
// Fragments without a transport header, and packets of another protocol than
// the session's, are counted and not looked into.
func (c *Classifier) Inspect(s *Session, p *Packet, d Dir, now time.Time) State {
	if s.flags&finished != 0 {
		return Done
	}
	if s.flags&begun == 0 {
		e := p.Endpoints()
		if d == Reply {
			e = e.Reverse()
		}
		if c.Begin(s, e, now); s.flags&finished != 0 {
			return Done
		}
	}
	d &= 1
	if s.packets < 65535 { // an unlimited session may exceed it
		s.packets++
	}
	s.bytes += uint32(len(p.Payload))
	switch {
	case p.Fragment, p.Proto != s.proto:
	case p.Proto == ProtoTCP:
		c.inspectStream(s, p, d, now)
	case p.Proto == ProtoUDP:
		c.inspectDatagram(s, p, d, now)
	default:
		c.inspectOther(s)
	}
	switch {
	case s.flags&finished != 0:
	case s.flags&bothMuted == bothMuted && (s.detector != nil || s.bytes >= minUnknown),
		s.flags&unlimited == 0 && (int(s.packets) >= c.opts.MaxPackets || int(s.bytes) >= c.opts.MaxBytes):
		s.finish()
	}
	if s.flags&finished != 0 && c.opts.History != nil {
		c.remember(s, p, d, now)
	}
	return s.State()
}

// hint makes name the session's hint, and the application it stands for the
// session's inferred one.
func (c *Classifier) hint(s *Session, name string) {
	if len(name) > c.opts.MaxString {
		return
	}
	f := s.findings()
	f.askedFor().server = name
	if app := c.opts.Domains.find(name); app != nil {
		f.application, f.confidence, f.inferred = app, confidenceHint, true
	}
	s.note("dns/hint", name, int(f.confidence))
	s.touch()
}

// hintClient notes by what name the server itself had asked DNS for the client's
// address, as hosts do that call each other.
func (c *Classifier) hintClient(s *Session, name string) {
	if len(name) > c.opts.MaxString {
		return
	}
	s.findings().askedFor().client = name
	s.note("dns/client hint", name, 0)
	s.touch()
}
