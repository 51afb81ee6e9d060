// SPDX-License-Identifier: MIT

package config

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"nftdict/dict"
)

// Operator says whether and where there is a page in the browser for who runs the
// gateway.
type Operator struct {
	Enable      bool   `toml:"enable"`
	Listen      string `toml:"listen"`      // address and port
	Certificate string `toml:"certificate"` // file; empty: no TLS, for this machine alone
	Key         string `toml:"key"`
	Passwords   string `toml:"passwords"` // file of who may log in
	Idle        int    `toml:"idle"`      // seconds after which who does nothing is logged out
	Session     int    `toml:"session"`   // seconds after which everybody is
}

// DefaultPasswords is the file of operators.
const DefaultPasswords = "/etc/dictd/operators"

// Address returns where to listen. At an address that others reach it takes a
// certificate.
func (o *Operator) Address() (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(o.Listen)
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return at, fmt.Errorf("operator.listen %s: %w: want ADDRESS:PORT", dict.Quote(o.Listen), dict.ErrInvalid)
	}
	if !at.Addr().IsLoopback() && o.Certificate == "" {
		return at, fmt.Errorf("operator.listen %s: %w: others reach it: give operator.certificate and key, or listen at 127.0.0.1", dict.Quote(o.Listen), dict.ErrInvalid)
	}
	return at, nil
}

// check refuses what cannot work.
func (o *Operator) check() (errs []error) {
	if _, err := o.Address(); err != nil {
		errs = append(errs, err)
	}
	if (o.Certificate == "") != (o.Key == "") {
		errs = append(errs, fmt.Errorf("operator.certificate and operator.key: %w: want both, or none", dict.ErrInvalid))
	}
	if !filepath.IsAbs(o.Passwords) {
		errs = append(errs, fmt.Errorf("operator.passwords %s: %w: want the whole path of a file", dict.Quote(o.Passwords), dict.ErrInvalid))
	}
	return errs
}
