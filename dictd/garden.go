// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/classifier"
	"nftdict/dictd/config"
	"nftdict/dictd/netns"
	"nftdict/dictd/portal/garden"
	"nftdict/dictd/session"
)

// gardener tells which sessions are of the walled garden: those to an address that
// their client was told for a name in it, as long as they ask for no other name. A
// nil gardener has no garden.
type gardener struct {
	domains *garden.Domains
	known   *classifier.Hints // of names in the garden, now or before
	// resolvers may be asked by who has not logged in, beside this machine. Whoever is in
	// can ask a server of his own, and would have a garden of his own for afterwards.
	resolvers []netip.Prefix
	// inside reports whether those come by an interface who must log in: what they say
	// of others' addresses is not believed.
	inside func(index uint32) bool
}

// openGarden returns the gardener of a configuration, nil where there is nothing to do.
func (d *Daemon) openGarden(c *config.Config) (*gardener, error) {
	domains, err := c.Portal.GardenDomains()
	if err != nil || !c.Portal.Enable || domains.Empty() {
		return nil, err
	}
	resolvers, err := c.Portal.Resolvers()
	if err != nil {
		return nil, err
	}
	interfaces := c.Portal.Interfaces
	return &gardener{domains: domains, known: d.memories.garden, resolvers: resolvers, inside: func(index uint32) bool {
		name, err := d.portal.names.of(index)
		return err != nil || slices.Contains(interfaces, name)
	}}, nil
}

// answered returns what a classifier is to tell of answers.
func (g *gardener) answered() func(*classifier.Packet, netip.Addr, netip.Addr, string, time.Duration, time.Time) {
	if g == nil {
		return nil
	}
	return func(p *classifier.Packet, client, server netip.Addr, name string, ttl time.Duration, now time.Time) {
		// Device 0 is this machine, which answers for itself.
		if g.domains.Has(name) && (p.Device == 0 || g.asked(p.Src) && !g.inside(p.Device)) {
			g.known.Add(client, server, name, ttl, now)
		}
	}
}

// asked reports whether an address is a resolver's.
func (g *gardener) asked(addr netip.Addr) bool {
	return slices.ContainsFunc(g.resolvers, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// enter looks whether a session that begins is of the garden.
func (g *gardener) enter(s *session.Session, now time.Time) {
	if g == nil {
		return
	}
	e := s.Endpoints()
	if name, ok := g.known.Lookup(e.Client.Addr(), e.Server.Addr(), now); ok && g.domains.Has(name) {
		s.SetGarden(session.InGarden)
	}
}

// look looks whether a session goes on to be. A name stays what it is once it is
// there: whatever changes the session's result brings it to the row.
func (g *gardener) look(s *session.Session) {
	if g == nil || s.Garden() != session.InGarden {
		return
	}
	r := s.Class.Result()
	for _, name := range [...]string{r.SNI, r.HTTPHost} {
		if name != "" && !g.domains.Has(name) {
			s.SetGarden(session.LeftGarden)
		}
	}
}

// interfaceNames tells the names of a namespace's interfaces.
type interfaceNames struct {
	fd int // of a socket there; 0 tells none
}

func openInterfaceNames(ns int) (n interfaceNames, err error) {
	err = netns.Do(ns, func() (err error) {
		n.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return interfaceNames{}, fmt.Errorf("names of interfaces: %w", err)
	}
	return n, nil
}

// of returns the name of an interface, by its index.
func (n interfaceNames) of(index uint32) (string, error) {
	r, err := unix.NewIfreq("")
	if err != nil {
		return "", err
	}
	r.SetUint32(index)
	if err := unix.IoctlIfreq(n.fd, unix.SIOCGIFNAME, r); err != nil {
		return "", fmt.Errorf("interface %d: %w", index, err)
	}
	return r.Name(), nil
}

func (n *interfaceNames) close() error {
	fd := n.fd
	if n.fd = 0; fd == 0 {
		return nil
	}
	return unix.Close(fd)
}
