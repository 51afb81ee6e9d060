// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"nftdict/classifier/country"
	"nftdict/classifier/pcap"
	"nftdict/classifier/vendor"
)

// places looks up where addresses are and who made network cards, in files that
// are read when they are needed first.
type places struct {
	countries string   // file; empty: none
	vendors   []string // files; none: those that are installed

	table  *country.Table
	makers *vendor.Table
}

// open reads the database of countries, if there is one.
func (p *places) open(c *ctl) error {
	if p.countries == "" || p.table != nil {
		return nil
	}
	var err error
	if p.table, err = country.Open(c.path(p.countries)); err != nil {
		return fmt.Errorf("countries: %w", err)
	}
	return nil
}

// openMakers reads the registries of hardware addresses.
func (p *places) openMakers(c *ctl) error {
	if p.makers != nil {
		return nil
	}
	paths := make([]string, len(p.vendors))
	for i, path := range p.vendors {
		paths[i] = c.path(path)
	}
	if len(paths) == 0 {
		paths = []string{vendor.Auto}
	}
	var err error
	p.makers, err = vendor.Load(paths, func(err error) { fmt.Fprintf(c.Stderr, "dictctl: left out: %v\n", err) })
	if err != nil {
		return fmt.Errorf("vendors: %w", err)
	}
	return nil
}

// end is what is known of one end of a connection, beside its session.
type end struct {
	address              netip.Addr
	mac, vendor, country string // empty: not known
}

// ends looks both ends of a flow up. Registries are read for the first flow that
// has hardware addresses.
func (p *places) ends(c *ctl, f *pcap.Flow) (a, b end, err error) {
	a, b = p.at(f.A.Addr()), p.at(f.B.Addr())
	if f.MACA == f.MACB { // not of Ethernet, or of nobody
		return a, b, nil
	}
	if err := p.openMakers(c); err != nil {
		return a, b, err
	}
	a.mac, a.vendor = net.HardwareAddr(f.MACA[:]).String(), p.makers.Lookup(f.MACA)
	b.mac, b.vendor = net.HardwareAddr(f.MACB[:]).String(), p.makers.Lookup(f.MACB)
	return a, b, nil
}

// at looks up where an address is.
func (p *places) at(a netip.Addr) end {
	return end{address: a, country: p.table.Lookup(a).String()}
}

// String returns "192.0.2.1: NL, 00:00:0c:01:02:03 by Cisco Systems, Inc", as far
// as it is known, and nothing where that is not more than the address.
func (e end) String() string {
	var known []string
	if e.country != "" {
		known = append(known, e.country)
	}
	switch {
	case e.vendor != "":
		known = append(known, e.mac+" by "+e.vendor)
	case e.mac != "":
		known = append(known, e.mac)
	}
	if len(known) == 0 {
		return ""
	}
	return e.address.String() + ": " + strings.Join(known, ", ")
}
