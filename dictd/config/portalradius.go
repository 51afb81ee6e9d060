// SPDX-License-Identifier: MIT

package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"nftdict/dict"
	"nftdict/dictd/internal/radmsg"
	"nftdict/dictd/portal"
	"nftdict/dictd/portal/radius"
)

// PortalRADIUS says which servers know who may log in by RADIUS.
type PortalRADIUS struct {
	NAS     string         `toml:"nas"`     // what the portal calls itself
	Groups  []string       `toml:"groups"`  // attributes that name groups
	Timeout int            `toml:"timeout"` // seconds for an answer
	Tries   int            `toml:"tries"`   // of a server
	Interim int            `toml:"interim"` // seconds between two messages about a session; 0: none
	Listen  []string       `toml:"listen"`  // for requests to end or change sessions; none: off
	Servers []PortalServer `toml:"server"`
}

// PortalServer is one of RADIUS. Its requests to end or change sessions come from the
// same address.
type PortalServer struct {
	Auth       string `toml:"auth"` // address and port
	Acct       string `toml:"acct"` // likewise; empty: it is not told of sessions
	Secret     string `toml:"secret"`
	SecretFile string `toml:"secret_file"` // instead of it
}

func defaultPortalRADIUS() PortalRADIUS {
	return PortalRADIUS{NAS: "dictd", Groups: []string{"Filter-Id"}, Timeout: 3, Tries: 2, Interim: 600, Listen: []string{}}
}

// Way returns what asks the servers. The configuration has been checked.
func (p *PortalRADIUS) Way(netns int, log *slog.Logger) (*radius.Way, error) {
	c := radius.Config{
		NetNS: netns, NAS: p.NAS, Groups: p.Groups, Timeout: time.Duration(p.Timeout) * time.Second, Tries: p.Tries,
		Interim: time.Duration(p.Interim) * time.Second, Log: log,
	}
	for _, s := range p.Servers {
		secret, err := s.read()
		if err != nil {
			return nil, err
		}
		one := radius.Server{Secret: secret}
		one.Auth, _ = netip.ParseAddrPort(s.Auth)
		one.Acct, _ = netip.ParseAddrPort(s.Acct)
		c.Servers = append(c.Servers, one)
	}
	return radius.New(c), nil
}

// Listener returns what hears from the servers, nil if nothing is to.
func (p *PortalRADIUS) Listener(netns int, sessions radius.Sessions, log *slog.Logger) (*radius.Listener, error) {
	if len(p.Listen) == 0 {
		return nil, nil
	}
	c := radius.ListenerConfig{NetNS: netns, Listen: addressPorts(p.Listen), Groups: p.Groups, Sessions: sessions, Log: log}
	for _, s := range p.Servers {
		secret, err := s.read()
		if err != nil {
			return nil, err
		}
		at, _ := netip.ParseAddrPort(s.Auth)
		c.Clients = append(c.Clients, radmsg.Client{Prefix: netip.PrefixFrom(at.Addr(), at.Addr().BitLen()), Secret: secret})
	}
	return radius.Listen(c)
}

func (s *PortalServer) read() ([]byte, error) {
	return readSecret("portal.radius.server "+dict.Quote(s.Auth), s.Secret, s.SecretFile)
}

// check refuses what cannot work with some ways in.
func (p *PortalRADIUS) check(ways []string) error {
	errs := checkAddressPorts("portal.radius.listen", p.Listen)
	errs = append(errs, checkGrouping("portal.radius.groups", p.Groups)...)
	within := func(key string, v, lo, hi int) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("portal.radius.%s %d: %w: want %d to %d", key, v, dict.ErrRange, lo, hi))
		}
	}
	within("timeout", p.Timeout, 1, 30)
	within("tries", p.Tries, 1, 5)
	if p.Interim != 0 {
		within("interim", p.Interim, 60, 86400)
	}
	if _, ok := radmsg.Name(p.NAS); !ok {
		errs = append(errs, fmt.Errorf("portal.radius.nas %s: %w: want a name", dict.Quote(p.NAS), dict.ErrInvalid))
	}
	for _, s := range p.Servers {
		where := "portal.radius.server " + dict.Quote(s.Auth)
		errs = append(errs, checkAddressPorts("portal.radius.server.auth", []string{s.Auth})...)
		if s.Acct != "" {
			errs = append(errs, checkAddressPorts("portal.radius.server.acct", []string{s.Acct})...)
		}
		if err := checkSecret(where, s.Secret, s.SecretFile); err != nil {
			errs = append(errs, err)
		}
	}
	if slices.Contains(ways, portal.RADIUS) && len(p.Servers) == 0 {
		errs = append(errs, fmt.Errorf("portal.radius.server: %w: the way \"radius\" needs one", dict.ErrInvalid))
	}
	return errors.Join(errs...)
}
