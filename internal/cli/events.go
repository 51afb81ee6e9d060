// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"nftdict/dictd/api"
)

const eventsLong = `Prints what happens, one event a line, until it is interrupted: time, kind, what it
is about, and the rest as JSON. Kinds are

  daemon-start, config-reloaded, config-refused
  user-new, user-changed, user-gone, user-bound, user-unbound
  quota-warning, quota-exceeded, quota-reset, quota-topup
  portal-login, portal-logout
  host-new, host-changed, host-gone
  device-new, device-changed, device-gone
  session-final, session-end
  flow-offload, flow-recall

All but those of sessions and flows are printed unless --kind chooses others.

The daemon keeps some thousand events: --after goes on after one that was read, by
the id that -j prints, or with 0 prints all that are kept. An event "gap" says that
some are not kept any more, "reset" that the daemon was started since.

With -j each event is one line. The rows of tables are watched by dictctl monitor.`

const eventsExample = `  dictctl events
  dictctl events --kind 'quota-*,user-bound'
  dictctl -j events --kind session-final
  dictctl -j events --after 5f0c2b7a91d3e846-118`

func (c *ctl) eventsCommand() *cobra.Command {
	var f api.EventFilter
	cmd := &cobra.Command{
		Use:     "events [--kind KIND,...] [--after ID]",
		Short:   "print what happens: hosts, devices, users, quotas, sessions",
		Long:    eventsLong,
		Example: eventsExample,
		Args:    words(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.events(cmd.Context(), f) },
	}
	cmd.Flags().StringSliceVar(&f.Kinds, "kind", nil, "only these `kinds`, with * at the end for all that begin so")
	cmd.Flags().StringVar(&f.After, "after", "", "go on after the event of this `id`, 0 for all that are kept")
	return cmd
}

func (c *ctl) events(ctx context.Context, f api.EventFilter) error {
	for e, err := range c.daemon().Events(ctx, f) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil // interrupted, as it ends
		case err != nil:
			return c.daemonError(err)
		}
		line, err := c.eventLine(&e)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(c.Stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// eventLine writes an event as JSON, or for a person.
func (c *ctl) eventLine(e *api.Event) (string, error) {
	if c.json {
		b, err := json.Marshal(e)
		return string(b), err
	}
	line := fmt.Sprintf("%s  %-15s", e.Time.Local().Format(time.DateTime), printable(e.Kind))
	if e.Subject != "" {
		line += "  " + printable(e.Subject)
	}
	if len(e.Data) > 0 {
		line += "  " + printable(string(e.Data))
	}
	return strings.TrimRight(line, " "), nil
}

// printable returns a text as a terminal may have it: what cannot be printed, of names
// that others chose, is escaped.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
