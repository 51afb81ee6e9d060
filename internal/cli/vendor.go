// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"net"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

const vendorLong = `Tells who made the network cards with these hardware addresses, one a line: the
address, and the maker that the IEEE gave its beginning to (24, 28 or 36 bits).

An address that was not given by a maker has none: "local" is one that was
chosen, as phones choose theirs by lot, "group" one of several cards. What is
not known is shown as "-".

Registries are the IEEE's oui.csv, mam.csv, oui36.csv and their texts,
Wireshark's manuf, nmap's nmap-mac-prefixes and arp-scan's ieee-oui.txt; without
--vendors those that are installed in the usual places (package ieee-data).`

const vendorExample = `  dictctl vendor 3c:07:54:01:02:03
  dictctl vendor --vendors oui.csv --vendors oui36.csv 70-b3-d5-f2-f0-01
  dictctl -j vendor 3c:07:54:01:02:03 02:00:00:00:00:01`

// vendorJSON is an address as -j prints it. Fields are added, never renamed.
type vendorJSON struct {
	MAC    string `json:"mac"`
	Vendor string `json:"vendor,omitempty"`
	Local  bool   `json:"local,omitempty"` // locally administered
	Group  bool   `json:"group,omitempty"`
}

func (c *ctl) vendorCommand() *cobra.Command {
	var p places
	cmd := &cobra.Command{
		Use:     "vendor [--vendors FILE]... MAC...",
		Short:   "tell who made network cards",
		Long:    vendorLong,
		Example: vendorExample,
		Args:    words(1, -1, "MAC"),
		RunE:    func(_ *cobra.Command, args []string) error { return c.vendor(&p, args) },
	}
	vendorsFlag(cmd, &p)
	return cmd
}

// vendorsFlag adds the option that names registries.
func vendorsFlag(cmd *cobra.Command, p *places) {
	cmd.Flags().StringArrayVar(&p.vendors, "vendors", nil, "a registry of hardware addresses, a `file`; may be given again")
}

func (c *ctl) vendor(p *places, args []string) error {
	macs := make([][6]byte, len(args))
	for i, text := range args {
		b, err := net.ParseMAC(text)
		if err != nil || len(b) != 6 {
			return usagef("%s is no hardware address of 6 octets", dict.Quote(text))
		}
		macs[i] = [6]byte(b)
	}
	if err := p.openMakers(c); err != nil {
		return err
	}
	if p.makers.Len() == 0 {
		return fmt.Errorf("no registry of hardware addresses is installed: install one (package ieee-data), or name a file with --vendors")
	}
	found := make([]vendorJSON, len(macs))
	for i, m := range macs {
		found[i] = vendorJSON{net.HardwareAddr(m[:]).String(), p.makers.Lookup(m), m[0]&2 != 0, m[0]&1 != 0}
	}
	if c.json {
		return c.printJSON(map[string]any{"vendors": found})
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	for _, v := range found {
		maker := dash(v.Vendor)
		switch {
		case v.Group:
			maker = "- (group)"
		case v.Local:
			maker = "- (local)"
		}
		fmt.Fprintf(w, "%s\t%s\n", v.MAC, maker)
	}
	return w.Flush()
}
