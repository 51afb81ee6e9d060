// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

const hostWhyLong = `Prints what led to the name, the kind and the user of an address: the names that are
known with their sources, the clues to what kind of device it is with their
weights, and who is logged in there. What comes first decides.`

func (c *ctl) hostWhy() *cobra.Command {
	return &cobra.Command{
		Use: "why ADDRESS", Short: "tell what led to what is known of an address", Long: hostWhyLong, Args: words(1, 1, "ADDRESS"),
		Example: "  dictctl hosts why 192.168.1.20\n  dictctl -j hosts why fd00::20",
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[0])
			if err != nil {
				return usagef("address %s: %v", dict.Quote(args[0]), dict.ErrInvalid)
			}
			h, err := c.daemon().HostWhy(cmd.Context(), addr)
			if err != nil {
				return c.daemonError(err)
			}
			if c.json {
				return c.printJSON(h)
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Host.Address, h.Host.MAC, dash(h.Host.Interface), dash(h.Host.Vendor))
			fmt.Fprintf(w, "name\t%s\n", dash(h.Host.Hostname))
			for _, n := range h.Names {
				fmt.Fprintf(w, "\t%s\t%s\n", n.Name, n.Source)
			}
			fmt.Fprintf(w, "kind\t%s\n", dash(h.Host.Profile))
			for _, clue := range h.Clues {
				fmt.Fprintf(w, "\t%s\t%s\t%s\n", weighed(clue.Profile, clue.Weight), clue.From, clue.Text)
			}
			fmt.Fprintf(w, "user\t%s\n", dash(h.Host.Username))
			for _, l := range h.Logins {
				fmt.Fprintf(w, "\t%s\tlogged in by %s\tuntil %s\t%s\n", l.User, l.By, l.Until.Format(time.RFC3339), dash(strings.Join(l.Groups, ",")))
			}
			if h.Bound != "" {
				fmt.Fprintf(w, "\t%s\tbound\n", h.Bound)
			}
			return w.Flush()
		},
	}
}

// weighed writes what a clue speaks for, and how much.
func weighed(profile string, weight int) string {
	if profile == "" {
		return "-"
	}
	return fmt.Sprintf("%s %d", profile, weight)
}
