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
func (r *RADIUS) Addresses() []netip.AddrPort { return addressPorts(r.Listen) }

// addressPorts reads what checkAddressPorts has checked.
func addressPorts(texts []string) (all []netip.AddrPort) {
	for _, text := range texts {
		if a, err := netip.ParseAddrPort(text); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// checkAddressPorts refuses what is no address with a port.
func checkAddressPorts(key string, texts []string) (errs []error) {
	for _, text := range texts {
		if a, err := netip.ParseAddrPort(text); err != nil || a.Port() == 0 {
			errs = append(errs, fmt.Errorf("%s %s: %w: want ADDRESS:PORT", key, dict.Quote(text), dict.ErrInvalid))
		}
	}
	return errs
}

// checkGrouping refuses attributes that name no groups.
func checkGrouping(key string, names []string) (errs []error) {
	for _, name := range names {
		if _, ok := radmsg.Grouping(name); !ok {
			errs = append(errs, fmt.Errorf("%s %s: %w: want Class, Filter-Id", key, dict.Quote(name), dict.ErrInvalid))
		}
	}
	return errs
}

// Known returns who may tell, with the secrets in their files.
func (r *RADIUS) Known() (radmsg.Clients, error) {
	var all radmsg.Clients
	for _, c := range r.Clients {
		p, err := c.prefix()
		if err != nil {
			return nil, err
		}
		secret, err := readSecret("radius.client "+dict.Quote(c.Address), c.Secret, c.SecretFile)
		if err != nil {
			return nil, err
		}
		all = append(all, radmsg.Client{Prefix: p, Secret: secret})
	}
	return all, nil
}

// maxSecret is the most bytes of a secret.
const maxSecret = 253

// readSecret returns a secret that stands in the configuration or in a file.
func readSecret(where, secret, file string) ([]byte, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: secret: %w", where, err)
		}
		secret = strings.TrimRight(string(text), "\r\n")
	}
	if secret == "" || len(secret) > maxSecret {
		return nil, fmt.Errorf("%s: secret: %w: want 1 to %d bytes", where, dict.ErrInvalid, maxSecret)
	}
	return []byte(secret), nil
}

// checkSecret refuses both, neither and what is too long.
func checkSecret(where, secret, file string) error {
	if (secret == "") == (file == "") || len(secret) > maxSecret {
		return fmt.Errorf("%s: %w: want secret, of at most %d bytes, or secret_file", where, dict.ErrInvalid, maxSecret)
	}
	return nil
}

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
	errs = append(checkAddressPorts("radius.listen", r.Listen), checkGrouping("radius.groups", r.Groups)...)
	for _, c := range r.Clients {
		if _, err := c.prefix(); err != nil {
			errs = append(errs, err)
		}
		if err := checkSecret("radius.client "+dict.Quote(c.Address), c.Secret, c.SecretFile); err != nil {
			errs = append(errs, err)
		}
	}
	if len(r.Listen) > 0 && len(r.Clients) == 0 {
		errs = append(errs, fmt.Errorf("radius.client: %w: nobody may tell", dict.ErrInvalid))
	}
	return errs
}
