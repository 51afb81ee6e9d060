// SPDX-License-Identifier: MIT

package classifier

import (
	"container/list"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// hintShards is the number of locks clients are spread over.
const hintShards = 16

// HintsOptions bounds a Hints. Zero fields take the defaults named.
type HintsOptions struct {
	PerClient int           // answers kept of one client; 512
	Total     int           // answers kept in all, rounded up to a multiple of 16; 65536
	MinTTL    time.Duration // a shorter TTL counts as this; 1 minute
	MaxTTL    time.Duration // a longer TTL counts as this; 1 hour
}

// Hints remembers which name a client asked for to get an address. What one
// client asked is never told of another. The least recently used answer goes
// first: of the client that is at its bound, or of the client that was quiet
// for longest when the total is reached. It is safe for concurrent use.
type Hints struct {
	opts   HintsOptions
	seed   maphash.Seed
	shards [hintShards]hintShard
}

type hintShard struct {
	mu      sync.Mutex
	total   int
	clients map[netip.Addr]*hintClient
	recent  list.List // of *hintClient, the last used in front
}

type hintClient struct {
	addr    netip.Addr
	element *list.Element
	hints   map[netip.Addr]*list.Element // by server address
	recent  list.List                    // of *hint, the last used in front
}

type hint struct {
	server  netip.Addr
	name    string
	expires time.Time
}

// NewHints returns an empty memory.
func NewHints(o HintsOptions) *Hints {
	if o.PerClient <= 0 {
		o.PerClient = 512
	}
	if o.Total <= 0 {
		o.Total = 65536
	}
	if o.MinTTL <= 0 {
		o.MinTTL = time.Minute
	}
	if o.MaxTTL <= 0 {
		o.MaxTTL = time.Hour
	}
	o.MaxTTL = max(o.MaxTTL, o.MinTTL)
	h := &Hints{opts: o, seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].clients = make(map[netip.Addr]*hintClient)
	}
	return h
}

// Add remembers that client asked for name and was told server. The name is
// kept as it is; the caller has checked it.
func (h *Hints) Add(client, server netip.Addr, name string, ttl time.Duration, now time.Time) {
	client, server = client.Unmap(), server.Unmap()
	s := h.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[client]
	if c == nil {
		c = &hintClient{addr: client, hints: make(map[netip.Addr]*list.Element)}
		c.element = s.recent.PushFront(c)
		s.clients[client] = c
	} else {
		s.recent.MoveToFront(c.element)
	}
	expires := now.Add(min(max(ttl, h.opts.MinTTL), h.opts.MaxTTL))
	if e := c.hints[server]; e != nil {
		*e.Value.(*hint) = hint{server, name, expires}
		c.recent.MoveToFront(e)
		return
	}
	c.hints[server] = c.recent.PushFront(&hint{server, name, expires})
	s.total++
	if c.recent.Len() > h.opts.PerClient {
		s.drop(c, c.recent.Back())
	}
	for s.total > (h.opts.Total+hintShards-1)/hintShards {
		quiet := s.recent.Back().Value.(*hintClient)
		s.drop(quiet, quiet.recent.Back())
	}
}

// Lookup returns the name that client was last told server for, if that has not
// expired.
func (h *Hints) Lookup(client, server netip.Addr, now time.Time) (string, bool) {
	client, server = client.Unmap(), server.Unmap()
	s := h.shard(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[client]
	if c == nil {
		return "", false
	}
	e := c.hints[server]
	if e == nil {
		return "", false
	}
	hint := e.Value.(*hint)
	if !now.Before(hint.expires) {
		s.drop(c, e)
		return "", false
	}
	c.recent.MoveToFront(e)
	s.recent.MoveToFront(c.element)
	return hint.name, true
}

// Len returns the number of answers held, expired ones included.
func (h *Hints) Len() int {
	n := 0
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.Lock()
		n += s.total
		s.mu.Unlock()
	}
	return n
}

func (h *Hints) shard(client netip.Addr) *hintShard {
	return &h.shards[maphash.Comparable(h.seed, client)%hintShards]
}

// hash returns a hash of a name that cannot be foreseen.
func (h *Hints) hash(name []byte) uint64 { return maphash.Bytes(h.seed, name) }

// drop forgets one hint, and its client with the last one. The lock is held.
func (s *hintShard) drop(c *hintClient, e *list.Element) {
	delete(c.hints, c.recent.Remove(e).(*hint).server)
	s.total--
	if c.recent.Len() == 0 {
		s.recent.Remove(c.element)
		delete(s.clients, c.addr)
	}
}
