// SPDX-License-Identifier: MIT

package config

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nftdict/dict"
	"nftdict/dictd/netns"
	"nftdict/dictd/portal"
	"nftdict/dictd/portal/oidc"
)

// PortalOIDC says which provider of OpenID Connect knows who may log in.
type PortalOIDC struct {
	Issuer      string   `toml:"issuer"` // https://...
	ClientID    string   `toml:"client_id"`
	Secret      string   `toml:"secret"`
	SecretFile  string   `toml:"secret_file"` // instead of it
	Scopes      []string `toml:"scopes"`
	UserClaim   string   `toml:"user_claim"`
	GroupsClaim string   `toml:"groups_claim"`
	Domains     []string `toml:"domains"` // of addresses of mail that are let in
	Groups      []string `toml:"groups"`  // of which one is wanted
	CA          string   `toml:"ca"`      // file of certificates; empty: the system's
	Timeout     int      `toml:"timeout"` // seconds for an answer
}

func defaultPortalOIDC() PortalOIDC {
	return PortalOIDC{Scopes: []string{"profile", "email"}, UserClaim: "email", Domains: []string{}, Groups: []string{}, Timeout: 10}
}

// OIDCWay returns what asks the provider. The configuration has been checked.
func (p *Portal) OIDCWay(ns int, log *slog.Logger) (*oidc.Way, error) {
	o := &p.OIDC
	var roots *x509.CertPool
	if o.CA != "" {
		text, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("portal.oidc.ca: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("portal.oidc.ca %s: %w: want certificates, PEM", dict.Quote(o.CA), dict.ErrInvalid)
		}
	}
	c := o.client(p)
	if o.Secret != "" || o.SecretFile != "" {
		secret, err := readSecret("portal.oidc", o.Secret, o.SecretFile)
		if err != nil {
			return nil, err
		}
		c.Secret = string(secret)
	}
	dialer := net.Dialer{Timeout: c.Timeout}
	c.Client = oidc.NewClient(c.Timeout, roots, func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		err = netns.Do(ns, func() error {
			conn, err = dialer.DialContext(ctx, network, addr)
			return err
		})
		return conn, err
	})
	c.Log, c.Clock = log, time.Now
	return oidc.New(c)
}

// client returns what stands in the configuration.
func (o *PortalOIDC) client(p *Portal) oidc.Config {
	base := url.URL{Scheme: "https", Host: p.Name}
	if p.HTTPS != 443 {
		base.Host = net.JoinHostPort(p.Name, strconv.Itoa(p.HTTPS))
	}
	return oidc.Config{
		Issuer: o.Issuer, ClientID: o.ClientID, Redirect: base.String() + "/finish/oidc", Scopes: o.Scopes, UserClaim: o.UserClaim, GroupsClaim: o.GroupsClaim,
		Domains: o.Domains, Groups: o.Groups, Timeout: time.Duration(o.Timeout) * time.Second,
	}
}

// NamesMix reports whether somebody may come by a provider under a name that he has
// chosen himself, and have the groups, the volume and the devices of who has this name
// by another way.
func (p *Portal) NamesMix() bool {
	others := slices.Contains(p.Ways, portal.Account) || slices.Contains(p.Ways, portal.RADIUS)
	sure := p.OIDC.UserClaim == "email" || p.OIDC.UserClaim == "sub"
	return slices.Contains(p.Ways, portal.OIDC) && others && !sure
}

// host returns where the provider's pages are, which must be in the garden; "" if
// nobody is led there.
func (p *Portal) providerHost() string {
	if u, err := url.Parse(p.OIDC.Issuer); err == nil && slices.Contains(p.Ways, portal.OIDC) {
		return u.Hostname()
	}
	return ""
}

// providerDomain returns it if it is a name, and providerPrefix if it is an address.
func (p *Portal) providerDomain() []string {
	if host := p.providerHost(); host != "" && len(p.providerPrefix()) == 0 {
		return []string{strings.ToLower(host)}
	}
	return nil
}

func (p *Portal) providerPrefix() []string {
	if a, err := netip.ParseAddr(p.providerHost()); err == nil {
		return []string{netip.PrefixFrom(a, a.BitLen()).String()}
	}
	return nil
}

// checkOIDC refuses what cannot work.
func (p *Portal) checkOIDC() error {
	o := &p.OIDC
	var errs []error
	if o.Timeout < 1 || o.Timeout > 60 {
		errs = append(errs, fmt.Errorf("portal.oidc.timeout %d: %w: want 1 to 60", o.Timeout, dict.ErrRange))
	}
	if o.Secret != "" || o.SecretFile != "" {
		errs = append(errs, checkSecret("portal.oidc", o.Secret, o.SecretFile))
	}
	if o.CA != "" && !filepath.IsAbs(o.CA) {
		errs = append(errs, fmt.Errorf("portal.oidc.ca %s: %w: want a whole path", dict.Quote(o.CA), dict.ErrInvalid))
	}
	if slices.Contains(p.Ways, portal.OIDC) {
		c := o.client(p)
		if err := c.Check(); err != nil {
			errs = append(errs, fmt.Errorf("portal.oidc.%w", err))
		}
		if p.Name == "" || !p.TLS() {
			errs = append(errs, fmt.Errorf("portal.name %s: %w: the way \"oidc\" needs a name and a certificate, for the way back", dict.Quote(p.Name), dict.ErrInvalid))
		}
	}
	return errors.Join(errs...)
}
