// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/dictd/api"
)

const usageLong = `Prints what passed through this gateway, for each day or hour: what came in and what
went out, how many connections began, and a bar of the sum. The most comes first.
Bytes are those of whole IP packets, as conntrack counted them; what the gateway
itself sends and receives is left out. A line without a name is of who or what is
not known.

Without --since it is the period under way. With --plot there is a line for each
period rather than for each name: of what --user, --device, --host and --application
choose, or of all.`

const usageExample = `  dictctl usage
  dictctl usage --by user --since 7d
  dictctl usage --by application --user bob --limit 10
  dictctl usage --plot --period hour --since 24h --device 02:00:00:00:77:02
  dictctl -j usage --by device --since 2026-11-01T00:00:00Z`

func (c *ctl) usageCommand() *cobra.Command {
	var q api.UsageQuery
	var since, till string
	var plot bool
	cmd := &cobra.Command{
		Use:     "usage [--by WHAT] [--period PERIOD] [--since TIME]",
		Short:   "print who has used how much, and of what",
		Long:    usageLong,
		Example: usageExample,
		Args:    words(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if q.Since, err = parseSince(since); err == nil {
				q.Till, err = parseSince(till)
			}
			switch {
			case err != nil:
				return err
			case q.Limit < 0:
				return usagef("limit %d: want a number above 0", q.Limit)
			}
			return c.usage(cmd.Context(), q, plot)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&q.By, "by", "host", "sum up by `what`: host, device, user or application")
	f.StringVar(&q.Period, "period", "day", "over a `period`: hour, day, or recent, of looks at the connections")
	f.StringVar(&since, "since", "", "periods that began since a `time`: 2026-01-31T00:00:00Z, or 12h, or 7d ago")
	f.StringVar(&till, "till", "", "periods that began before a `time`")
	f.StringVar(&q.Host, "host", "", "only of this `address`")
	f.StringVar(&q.Device, "device", "", "only of the device of this `mac`")
	f.StringVar(&q.User, "user", "", "only of the user of this `name`")
	f.StringVar(&q.Application, "application", "", "only of the application of this `name`")
	f.IntVar(&q.Limit, "limit", 0, "at most `n` lines of a period")
	f.BoolVar(&plot, "plot", false, "a line for each period")
	for flag, words := range map[string][]string{"by": {"host", "device", "user", "application"}, "period": {"hour", "day", "recent"}} {
		cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

// parseSince reads a time, or how long ago it was.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	days, isDays := strings.CutSuffix(text, "d")
	if n, err := strconv.ParseUint(days, 10, 16); isDays && err == nil {
		return time.Now().AddDate(0, 0, -int(n)), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return time.Now().Add(-d), nil
	}
	return time.Time{}, usagef("time %s: want 2026-01-31T00:00:00Z, or how long ago: 12h, 7d", dict.Quote(text))
}

func (c *ctl) usage(ctx context.Context, q api.UsageQuery, plot bool) error {
	all, err := c.daemon().Usage(ctx, q)
	switch {
	case err != nil:
		return c.daemonError(err)
	case c.json:
		return c.printJSON(map[string]any{"usage": all})
	case plot:
		return plotUsage(c.Stdout, all)
	}
	for i := range all {
		if i > 0 {
			fmt.Fprintln(c.Stdout)
		}
		if err := printUsage(c.Stdout, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// printUsage writes a period: what it is, and a line for each name.
func printUsage(out io.Writer, u *api.Usage) error {
	fmt.Fprintln(out, periodText(u))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	most := uint64(0)
	for _, one := range u.Uses {
		most = max(most, one.In.Bytes+one.Out.Bytes)
	}
	for i := range u.Uses {
		one := &u.Uses[i]
		name := dash(one.Name)
		if one.Hostname != "" {
			name += " " + one.Hostname
		}
		useLine(w, "  "+name, one, most)
	}
	useLine(w, "  total", &u.Total, 0)
	return w.Flush()
}

// plotUsage writes a line for each period.
func plotUsage(out io.Writer, all []api.Usage) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	most := uint64(0)
	for i := range all {
		most = max(most, all[i].Total.In.Bytes+all[i].Total.Out.Bytes)
	}
	for i := range all {
		useLine(w, periodText(&all[i]), &all[i].Total, most)
	}
	return w.Flush()
}

func useLine(w io.Writer, name string, u *api.UsageOf, most uint64) {
	fmt.Fprintf(w, "%s\tin %s\tout %s\t%d connections\t%s\n", name, byteText(u.In.Bytes), byteText(u.Out.Bytes), u.Connections, bar(u.In.Bytes+u.Out.Bytes, most))
}

// periodText names a period by the clock here.
func periodText(u *api.Usage) string {
	switch u.Period {
	case "hour":
		return u.Start.Local().Format("2006-01-02 15:04")
	case "recent":
		return u.Start.Local().Format("15:04:05")
	}
	return u.Start.Local().Format("2006-01-02 Mon")
}

// barWidth is how long the longest bar is.
const barWidth = 40

// bar draws n as a part of most; of what is not nothing there is something to see.
func bar(n, most uint64) string {
	if n == 0 || most == 0 {
		return ""
	}
	return strings.Repeat("#", max(1, int(float64(n)/float64(most)*barWidth+0.5)))
}

// byteText writes bytes as people read them: "999 B", "1.5 MB".
func byteText(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), -1
	for v >= 999.95 && unit < len("kMGTPE")-1 {
		v /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", v, "kMGTPE"[unit])
}
