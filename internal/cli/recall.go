// SPDX-License-Identifier: MIT

package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/offload"
)

const recallLong = `Takes connections out of the flowtables: their next packets pass by all rules. What
the rules let pass may go into the flowtable again with the same packet; what is to
stay on the slow path has no_offload in a row, or stands in offload.keep of dictd.toml.

  ct ID          one connection, by conntrack id
  host ADDRESS   those with this address at one end
  user NAME      those of a user; device MAC, group NAME likewise
  app NAME       those of an application; category NAME likewise
  all            all of every flowtable

The daemon does this by itself when a budget nears its end, a user logs in or out, an
application is corrected or another row that rules read says something else. When rules
of others, their sets or routes change it has all connections pass by the rules once
more. With the module connections keep their ids; without it they get new ones, under
which their rows go on.`

const recallExample = `  dictctl recall ct 2847361
  dictctl recall host 192.168.1.20
  dictctl recall user bob
  dictctl recall app NETFLIX`

// recallWords are the kinds as they are written here.
var recallWords = []string{"ct", "host", "user", "device", "group", "app", "category", "all"}

func (c *ctl) recallCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "recall ct ID|host ADDRESS|user NAME|device MAC|group NAME|app NAME|category NAME|all",
		Short:   "take connections back to the slow path",
		Long:    recallLong,
		Example: recallExample,
		Args:    words(1, 2, "KIND", "NAME"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nothing()
			}
			return recallWords, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, name := args[0], strings.Join(args[1:], "")
			switch {
			case kind == "app":
				kind = offload.OfApplication.String()
			case !slices.Contains(recallWords, kind) && kind != offload.OfApplication.String():
				return usagef("%s: want one of %s", dict.Quote(kind), strings.Join(recallWords, ", "))
			}
			whom, err := offload.ParseWhom(kind, name)
			if err != nil {
				return usagef("%v", err)
			}
			n, err := c.daemon().Recall(cmd.Context(), whom)
			if err != nil {
				return c.daemonError(err)
			}
			return c.told(map[string]any{"recalled": n}, "%d recalled\n", n)
		},
	}
}
