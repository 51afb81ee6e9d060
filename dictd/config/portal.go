// SPDX-License-Identifier: MIT

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/portal"
	"nftdict/dictd/portal/garden"
	"nftdict/dictd/portal/web"
	"nftdict/dictd/quota/plan"
)

// Portal says who must log in, how, and what he reaches before.
type Portal struct {
	Enable     bool     `toml:"enable"`
	Interfaces []string `toml:"interfaces"` // inside: who comes by these must log in
	Priority   int      `toml:"priority"`   // of the chains at the hooks forward and input
	Name       string   `toml:"name"`       // of the portal's host; empty: the certificate's, or the address
	HTTP       int      `toml:"http"`       // ports
	HTTPS      int      `toml:"https"`
	Cert       string   `toml:"certificate"` // files; none: no HTTPS, unless SelfSigned
	Key        string   `toml:"key"`
	SelfSigned bool     `toml:"self_signed"`
	User       string   `toml:"user"`  // whose rights the part with the pages has
	Theme      string   `toml:"theme"` // directory of templates; empty: the built-in ones
	Languages  []string `toml:"languages"`
	VenueName  string   `toml:"venue_name"`
	VenueURL   string   `toml:"venue_url"`
	Continue   string   `toml:"continue_url"` // where a page leads who is in
	Ways       []string `toml:"ways"`
	Session    int      `toml:"session"` // seconds; 0: no end
	Idle       int      `toml:"idle"`    // seconds; 0: none ends a session
	Extend     bool     `toml:"extend"`
	Devices    int      `toml:"devices"`      // of an account; 0: no bound
	Over       string   `toml:"devices_over"` // OverOldest or OverRefuse
	Garden     []string `toml:"garden"`       // domains
	Prefixes   []string `toml:"garden_prefixes"`
	DNS        []string `toml:"dns"` // resolvers, or their networks, that may be asked

	RADIUS PortalRADIUS `toml:"radius"`
	OIDC   PortalOIDC   `toml:"oidc"`
}

// What becomes of a login over Portal.Devices.
const (
	OverOldest = "oldest" // the oldest login ends
	OverRefuse = "refuse"
)

func defaultPortal() Portal {
	return Portal{
		Interfaces: []string{}, Priority: -150, HTTP: 8880, HTTPS: 8443, User: "nobody", Languages: []string{}, Ways: []string{portal.Click},
		Session: 86400, Idle: 1800, Extend: true, Devices: 3, Over: OverOldest, Garden: []string{}, Prefixes: []string{}, DNS: []string{},
		RADIUS: defaultPortalRADIUS(), OIDC: defaultPortalOIDC(),
	}
}

// GardenPrefixes returns Prefixes, without those that are within others, and the
// provider's if its pages are at an address.
func (p *Portal) GardenPrefixes() ([]netip.Prefix, error) {
	return parsePrefixes("portal.garden_prefixes", slices.Concat(p.Prefixes, p.providerPrefix()))
}

// Resolvers returns DNS, likewise.
func (p *Portal) Resolvers() ([]netip.Prefix, error) { return parsePrefixes("portal.dns", p.DNS) }

// GardenDomains returns Garden, and the provider's host if browsers are led there.
func (p *Portal) GardenDomains() (*garden.Domains, error) {
	d, err := garden.Parse(slices.Concat(p.Garden, p.providerDomain()))
	if err != nil {
		return nil, fmt.Errorf("portal.garden %w", err)
	}
	return d, nil
}

// TLS reports whether there is HTTPS.
func (p *Portal) TLS() bool { return p.Cert != "" || p.SelfSigned }

// Web returns what the pages are like, as far as it stands here.
func (p *Portal) Web() web.Settings {
	s := web.Settings{Name: p.Name, HTTP: uint16(p.HTTP), VenueName: p.VenueName, VenueURL: p.VenueURL, Continue: p.Continue, Languages: p.Languages}
	if p.TLS() {
		s.HTTPS = uint16(p.HTTPS)
	}
	return s
}

// Settings returns what is granted to who logs in.
func (p *Portal) Settings() portal.Settings {
	return portal.Settings{
		Ways: p.Ways, Session: time.Duration(p.Session) * time.Second, Idle: time.Duration(p.Idle) * time.Second,
		Extend: p.Extend, Devices: p.Devices, Refuse: p.Over == OverRefuse,
	}
}

// PortalPlan is the name of the plan by which volumes are counted that are granted by
// ways in. It is there where the portal is.
const PortalPlan = "portal"

// volumes is that plan: nobody has anything of it that was not granted.
func volumes() plan.Spec {
	return plan.Spec{Name: PortalPlan, For: []string{"group " + portal.VolumeGroup}, Volume: strconv.Itoa(portal.Ungranted), Period: "none", Then: "reset"}
}

