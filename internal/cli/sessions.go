// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nftdict/dictd/api"
)

const sessionsLong = `Prints the connections that the daemon knows, one a line: conntrack id,
transport, client, server, application (with ? if guessed from a name that the
client asked for), category, confidence, and the name that told.

The rows of the table sessions are what rules see: dictctl list sessions.`

const sessionsExample = `  dictctl sessions
  dictctl sessions --application NETFLIX
  dictctl -j sessions --limit 100`

func (c *ctl) sessionsCommand() *cobra.Command {
	var f api.Filter
	cmd := &cobra.Command{
		Use:     "sessions [--application NAME] [--limit N]",
		Short:   "print the connections that the daemon knows",
		Long:    sessionsLong,
		Example: sessionsExample,
		Args:    words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.Limit < 0 {
				return usagef("limit %d: want a number of sessions above 0", f.Limit)
			}
			if c.json {
				return c.sessionsJSON(cmd.Context(), f)
			}
			return c.sessions(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.Application, "application", "", "only those of the application of this `name`")
	cmd.Flags().IntVar(&f.Limit, "limit", 0, "at most `n` sessions")
	return cmd
}

// sessionsAligned is how many lines are held back to align their columns.
const sessionsAligned = 1000

func (c *ctl) sessions(ctx context.Context, f api.Filter) error {
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	lines := 0
	for s, err := range c.daemon().Sessions(ctx, f) {
		if err != nil {
			w.Flush()
			return c.daemonError(err)
		}
		printSession(w, &s)
		if lines++; lines%sessionsAligned == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// sessionsJSON prints {"sessions":[...]}, a session a line, and nothing if there
// is no answer.
func (c *ctl) sessionsJSON(ctx context.Context, f api.Filter) error {
	sep := `{"sessions":[` + "\n"
	for s, err := range c.daemon().Sessions(ctx, f) {
		if err != nil {
			return c.daemonError(err)
		}
		b, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(c.Stdout, "%s%s", sep, b); err != nil {
			return err
		}
		sep = ",\n"
	}
	if sep != ",\n" { // there was none
		fmt.Fprint(c.Stdout, sep)
	}
	_, err := fmt.Fprint(c.Stdout, "\n]}\n")
	return err
}

// printSession writes a session in one line of tab-separated columns.
func printSession(w io.Writer, s *api.Session) {
	application, confidence := dash(s.Application), "-"
	if s.Inferred {
		application += "?"
	}
	if s.Confidence > 0 {
		confidence = fmt.Sprintf("%d%%", s.Confidence)
	}
	fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.CtID, transportName(uint8(s.IPProtocol)),
		endpoint(s.Client, s.ClientPort), endpoint(s.Server, s.ServerPort), application, dash(s.Category), confidence, dash(s.Detail))
}

// endpoint writes an address with its port, if there is one.
func endpoint(a netip.Addr, port int) string {
	if port == 0 {
		return a.String()
	}
	return netip.AddrPortFrom(a, uint16(port)).String()
}
