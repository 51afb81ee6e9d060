// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// dnsTTL is the time to live of the lab's answers, in seconds.
const dnsTTL = 60

// nameserver answers for the sites and for nothing else.
type nameserver struct {
	sites map[string]Site // by name, and by canonical name
}

func newNameserver(sites []Site) *nameserver {
	ns := &nameserver{sites: make(map[string]Site, 2*len(sites))}
	for _, s := range sites {
		if s.CNAME != "" {
			ns.sites[s.CNAME] = Site{Name: s.CNAME, Addr4: s.Addr4, Addr6: s.Addr6}
		}
	}
	for _, s := range sites {
		ns.sites[s.Name] = s
	}
	return ns
}

// ServeDNS answers one query: A, AAAA and CNAME of a site, no data for its
// other types, NXDOMAIN for any other name.
func (ns *nameserver) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(query)
	m.Authoritative, m.RecursionAvailable = true, true
	if len(query.Question) == 1 {
		ns.answer(m, query.Question[0])
	} else {
		m.Rcode = dns.RcodeFormatError
	}
	w.WriteMsg(m) // a client that is gone needs no answer
}

func (ns *nameserver) answer(m *dns.Msg, q dns.Question) {
	site, ok := ns.sites[strings.TrimSuffix(strings.ToLower(q.Name), ".")]
	if !ok {
		m.Rcode = dns.RcodeNameError
		return
	}
	header := func(name string, rrtype uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: dnsTTL}
	}
	owner := q.Name
	if site.CNAME != "" {
		owner = dns.Fqdn(site.CNAME)
		m.Answer = append(m.Answer, &dns.CNAME{Hdr: header(q.Name, dns.TypeCNAME), Target: owner})
	}
	switch q.Qtype {
	case dns.TypeA:
		m.Answer = append(m.Answer, &dns.A{Hdr: header(owner, dns.TypeA), A: site.Addr4.AsSlice()})
	case dns.TypeAAAA:
		m.Answer = append(m.Answer, &dns.AAAA{Hdr: header(owner, dns.TypeAAAA), AAAA: site.Addr6.AsSlice()})
	}
}

// serveDNS serves UDP and TCP port 53 at addr in n until the closer is closed.
func (ns *nameserver) serveDNS(ctx context.Context, n *Namespace, addr netip.Addr, run tasks) error {
	at := netip.AddrPortFrom(addr, 53).String()
	pc, err := n.ListenPacket(ctx, "udp", at)
	if err != nil {
		return fmt.Errorf("dns: %w", err)
	}
	ln, err := n.Listen(ctx, "tcp", at)
	if err != nil {
		pc.Close()
		return fmt.Errorf("dns: %w", err)
	}
	for _, srv := range []*dns.Server{
		{PacketConn: pc, Handler: ns},
		{Listener: ln, Handler: ns},
	} {
		up := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(up) }
		run.start("dns", srv.ActivateAndServe, func() error {
			<-up
			return srv.Shutdown()
		})
	}
	return nil
}

// Lookup asks the lab's name server, from the given namespace and over the
// given family (4 or 6), for the addresses of that family: twice, as resolvers do,
// if no answer comes. The error wraps ErrNoName for a name that does not exist.
func (l *Lab) Lookup(ctx context.Context, from *Namespace, name string, family int) ([]netip.Addr, error) {
	server, qtype := DNS4, dns.TypeA
	if family == 6 {
		server, qtype = DNS6, dns.TypeAAAA
	}
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(name), qtype)
	ask := func() (*dns.Msg, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		conn, err := from.Dial(ctx, "udp", netip.AddrPortFrom(server, 53).String())
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		reply, _, err := new(dns.Client).ExchangeWithConnContext(ctx, query, &dns.Conn{Conn: conn})
		return reply, err
	}
	reply, err := ask()
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() && ctx.Err() == nil {
		reply, err = ask()
	}
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", name, err)
	}
	if reply.Rcode == dns.RcodeNameError {
		return nil, fmt.Errorf("look up %q: %w", name, ErrNoName)
	}
	var addrs []netip.Addr
	for _, rr := range reply.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("look up %q: no address of family %d", name, family)
	}
	return addrs, nil
}

// ErrNoName is the answer for a name that is no site of the lab.
var ErrNoName = errors.New("no such name")
