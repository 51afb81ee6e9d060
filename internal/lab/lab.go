// SPDX-License-Identifier: MIT

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Lab is one running lab. The caller owns it and must Close it. Its fields are
// set by New and read-only.
type Lab struct {
	Client   *Namespace
	Guest    *Namespace // nil unless asked for
	Gateway  *Namespace
	Internet *Namespace

	Sites     []Site
	Authority *Authority

	dir    string // holds what commands read: the authority, resolv.conf
	tasks  tasks
	web    *web
	closed bool
}

// Config says what a lab has. The zero value is a complete lab with one client
// and the default sites.
type Config struct {
	// Sites are the names on the internet; none means DefaultSites. The
	// service sites are added.
	Sites []Site
	// Guest asks for a second client.
	Guest bool
	// Named asks for names under /run/netns, for `ip netns exec NAME` while
	// something is being looked into. Lab.NetnsName tells them.
	Named bool
}

// New sets a lab up: its namespaces, links and routes, and every server
// listening. It also removes what labs of dead processes left. ctx covers the
// setting up only. The error wraps fs.ErrPermission without root.
func New(ctx context.Context, conf Config) (_ *Lab, err error) {
	l := &Lab{tasks: newTasks(), web: newWeb()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("lab: %w", err), l.Close())
		}
	}()
	if conf.Sites == nil {
		conf.Sites = DefaultSites()
	}
	if l.Sites, err = assign(conf.Sites); err != nil {
		return nil, err
	}
	if l.Authority, err = newAuthority(); err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	if l.dir, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid())); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, Config) error{
		l.makeNamespaces, l.sweep, l.wire, l.equip, l.serve,
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx, conf); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Close stops the servers, kills what still runs inside and removes the
// namespaces with all they hold. Further calls do nothing.
func (l *Lab) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	errs := []error{l.tasks.close()}
	for _, n := range l.Namespaces() {
		errs = append(errs, n.close())
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	return errors.Join(errs...)
}

// Namespaces returns the lab's namespaces.
func (l *Lab) Namespaces() []*Namespace {
	var all []*Namespace
	for _, n := range []*Namespace{l.Client, l.Guest, l.Gateway, l.Internet} {
		if n != nil {
			all = append(all, n)
		}
	}
	return all
}

// NetnsName returns the name of n for `ip netns`, if Config.Named asked for it.
func (l *Lab) NetnsName(n *Namespace) string {
	return filepath.Base(l.dir) + "-" + n.name
}

// Site returns the site of that name.
func (l *Lab) Site(name string) (Site, bool) {
	for _, s := range l.Sites {
		if s.Name == name {
			return s, true
		}
	}
	return Site{}, false
}

// CAFile returns the path of the authority's certificate, for programs.
func (l *Lab) CAFile() string { return filepath.Join(l.dir, "ca.pem") }

func (l *Lab) sweep(context.Context, Config) error {
	if err := Sweep(); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

func (l *Lab) makeNamespaces(_ context.Context, conf Config) (err error) {
	type place struct {
		at     **Namespace
		name   string
		absent bool
	}
	for _, p := range []place{
		{&l.Client, "client", false},
		{&l.Guest, "guest", !conf.Guest},
		{&l.Gateway, "gateway", false},
		{&l.Internet, "internet", false},
	} {
		if p.absent {
			continue
		}
		if *p.at, err = newNamespace(p.name); err != nil {
			return err
		}
		if !conf.Named {
			continue
		}
		if err := (*p.at).bind(l.NetnsName(*p.at)); err != nil {
			return fmt.Errorf("name %s: %w", p.name, err)
		}
	}
	return nil
}

// equip gives the clients what programs look for: a name server, and the
// authority to trust.
func (l *Lab) equip(context.Context, Config) error {
	resolv := filepath.Join(l.dir, "resolv.conf")
	nsswitch := filepath.Join(l.dir, "nsswitch.conf")
	for path, text := range map[string]string{
		l.CAFile(): string(l.Authority.PEM()),
		resolv:     fmt.Sprintf("nameserver %s\nnameserver %s\noptions timeout:1 attempts:2\n", DNS4, DNS6),
		nsswitch:   "hosts: files dns\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, n := range []*Namespace{l.Client, l.Guest} {
		if n == nil {
			continue
		}
		n.env = []string{"SSL_CERT_FILE=" + l.CAFile(), "CURL_CA_BUNDLE=" + l.CAFile()}
		if err := n.Cover(resolv, "/etc/resolv.conf"); err != nil {
			return err
		}
		// The C library does without this one.
		if err := n.Cover(nsswitch, "/etc/nsswitch.conf"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (l *Lab) serve(ctx context.Context, _ Config) error {
	names := newNameserver(l.Sites)
	return errors.Join(
		names.serveDNS(ctx, l.Internet, DNS4, l.tasks),
		names.serveDNS(ctx, l.Internet, DNS6, l.tasks),
		l.serveSites(ctx),
		l.serveSmall(ctx),
	)
}