// Reloaded returns the portal of another configuration as far as a reload takes it over.
func (p *Portal) Reloaded(was *Portal) Portal {
	now := *p
	now.Enable, now.HTTP, now.HTTPS, now.Cert, now.Key, now.SelfSigned, now.User, now.RADIUS, now.OIDC = was.Enable, was.HTTP, was.HTTPS, was.Cert, was.Key, was.SelfSigned, was.User, was.RADIUS, was.OIDC
	return now
}

// check refuses what cannot work.
func (p *Portal) check() error {
	var errs []error
	refuse := func(key string, v any, kind error, want string) {
		errs = append(errs, fmt.Errorf("portal.%s %v: %w: want %s", key, v, kind, want))
	}
	within := func(key string, v, lo, hi int) {
		if v < lo || v > hi {
			refuse(key, v, dict.ErrRange, fmt.Sprintf("%d to %d", lo, hi))
		}
	}
	within("priority", p.Priority, -399, 2000)
	within("http", p.HTTP, 1, 65535)
	within("https", p.HTTPS, 1, 65535)
	if p.HTTP == p.HTTPS {
		refuse("https", p.HTTPS, dict.ErrInvalid, "another port than portal.http")
	}
	within("session", p.Session, 0, 366*86400)
	within("idle", p.Idle, 0, 366*86400)
	within("devices", p.Devices, 0, 1<<16)
	if p.Over != OverOldest && p.Over != OverRefuse {
		refuse("devices_over", dict.Quote(p.Over), dict.ErrInvalid, "oldest, refuse")
	}
	for _, name := range p.Interfaces {
		if !isInterface(name) {
			refuse("interfaces", dict.Quote(name), dict.ErrInvalid, "names of interfaces")
		}
	}
	if p.Enable && len(p.Interfaces) == 0 {
		refuse("interfaces", "[]", dict.ErrInvalid, "those by which whoever must log in comes")
	}
	for i, way := range p.Ways {
		if !slices.Contains([]string{portal.Click, portal.Account, portal.Voucher, portal.RADIUS, portal.OIDC}, way) || slices.Contains(p.Ways[:i], way) {
			refuse("ways", dict.Quote(way), dict.ErrInvalid, "click, account, voucher, radius, oidc, once each")
		}
	}
	if p.Enable && len(p.Ways) == 0 {
		refuse("ways", "[]", dict.ErrInvalid, "one at least: nobody could log in")
	}
	pages := p.Web()
	if err := pages.Check(); err != nil {
		errs = append(errs, fmt.Errorf("portal: %w", err))
	}
	if (p.Cert == "") != (p.Key == "") {
		refuse("certificate", dict.Quote(p.Cert), dict.ErrInvalid, "a certificate with its key, or neither")
	}
	if p.Cert != "" && p.SelfSigned {
		refuse("self_signed", true, dict.ErrInvalid, "no certificate beside it")
	}
	for key, path := range map[string]string{"certificate": p.Cert, "key": p.Key, "theme": p.Theme} {
		if path != "" && !filepath.IsAbs(path) {
			refuse(key, dict.Quote(path), dict.ErrInvalid, "a whole path")
		}
	}
	if p.User == "" || p.User == "root" || p.User == "0" {
		refuse("user", dict.Quote(p.User), dict.ErrInvalid, "a user without rights")
	}
	prefixes, a := p.GardenPrefixes()
	for _, prefix := range prefixes {
		if widest := map[bool]int{false: 8, true: 16}[prefix.Addr().Is6()]; prefix.Bits() < widest {
			refuse("garden_prefixes", prefix, dict.ErrInvalid, "networks: in so wide a garden there is no portal")
		}
	}
	_, b := p.Resolvers()
	_, c := p.GardenDomains()
	return errors.Join(append(errs, a, b, c, p.RADIUS.check(p.Ways), p.checkOIDC())...)
}

// checkPortal refuses a portal that could know no device.
func (c *Config) checkPortal() error {
	if !c.Portal.Enable {
		return nil
	}
	if c.Identity.Hosts == 0 {
		return fmt.Errorf("identity.hosts 0: %w: the portal lets in devices that are known", dict.ErrInvalid)
	}
	for _, name := range c.Portal.Interfaces {
		if len(c.Identity.Interfaces) > 0 && !slices.Contains(c.Identity.Interfaces, name) {
			return fmt.Errorf("identity.interfaces: %w: want portal.interfaces in it, too: %s", dict.ErrInvalid, dict.Quote(name))
		}
	}
	return nil
}

// isInterface reports whether an interface may have a name.
func isInterface(name string) bool {
	return name != "" && len(name) <= 15 && !strings.ContainsAny(name, "/ \t\n")
}
