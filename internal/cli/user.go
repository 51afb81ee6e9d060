// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

const userLong = `Says whose a device is. The daemon keeps users and their devices over restarts,
and writes what follows: rows of users, the field username in rows of hosts and
devices, username and usergroups in rows of sessions, of living ones at once.

Rules ask for it: dict sessions ct id username "bob", dict sessions ct id
usergroups "*sales*", dict hosts ip saddr username exists.`

func (c *ctl) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "user bind|unbind|groups|delete|list", Short: "say whose a device is", Long: userLong,
		Example: "  dictctl user bind bob 192.168.1.20\n  dictctl user groups bob staff sales\n  dictctl user list",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("bind, unbind, groups, delete or list is missing")
			}
			return usagef("%s: want bind, unbind, groups, delete or list", dict.Quote(args[0]))
		},
	}
	list := c.listing("users", "print the users and their devices", usersLong, c.users)
	list.Use, list.Example = "list", "  dictctl user list\n  dictctl -j user list"
	cmd.AddCommand(c.userBind(), c.userUnbind(), c.userGroups(), c.userDelete(), list)
	return cmd
}

func (c *ctl) userBind() *cobra.Command {
	return &cobra.Command{
		Use: "bind NAME DEVICE...", Short: "give devices to a user",
		Long: `Gives devices to a user, who is made if he is not there. A device is named by its
MAC, or by an address that it has now; what is kept is the MAC. A device that has
another user changes hands.`,
		Example: "  dictctl user bind bob 02:00:00:00:77:02\n  dictctl user bind bob 192.168.1.20 fd00::20",
		Args:    words(2, -1, "NAME", "DEVICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, device := range args[1:] {
				b, err := c.daemon().Bind(cmd.Context(), device, args[0])
				if err != nil {
					return c.daemonError(err)
				}
				if err := c.told(b, "%s %s\n", b.MAC, args[0]); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *ctl) userUnbind() *cobra.Command {
	return &cobra.Command{
		Use: "unbind DEVICE...", Short: "take devices from their users",
		Long:    "Takes devices, named by MAC or address, from whoever they belong to.",
		Example: "  dictctl user unbind 02:00:00:00:77:02\n  dictctl user unbind 192.168.1.20",
		Args:    words(1, -1, "DEVICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, device := range args {
				b, err := c.daemon().Unbind(cmd.Context(), device)
				if err != nil {
					return c.daemonError(err)
				}
				if err := c.told(b, "%s\n", b.MAC); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *ctl) userGroups() *cobra.Command {
	return &cobra.Command{
		Use: "groups NAME [GROUP]...", Short: "make a user, or say which groups he is in",
		Long:    "Makes a user, or gives him these groups instead of those he has; none takes all.",
		Example: "  dictctl user groups bob staff sales\n  dictctl user groups bob",
		Args:    words(1, -1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.daemon().SetUser(cmd.Context(), args[0], args[1:]); err != nil {
				return c.daemonError(err)
			}
			groups := append([]string{}, args[1:]...)
			return c.told(map[string]any{"username": args[0], "usergroups": groups}, "%s %s\n", args[0], dash(strings.Join(groups, ",")))
		},
	}
}

func (c *ctl) userDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "forget a user",
		Long:    "Forgets a user and whose devices were his. His row goes, unless somebody else has written into it.",
		Example: "  dictctl user delete bob",
		Args:    words(1, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.daemon().DeleteUser(cmd.Context(), args[0]); err != nil {
				return c.daemonError(err)
			}
			return c.told(map[string]any{"username": args[0]}, "%s\n", args[0])
		},
	}
}

// told prints an answer: as JSON, or in words.
func (c *ctl) told(v any, format string, args ...any) error {
	if c.json {
		return c.printJSON(v)
	}
	_, err := fmt.Fprintf(c.Stdout, format, args...)
	return err
}
