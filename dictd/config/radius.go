// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"nftdict/dict"
	"nftdict/dictd/internal/radmsg"
)

// RADIUS says whether and from whom accounting is taken.
type RADIUS struct {
	Listen  []string       `toml:"listen"`  // addresses and ports; none: off
	Timeout int            `toml:"timeout"` // seconds after which a session is over that is not told of
	Groups  []string       `toml:"groups"`  // attributes that name groups
	Clients []RADIUSClient `toml:"client"`
}

// RADIUSClient is who may tell of sessions.
type RADIUSClient struct {
	Address    string `toml:"address"` // or a prefix
	Secret     string `toml:"secret"`
	SecretFile string `toml:"secret_file"` // instead of it
}

// Addresses returns where to listen. The configuration has been checked.
func (r *RADIUS) Addresses() (all []netip.AddrPort) {
	for _, text := range r.Listen {
		if a, err := netip.ParseAddrPort(text); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// Known returns who may tell, with the secrets in their files.
func (r *RADIUS) Known() (radmsg.Clients, error) {
	var all radmsg.Clients
	for _, c := range r.Clients {
		p, err := c.prefix()
		if err != nil {
			return nil, err
		}
		secret := c.Secret
		if c.SecretFile != "" {
			text, err := os.ReadFile(c.SecretFile)
			if err != nil {
				return nil, fmt.Errorf("radius.client %s: secret: %w", dict.Quote(c.Address), err)
			}
			secret = strings.TrimRight(string(text), "\r\n")
		}
		if secret == "" || len(secret) > maxSecret {
			return nil, fmt.Errorf("radius.client %s: secret: %w: want 1 to %d bytes", dict.Quote(c.Address), dict.ErrInvalid, maxSecret)
		}
		all = append(all, radmsg.Client{Prefix: p, Secret: []byte(secret)})
	}
	return all, nil
}

// maxSecret is the most bytes of a secret.
const maxSecret = 253

func (c *RADIUSClient) prefix() (netip.Prefix, error) {
	if a, err := netip.ParseAddr(c.Address); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(c.Address)
	if err != nil || p != p.Masked() {
		return p, fmt.Errorf("radius.client %s: %w: want an address or a network", dict.Quote(c.Address), dict.ErrInvalid)
	}
	return p, nil
}

// check refuses what cannot work.
func (r *RADIUS) check() (errs []error) {
	for _, text := range r.Listen {
		if a, err := netip.ParseAddrPort(text); err != nil || a.Port() == 0 {
			errs = append(errs, fmt.Errorf("radius.listen %s: %w: want ADDRESS:PORT", dict.Quote(text), dict.ErrInvalid))
		}
	}
	for _, name := range r.Groups {
		if _, ok := radmsg.Grouping(name); !ok {
			errs = append(errs, fmt.Errorf("radius.groups %s: %w: want Class, Filter-Id", dict.Quote(name), dict.ErrInvalid))
		}
	}
	for _, c := range r.Clients {
		if _, err := c.prefix(); err != nil {
			errs = append(errs, err)
		}
		if (c.Secret == "") == (c.SecretFile == "") || len(c.Secret) > maxSecret {
			errs = append(errs, fmt.Errorf("radius.client %s: %w: want secret, of at most %d bytes, or secret_file", dict.Quote(c.Address), dict.ErrInvalid, maxSecret))
		}
	}
	if len(r.Listen) > 0 && len(r.Clients) == 0 {
		errs = append(errs, fmt.Errorf("radius.client: %w: nobody may tell", dict.ErrInvalid))
	}
	return errs
}
