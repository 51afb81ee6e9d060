// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
)

const whyLong = `Prints what the daemon knows of one connection, and step by step what led to the
application it is called by. CTID is the conntrack id, as dictctl sessions,
dictctl list sessions and conntrack -L -o id show it.`

const whyExample = `  dictctl why 286331153
  dictctl -j why 286331153`

func (c *ctl) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "why CTID",
		Short:   "tell what led to a connection's application",
		Long:    whyLong,
		Example: whyExample,
		Args:    words(1, 1, "CTID"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nothing()
			}
			return c.keys(dict.Sessions)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := dict.ParseKey(dict.KeyCtID, args[0])
			if err != nil {
				return &usageError{err}
			}
			return c.why(cmd.Context(), k.Uint32())
		},
	}
}

func (c *ctl) why(ctx context.Context, ctid uint32) error {
	s, err := c.daemon().Why(ctx, ctid)
	if err != nil {
		return c.daemonError(err)
	}
	if c.json {
		return c.printJSON(s)
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	printSession(w, &s.Session)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "  %s, %d packets seen, %s\n", dash(s.Chain), s.Packets, progress(&s.Session))
	if s.ClientCountry != "" || s.ServerCountry != "" {
		fmt.Fprintf(c.Stdout, "  from %s to %s\n", dash(s.ClientCountry), dash(s.ServerCountry))
	}
	c.printEvidence(c.Stdout, s.Evidence)
	return nil
}

// progress says how far a session's inspection is.
func progress(s *api.Session) string {
	switch {
	case s.Finished:
		return "inspection finished"
	case s.Confirmed && s.Final:
		return "application settled, inspection goes on"
	case s.Confirmed:
		return "inspection goes on"
	}
	return "not confirmed by the kernel yet"
}
