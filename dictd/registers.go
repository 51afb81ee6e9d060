// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"log/slog"

	"nftdict/classifier/country"
	"nftdict/classifier/vendor"
	"nftdict/dictd/api"
	"nftdict/dictd/config"
	"nftdict/dictd/session"
)

// registers are the files in which addresses are looked up, read whole. They
// never change: a reload reads others. Nil has none.
type registers struct {
	countries *country.Table // nil if none is configured
	from      string         // its file
	vendors   *vendor.Table
}

// openRegisters reads what is configured. A registry that was found, and not
// named, does no harm if it is broken.
func openRegisters(c *config.Config, log *slog.Logger) (*registers, error) {
	r := &registers{from: c.Countries}
	var err error
	if c.Countries != "" {
		if r.countries, err = country.Open(c.Countries); err != nil {
			return nil, fmt.Errorf("countries: %w", err)
		}
	}
	r.vendors, err = vendor.Load(c.Vendors, func(err error) {
		log.Warn("an installed registry of hardware addresses is left out", "err", err)
	})
	if err != nil {
		return nil, fmt.Errorf("vendors: %w", err)
	}
	return r, nil
}

// countriesOf returns where the ends of a session are, zero if nothing can tell.
func (r *registers) countriesOf(s *session.Session) (client, server country.Code) {
	if r == nil {
		return 0, 0
	}
	orig := s.Orig()
	return r.countries.Lookup(orig.Src()), r.countries.Lookup(orig.Dst())
}

// status tells which files are in use.
func (r *registers) status() []api.Register {
	found := []api.Register{}
	if r == nil {
		return found
	}
	if r.countries != nil {
		info := r.countries.Info()
		found = append(found, api.Register{For: "countries", File: r.from, Date: info.Built, Kind: info.Type, Entries: info.Stretches})
	}
	for _, f := range r.vendors.Files() {
		found = append(found, api.Register{For: "vendors", File: f.Path, Date: f.Changed, Entries: f.Entries})
	}
	return found
}

// Vendor returns who made the network card of a hardware address, "" if nobody
// is known. It follows reloads.
func (d *Daemon) Vendor(mac [6]byte) string {
	return d.pipeline.registers.Load().vendors.Lookup(mac)
}
