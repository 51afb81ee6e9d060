// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dictd/api"
	"nftdict/dictd/identity/radius"
)

const statusLong = `Prints what the daemon is and does, and how full the tables are. The tables are
asked of the kernel, so their figures come with the daemon stopped as well; the
exit status then is 1.

"refused" counts rows for which a table had no place. A figure in a warning is
something to look after.`

const statusExample = `  dictctl status
  dictctl -j status`

func (c *ctl) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "print what the daemon does, and how full tables are",
		Long:    statusLong,
		Example: statusExample,
		Args:    words(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.status(cmd.Context()) },
	}
}

// tableStatus is a table's figures as -j prints them.
type tableStatus struct {
	Name    string `json:"name"`
	Rows    int    `json:"rows"`
	Limit   int    `json:"limit"`
	Refused uint64 `json:"refused"`
}

// status prints both halves, as far as they are to be had.
func (c *ctl) status(ctx context.Context) error {
	daemon, err := c.daemon().Status(ctx)
	if err != nil {
		daemon, err = nil, c.daemonError(err)
	}
	tables, tablesErr := c.tableStatus()
	failed := errors.Join(err, tablesErr)
	if c.json {
		return errors.Join(failed, c.printJSON(map[string]any{"daemon": daemon, "tables": tables}))
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	if daemon != nil {
		printDaemon(w, daemon)
	}
	if len(tables) > 0 {
		fmt.Fprintln(w, "table\trows\tlimit\trefused")
	}
	for _, t := range tables {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", t.Name, t.Rows, t.Limit, t.Refused)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if daemon != nil {
		for _, text := range daemon.Warnings {
			fmt.Fprintf(c.Stdout, "%s %s\n", c.paint(yellow, "warning:"), printable(text))
		}
	}
	return failed
}

// tableStatus asks the kernel for the figures of all tables.
func (c *ctl) tableStatus() ([]tableStatus, error) {
	tables, s, err := c.tables("status", nil)
	if err != nil {
		return nil, err
	}
	out := make([]tableStatus, 0, len(tables))
	for _, t := range tables {
		stats, err := s.Stats(t.Name)
		if err != nil {
			return out, err
		}
		out = append(out, tableStatus{t.Name, stats.Rows, stats.Limit, stats.Refused})
	}
	return out, nil
}

// printDaemon writes a line for each part of the daemon, and an empty one.
func printDaemon(w io.Writer, s *api.Status) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	up := time.Duration(s.Uptime * float64(time.Second)).Round(time.Second)
	line("dictd", "%s, process %d, up %v", s.Version, s.PID, up)
	line("backend", "%s", s.Backend)
	line("without it", "packets %s", map[string]string{"open": "pass", "closed": "are dropped"}[s.Fail])
	line("kernel", "session ids by %s, queue by %s", s.Kernel.CtID, s.Kernel.Queue)
	line("rules", "table %s, reinstalled %d times", s.Rules.Table, s.Rules.Reinstalled)
	for _, q := range s.Queues {
		line(fmt.Sprintf("queue %d", q.Num), "%d packets, %d waiting, %d dropped, %d verdicts failed", q.Packets, q.Waiting, q.KernelDropped+q.UserDropped, q.VerdictErrors)
	}
	n := &s.Sessions
	line("sessions", "%d of %d, %d made, %d without a place, %d ids of two connections", n.Sessions, n.Limit, n.Created, n.Full, n.Collisions)
	line("conntrack", "%d events, %d overruns, %d resyncs", s.Conntrack.Events, s.Conntrack.Overruns, s.Conntrack.Reconciled)
	line("writes", "%d rows with %d values, %d deleted, %d refused by a full table, %d failed", s.Writes.Puts, s.Writes.Cells, s.Writes.Deletes, s.Writes.Full, s.Writes.Failed)
	for _, r := range s.Registers {
		name := r.File
		if r.Kind != "" {
			name += ", " + r.Kind
		}
		line(r.For, "%s of %s, %d entries", name, r.Date.UTC().Format(time.DateOnly), r.Entries)
	}
	line("hints", "%d names of answers remembered", s.Hints)
	if l := s.Ledger; l != nil {
		line("ledger", "%d connections, %s from those that opened them, %s to them, %d ended, %d of these estimated; a look every %.1f s costs %.1f %% of a processor",
			l.Connections, byteText(l.Original.Bytes), byteText(l.Reply.Bytes), l.Ended, l.Estimated, l.Period, 100*l.Cost)
	}
	if o := &s.Offload; o.Enabled {
		line("offload", "%s, flowtable %s of %d devices, all asked about again %d times, reinstalled %d times", o.State, o.Table, len(o.Devices), o.Renewed, o.Reinstalled)
	}
	i := &s.Identity
	line("identity", "%d of %d addresses, %d devices, %d users, %d addresses moved, %d without a place, %d leases", i.Hosts, i.Limit, i.Devices, i.Users, i.Moves, i.Refused, i.Leases.Leases)
	line("names", "%d announcements heard, %d too many; DNS: %d asked, %d found, %d not asked", i.Overheard.Heard, i.Overheard.Hurried, i.Reverse.Asked, i.Reverse.Found, i.Reverse.Missed)
	if r := &i.RADIUS; *r != (radius.Stats{}) {
		line("radius", "%d messages taken, %d of no use, %d strangers', %d forged, %d failed", r.Taken, r.Useless, r.Strangers, r.Forged, r.Failed)
	}
	fmt.Fprintln(w)
}
