// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dictd/api"
)

const flowsLong = `Prints the connections that conntrack has, one a line, the largest first: conntrack
id, transport, client, server, application, user, which way the packets take, bytes
to the client and from him, and age.

  slow      by all rules
  software  past them by a flowtable, in the kernel
  hardware  past them by the devices themselves

dictctl recall takes connections back to the slow path; dictctl events --kind 'flow-*'
follows those that come and are recalled; dictctl status tells how the flowtable is.`

const flowsExample = `  dictctl flows --state offloaded
  dictctl flows --user bob --sort age --limit 20
  dictctl -j flows --application NETFLIX`

func (c *ctl) flowsCommand() *cobra.Command {
	var f api.FlowFilter
	cmd := &cobra.Command{
		Use:     "flows [--application NAME] [--user NAME] [--host ADDRESS] [--state STATE]",
		Short:   "print which way the packets of connections take",
		Long:    flowsLong,
		Example: flowsExample,
		Args:    words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.Limit < 0 {
				return usagef("limit %d: want a number of connections above 0", f.Limit)
			}
			return c.flows(cmd.Context(), f)
		},
	}
	states := append(api.FlowStates(), "offloaded")
	flags := cmd.Flags()
	flags.StringVar(&f.Application, "application", "", "only those of the application of this `name`")
	flags.StringVar(&f.Category, "category", "", "only those of the category of this `name`")
	flags.StringVar(&f.User, "user", "", "only those of the user of this `name`")
	flags.StringVar(&f.Host, "host", "", "only those with this `address` at one end")
	flags.StringVar(&f.State, "state", "", "only those in this `state`: "+strings.Join(states, ", "))
	flags.StringVar(&f.Sort, "sort", "bytes", "by what they are sorted, a `word`: "+strings.Join(api.FlowSorts(), ", "))
	flags.IntVar(&f.Limit, "limit", 0, "at most `n` connections")
	cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(api.FlowSorts(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *ctl) flows(ctx context.Context, f api.FlowFilter) error {
	all, err := c.daemon().Flows(ctx, f)
	if err != nil {
		return c.daemonError(err)
	}
	if c.json {
		if all == nil {
			all = []api.Flow{}
		}
		return c.printJSON(map[string]any{"flows": all})
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	for i := range all {
		printFlow(w, &all[i])
	}
	return w.Flush()
}

// printFlow writes a connection in one line of tab-separated columns.
func printFlow(w io.Writer, f *api.Flow) {
	fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\tin %s\tout %s\t%s\n", f.CtID, transportName(uint8(f.IPProtocol)),
		endpoint(f.Client, f.ClientPort), endpoint(f.Server, f.ServerPort), dash(f.Application), dash(f.Username), f.State,
		byteText(f.In.Bytes), byteText(f.Out.Bytes), time.Duration(f.Age*float64(time.Second)).Truncate(time.Second))
}
