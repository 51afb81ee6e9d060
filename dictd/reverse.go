// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"slices"
	"time"

	"nftdict/classifier"
	"nftdict/dictd/config"
	"nftdict/dictd/identity"
	"nftdict/dictd/identity/reverse"
	"nftdict/dictd/session"
)

// names asks DNS what addresses are called. A nil one asks for none.
type names struct {
	*reverse.Resolver
	all    bool           // those outside, too
	inside []netip.Prefix // besides private ones
}

// resolvConf tells the resolvers of this machine.
const resolvConf = "/etc/resolv.conf"

// openNames prepares it as configured.
func (d *Daemon) openNames(c *config.Config) *names {
	if c.Reverse.Names == config.ReverseOff {
		return nil
	}
	servers := c.Reverse.Addresses()
	if len(c.Reverse.Servers) == 0 {
		servers = reverse.Servers(resolvConf)
	}
	if len(servers) == 0 {
		d.o.Log.Warn("addresses are not asked for their names: there is no resolver", "file", resolvConf)
		return nil
	}
	return &names{
		Resolver: reverse.New(reverse.Config{NetNS: d.o.NetNS, Servers: servers, Rate: c.Reverse.Rate, Hostname: identity.FullName, Clock: time.Now}),
		all:      c.Reverse.Names == config.ReverseAll, inside: c.Ledger.Networks(),
	}
}

// wants reports whether an address is asked for.
func (n *names) wants(a netip.Addr) bool {
	return a.IsGlobalUnicast() && (n.all || a.IsPrivate() || slices.ContainsFunc(n.inside, func(p netip.Prefix) bool { return p.Contains(a) }))
}

// name notes the names of a session's addresses that are remembered, and has the
// others asked for. local says that its client is this machine: what it asks
// resolvers would have it ask for ever. The session is locked.
func (n *names) name(t *session.Table, s *session.Session, local bool) {
	if n == nil {
		return
	}
	orig := s.Orig()
	client, server := orig.Src(), orig.Dst()
	if local && orig.Proto == classifier.ProtoUDP && n.IsServer(netip.AddrPortFrom(server, orig.DstPort)) {
		return
	}
	if name, known := n.Name(client); known {
		s.SetNames(name, "")
	} else if n.wants(client) {
		n.Ask(client, func(name string) {
			if name != "" {
				t.Name(s, name, "")
			}
		})
	}
	if name, known := n.Name(server); known {
		s.SetNames("", name)
	} else if n.wants(server) {
		n.Ask(server, func(name string) {
			if name != "" {
				t.Name(s, "", name)
			}
		})
	}
}

// asker returns what the directory asks names of, nil for nothing.
func (n *names) asker() identity.Names {
	if n == nil {
		return nil
	}
	return n
}
