// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/portal"
	"nftdict/dictd/portal/child"
	"nftdict/dictd/portal/policy"
	"nftdict/dictd/portal/radius"
	"nftdict/dictd/rules"
)

// gate is the captive portal: who keeps its sessions, the process with its pages, its
// rules. The zero value is none.
type gate struct {
	keeper      atomic.Pointer[portal.Keeper] // nil until somebody may be let in
	pages       *child.Supervisor
	servers     *radius.Listener // nil: they say nothing later
	policy      *rules.Policy
	names       interfaceNames
	http, https []*net.TCPListener // until the pages have them
	uid, gid    uint32
}

// openGate opens what the portal needs before anybody may come.
func (d *Daemon) openGate(c *config.Config) (err error) {
	p := &c.Portal
	if !p.Enable {
		return nil
	}
	if d.o.Compiler == nil {
		return fmt.Errorf("portal: %w: this backend compiles no rules, and nobody would be kept out", dict.ErrNotSupported)
	}
	g := &d.portal
	if g.names, err = openInterfaceNames(d.o.NetNS); err != nil {
		return err
	}
	for _, name := range p.Interfaces {
		if err := d.isAbove(name); err != nil {
			return err
		}
	}
	if g.policy, err = portalPolicy(p); err != nil {
		return err
	}
	if g.uid, g.gid, err = userIDs(p.User); err != nil {
		return fmt.Errorf("portal.user: %w", err)
	}
	if g.http, err = d.listenPages(p.HTTP); err == nil && p.TLS() {
		g.https, err = d.listenPages(p.HTTPS)
	}
	return err
}

// portalPolicy makes the rules of a configuration.
func portalPolicy(p *config.Portal) (*rules.Policy, error) {
	if !p.Enable {
		return nil, nil
	}
	prefixes, err := p.GardenPrefixes()
	if err != nil {
		return nil, err
	}
	resolvers, err := p.Resolvers()
	if err != nil {
		return nil, err
	}
	domains, err := p.GardenDomains()
	if err != nil {
		return nil, err
	}
	web := p.Web()
	return policy.Build(policy.Options{
		Interfaces: p.Interfaces, Priority: int32(p.Priority), HTTP: web.HTTP, HTTPS: web.HTTPS,
		Garden: prefixes, Named: !domains.Empty(), DNS: resolvers,
	}), nil
}

// letIn takes over who was in when an earlier daemon ended, and prepares the pages.
// Rows are the daemon's by now.
func (d *Daemon) letIn() error {
	c := d.config.Load()
	if !c.Portal.Enable {
		return nil
	}
	ways, err := d.portalWays(c)
	if err != nil {
		return err
	}
	g := &d.portal
	k, err := portal.New(portal.Config{
		Directory: d.who.Directory, State: c.State, Settings: c.Portal.Settings(), Ways: ways,
		Traffic: d.portalTraffic(), Volume: portal.VolumeOf(d.quota.Manager, config.PortalPlan),
		Clock: time.Now, Events: d.happened, Log: d.o.Log,
	})
	if err != nil {
		return err
	}
	if g.servers, err = c.Portal.RADIUS.Listener(d.o.NetNS, k, d.o.Log); err == nil {
		g.pages, err = child.New(child.Options{HTTP: g.http, HTTPS: g.https, UID: g.uid, GID: g.gid, Desk: k, Log: d.o.Log}, d.pagesConfig(c))
	}
	if err != nil {
		return errors.Join(err, k.Close())
	}
	g.http, g.https = nil, nil
	g.keeper.Store(k) // all that goes with it is there
	return nil
}

// portalWays returns the ways in that ask others: those that there is somebody for, as
// a reload may bring them to the page.
func (d *Daemon) portalWays(c *config.Config) (ways []portal.Way, err error) {
	p := &c.Portal
	if len(p.RADIUS.Servers) > 0 {
		way, err := p.RADIUS.Way(d.o.NetNS, d.o.Log)
		if err != nil {
			return nil, err
		}
		ways = append(ways, way)
	}
	if p.OIDC.Issuer != "" {
		way, err := p.OIDCWay(d.o.NetNS, d.o.Log)
		if err != nil {
			return nil, err
		}
		ways = append(ways, way)
	}
	return ways, nil
}

// run keeps sessions and pages.
func (g *gate) run(ctx context.Context) error {
	k := g.keeper.Load()
	if k == nil {
		return nil
	}
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return k.Run(ctx) })
	if g.servers != nil {
		tasks.Go(func() error { return g.servers.Run(ctx) })
	}
	tasks.Go(func() error {
		if err := g.pages.Run(ctx); ctx.Err() == nil {
			return err
		}
		return nil
	})
	return tasks.Wait()
}

// reloadPortal takes over another configuration. Its rules are to be installed after
// it; undo goes back.
func (d *Daemon) reloadPortal(was, c *config.Config) (undo func(), err error) {
	g := &d.portal
	k, old := g.keeper.Load(), g.policy
	if k == nil {
		return func() {}, nil
	}
	if reflect.DeepEqual(was.Portal, c.Portal) {
		return func() {}, g.pages.Set(d.pagesConfig(c)) // the theme's files may have changed
	}
	for _, name := range c.Portal.Interfaces {
		if err := d.isAbove(name); err != nil {
			return nil, err
		}
	}
	made, err := portalPolicy(&c.Portal)
	if err != nil {
		return nil, err
	}
	if err := k.Set(c.Portal.Settings()); err != nil {
		return nil, err
	}
	if err := g.pages.Set(d.pagesConfig(c)); err != nil {
		return nil, errors.Join(err, k.Set(was.Portal.Settings()))
	}
	g.policy = made
	return func() {
		g.policy = old
		if err := errors.Join(k.Set(was.Portal.Settings()), g.pages.Set(d.pagesConfig(was))); err != nil {
			d.o.Log.Error("the portal is not as it was before the reload", "err", err)
		}
	}, nil
}

// Portal implements api.Source; nil is none.
func (d *Daemon) Portal() *portal.Keeper { return d.portal.keeper.Load() }

// close closes what was opened.
func (g *gate) close() error {
	errs := []error{g.names.close()}
	for _, ln := range append(g.http, g.https...) {
		errs = append(errs, ln.Close())
	}
	g.http, g.https = nil, nil
	if g.servers != nil {
		errs = append(errs, g.servers.Close())
		g.servers = nil
	}
	if k := g.keeper.Swap(nil); k != nil {
		errs = append(errs, k.Close())
	}
	return errors.Join(errs...)
}
