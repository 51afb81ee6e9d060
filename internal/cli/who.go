// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

const hostsLong = `Prints the addresses that the daemon knows, one a line: address, MAC, interface,
host name, what kind of device it is, user, who made it, and when it was last heard of.

The rows of the table hosts are what rules see: dictctl list hosts.`

const devicesLong = `Prints the devices that the daemon knows, one a line: MAC, interface, host name,
kind, user, who made it, when it was last heard of, and all its addresses. A device that
has a user is there while it is away, too.

The rows of the table devices are what rules see: dictctl list devices.`

const usersLong = `Prints the users, one a line: name, groups, and the MACs of the devices that are
bound to them. dictctl user makes and changes them.

The rows of the table users are what rules see: dictctl list users.`

func (c *ctl) hostsCommand() *cobra.Command {
	cmd := c.listing("hosts", "print the addresses that the daemon knows", hostsLong, func(ctx context.Context, w *tabwriter.Writer) (any, error) {
		hosts, err := c.daemon().Hosts(ctx)
		for _, h := range hosts {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.Address, h.MAC, dash(h.Interface), dash(h.Hostname), dash(h.Profile), dash(h.Username), dash(h.Vendor), ago(h.Seen))
		}
		return hosts, err
	})
	cmd.AddCommand(c.hostWhy())
	return cmd
}

func (c *ctl) devicesCommand() *cobra.Command {
	return c.listing("devices", "print the devices that the daemon knows", devicesLong, func(ctx context.Context, w *tabwriter.Writer) (any, error) {
		devices, err := c.daemon().Devices(ctx)
		for _, d := range devices {
			seen := "-"
			if d.Seen != nil {
				seen = ago(*d.Seen)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.MAC, dash(d.Interface), dash(d.Hostname), dash(d.Profile), dash(d.Username), dash(d.Vendor), seen, joined(d.Addresses, netip.Addr.String))
		}
		return devices, err
	})
}

func (c *ctl) usersCommand() *cobra.Command {
	return c.listing("users", "print the users and their devices", usersLong, c.users)
}

func (c *ctl) users(ctx context.Context, w *tabwriter.Writer) (any, error) {
	users, err := c.daemon().Users(ctx)
	for _, u := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\n", u.Name, dash(strings.Join(u.Groups, ",")), dash(strings.Join(u.Devices, " ")))
	}
	return users, err
}

// listing is a command that prints all of a kind: lines, or {"kind":[...]}.
func (c *ctl) listing(kind, short, long string, list func(context.Context, *tabwriter.Writer) (any, error)) *cobra.Command {
	return &cobra.Command{
		Use: kind, Short: short, Long: long, Args: words(0, 0),
		Example: "  dictctl " + kind + "\n  dictctl -j " + kind,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.printListing(cmd.Context(), kind, list) },
	}
}

func (c *ctl) printListing(ctx context.Context, kind string, list func(context.Context, *tabwriter.Writer) (any, error)) error {
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	all, err := list(ctx, w)
	if err != nil {
		return c.daemonError(err)
	}
	if c.json {
		return c.printJSON(map[string]any{kind: all})
	}
	return w.Flush()
}

// ago writes how long it is since a time, to the second.
func ago(t time.Time) string {
	return time.Since(t).Truncate(time.Second).String()
}

// joined writes things with spaces between.
func joined[T any](all []T, text func(T) string) string {
	parts := make([]string, len(all))
	for i, one := range all {
		parts[i] = text(one)
	}
	return dash(strings.Join(parts, " "))
}
