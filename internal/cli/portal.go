// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
)

const portalLong = `The captive portal of the daemon: who has logged in, the accounts that it keeps
itself, and vouchers. [portal] of dictd.toml switches it on: see dictd.conf(5).

Rules ask for it: dict hosts ip saddr captive_portal_authenticated true. Users are
guest-MAC for a click, voucher-NUMBER for a voucher, and otherwise whoever logged in.`

// branch returns a command that has others, which it names where none is given.
func branch(use, short, long, example string, cmds ...*cobra.Command) *cobra.Command {
	_, names, _ := strings.Cut(use, " ")
	one := strings.Split(names, "|")
	list := strings.Join(one[:len(one)-1], ", ") + " or " + one[len(one)-1]
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s is missing", list)
			}
			return usagef("%s: want %s", dict.Quote(args[0]), list)
		},
	}
	cmd.AddCommand(cmds...)
	return cmd
}

func (c *ctl) portalCommand() *cobra.Command {
	sessions := c.listing("sessions", "print who is in", `Prints the sessions of the portal, one a line: id, way, user, device, since when,
until when, and what moved from the device and to it. What is left of a volume comes last.`, c.portalSessions)
	sessions.Example = "  dictctl portal sessions\n  dictctl -j portal sessions"
	return branch("portal status|sessions|kick|account|voucher", "the captive portal: who is in, accounts and vouchers", portalLong,
		"  dictctl portal sessions\n  dictctl portal kick 192.168.1.20\n  dictctl portal voucher create may --count 50 --time 24h",
		c.portalStatus(), sessions, c.portalKick(), c.portalAccount(), c.portalVoucher())
}

func (c *ctl) portalStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "print how the portal is", Args: words(0, 0),
		Long:    "Prints by which ways devices come in, how many are in, and what was refused since the daemon began.",
		Example: "  dictctl portal status\n  dictctl -j portal status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := c.daemon().Portal(cmd.Context())
			switch {
			case err != nil:
				return c.daemonError(err)
			case c.json:
				return c.printJSON(p)
			case !p.Enabled:
				_, err = fmt.Fprintln(c.Stdout, "off: [portal] in dictd.toml switches it on")
				return err
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintf(w, "ways\t%s\nsessions\t%d of at most %d\n", dash(strings.Join(p.Ways, " ")), p.Sessions, p.Limit)
			fmt.Fprintf(w, "logins\t%d, %d ended, %d went to a new MAC\n", p.Logins, p.Ended, p.Rebound)
			fmt.Fprintf(w, "refused\t%d, and %d too fast\nfailed\t%d\n", p.Refused, p.TooFast, p.Failed)
			for _, text := range p.Warnings {
				fmt.Fprintf(w, "warning\t%s\n", text)
			}
			return w.Flush()
		},
	}
}

func (c *ctl) portalSessions(ctx context.Context, w *tabwriter.Writer) (any, error) {
	all, err := c.daemon().PortalSessions(ctx)
	slices.SortStableFunc(all, func(a, b api.PortalSession) int { return a.Since.Compare(b.Since) })
	for _, s := range all {
		left := "-"
		if s.Left != nil {
			left = amountText(*s.Left, "bytes") + " left"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Way, s.User, s.MAC, dash(s.Address), clockText(&s.Since), clockText(s.Until),
			amountText(int64(s.Moved.BytesIn), "bytes"), amountText(int64(s.Moved.BytesOut), "bytes"), left)
	}
	return all, err
}

// clockText writes a time for people, in their zone.
func clockText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func (c *ctl) portalKick() *cobra.Command {
	return &cobra.Command{
		Use: "kick WHO...", Short: "end sessions", Args: words(1, -1, "WHO"),
		Long: `Ends the sessions of whoever is named: by the id of a session, a user, the MAC of a
device, or an address that it has. Connections end with their next packet.`,
		Example: "  dictctl portal kick guest-020000007702\n  dictctl portal kick 192.168.1.20 voucher-17",
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := c.daemon().PortalSessions(cmd.Context())
			if err != nil {
				return c.daemonError(err)
			}
			kicked := make(map[string]struct{})
			for _, who := range args {
				found, mac := false, c.macOf(cmd.Context(), who)
				for _, s := range all {
					if who != s.ID && who != s.User && !strings.EqualFold(who, s.MAC) && who != s.Address && (mac == "" || mac != s.MAC) {
						continue
					}
					found = true
					if _, done := kicked[s.ID]; done {
						continue
					}
					kicked[s.ID] = struct{}{}
					if err := c.daemon().KickPortal(cmd.Context(), s.ID); err != nil {
						return c.daemonError(err)
					}
					if err := c.told(s, "%s %s %s\n", s.ID, s.User, s.MAC); err != nil {
						return err
					}
				}
				if !found {
					return fmt.Errorf("session of %s: %w", dict.Quote(who), dict.ErrNotExist)
				}
			}
			return nil
		},
	}
}

// macOf returns the device that has an address, "" if none is known.
func (c *ctl) macOf(ctx context.Context, text string) string {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	h, err := c.daemon().HostWhy(ctx, addr)
	if err != nil {
		return ""
	}
	return h.Host.MAC
}
