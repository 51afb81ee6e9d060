// SPDX-License-Identifier: MIT

package reverse

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"nftdict/dictd/netns"
)

// Config of a Resolver.
type Config struct {
	NetNS   int              // descriptor of the network namespace; 0 means the caller's
	Servers []netip.AddrPort // that are asked, one after the other
	Rate    int              // questions a second
	// Hostname returns a name as it is kept, "" if it is none.
	Hostname func(string) string
	Clock    func() time.Time
}

// Bounds of a Resolver.
const (
	maxWaiting = 4096 // addresses
	maxWaiters = 1 << 16
	maxForOne  = 128 // of them, for an address
	atOnce     = 16  // questions
	patience   = 2 * time.Second
	maxServers = 3
)

// Resolver asks for names.
type Resolver struct {
	cfg   Config
	cache cache
	queue chan netip.Addr

	mu      sync.Mutex
	waiters map[netip.Addr][]func(name string)
	waiting int // functions in waiters

	asked, found, failed, missed atomic.Uint64
}

// New returns a Resolver. Run must follow.
func New(cfg Config) *Resolver {
	cfg.Servers = cfg.Servers[:min(len(cfg.Servers), maxServers)]
	return &Resolver{
		cfg: cfg, cache: cache{names: make(map[netip.Addr]remembered)}, queue: make(chan netip.Addr, maxWaiting),
		waiters: make(map[netip.Addr][]func(string)),
	}
}

// Servers returns the resolvers in a file in the form of resolv.conf, none if it
// cannot be read.
func Servers(path string) (all []netip.AddrPort) {
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil
	}
	for _, text := range conf.Servers {
		if a, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.AddrPortFrom(a, 53))
		}
	}
	return all
}

// IsServer reports whether an address is one of those that are asked.
func (r *Resolver) IsServer(a netip.AddrPort) bool {
	for _, s := range r.cfg.Servers {
		if s == a {
			return true
		}
	}
	return false
}

// Name returns what is remembered: a name, "" if there is none; false if nothing
// is. It does not wait.
func (r *Resolver) Name(a netip.Addr) (string, bool) { return r.cache.get(a, r.cfg.Clock()) }

// Ask has a function called with the name of an address, "" if it has none, by
// another goroutine. Where too many wait it is not, and Ask returns false. Ask does
// not wait.
func (r *Resolver) Ask(a netip.Addr, then func(name string)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all, asked := r.waiters[a]
	if len(all) >= maxForOne || r.waiting >= maxWaiters || len(r.cfg.Servers) == 0 {
		r.missed.Add(1)
		return false
	}
	if !asked {
		select {
		case r.queue <- a:
		default:
			r.missed.Add(1)
			return false
		}
	}
	r.waiters[a] = append(all, then)
	r.waiting++
	return true
}

// Run asks until ctx ends.
func (r *Resolver) Run(ctx context.Context) error {
	var tasks errgroup.Group
	tasks.SetLimit(atOnce)
	pace := time.NewTicker(time.Second / time.Duration(r.cfg.Rate))
	defer pace.Stop()
	for {
		var a netip.Addr
		select {
		case <-ctx.Done():
			return tasks.Wait()
		case a = <-r.queue:
		}
		if _, known := r.Name(a); !known { // else it came while this waited
			select {
			case <-ctx.Done():
				return tasks.Wait()
			case <-pace.C:
			}
		}
		tasks.Go(func() error {
			r.tell(a, r.find(ctx, a))
			return nil
		})
	}
}

// tell calls those who wait for a name.
func (r *Resolver) tell(a netip.Addr, name string) {
	r.mu.Lock()
	all := r.waiters[a]
	delete(r.waiters, a)
	r.waiting -= len(all)
	r.mu.Unlock()
	for _, then := range all {
		then(name)
	}
}

// find returns a name, remembered or asked for.
func (r *Resolver) find(ctx context.Context, a netip.Addr) string {
	if name, known := r.Name(a); known {
		return name
	}
	ttl := failedTTL
	name := ""
	for _, server := range r.cfg.Servers {
		r.asked.Add(1)
		n, t, err := r.exchange(ctx, server, a)
		if ctx.Err() != nil {
			return ""
		}
		if err == nil {
			name, ttl = n, t
			break
		}
		r.failed.Add(1)
	}
	if name != "" {
		r.found.Add(1)
	}
	r.cache.put(a, name, ttl, r.cfg.Clock())
	return name
}

// exchange asks a server, by TCP where the answer is too long for a datagram.
func (r *Resolver) exchange(ctx context.Context, server netip.AddrPort, a netip.Addr) (string, time.Duration, error) {
	name, ttl, err := r.exchangeBy(ctx, "udp", server, a)
	if errors.Is(err, errTruncated) {
		name, ttl, err = r.exchangeBy(ctx, "tcp", server, a)
	}
	return name, ttl, err
}

// exchangeBy asks a server, from a port of its own.
func (r *Resolver) exchangeBy(ctx context.Context, network string, server netip.AddrPort, a netip.Addr) (string, time.Duration, error) {
	arpa, err := dns.ReverseAddr(a.WithZone("").String())
	if err != nil {
		return "", 0, err
	}
	q := new(dns.Msg)
	q.SetQuestion(arpa, dns.TypePTR)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := r.dial(ctx, network, server)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.WriteMsg(q); err != nil {
		return "", 0, err
	}
	for { // what does not answer the question may be forged: the answer may still come
		answer, err := conn.ReadMsg()
		if ctx.Err() != nil {
			return "", 0, ctx.Err()
		}
		if failed := net.Error(nil); errors.As(err, &failed) || err != nil && network == "tcp" {
			return "", 0, err
		}
		if err != nil {
			continue
		}
		name, ttl, err := readAnswer(q, answer, r.cfg.Hostname)
		if err == nil || errors.Is(err, errTruncated) || answer.Id == q.Id && answer.Rcode != dns.RcodeSuccess {
			return name, ttl, err
		}
	}
}

// dial opens a connection in the network namespace.
func (r *Resolver) dial(ctx context.Context, network string, server netip.AddrPort) (conn *dns.Conn, err error) {
	err = netns.Do(r.cfg.NetNS, func() error {
		c, err := new(net.Dialer).DialContext(ctx, network, server.String())
		if err == nil {
			conn = &dns.Conn{Conn: c}
		}
		return err
	})
	return conn, err
}

// Stats are a Resolver's figures.
type Stats struct {
	Names  int    `json:"names"`  // addresses remembered, those without a name, too
	Asked  uint64 `json:"asked"`  // questions sent
	Found  uint64 `json:"found"`  // names that came
	Failed uint64 `json:"failed"` // questions without an answer
	Missed uint64 `json:"missed"` // not asked: too many waited
}

// Stats returns the figures.
func (r *Resolver) Stats() Stats {
	return Stats{r.cache.len(), r.asked.Load(), r.found.Load(), r.failed.Load(), r.missed.Load()}
}
