// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nftdict/dictd/api"
	"nftdict/dictd/quota"
	quotaplan "nftdict/dictd/quota/plan"
)

const quotaLong = `Budgets of users, devices, hosts and groups, by the plans of dictd.toml: how much
is used up, how much there was in earlier periods, and more of it for who needs it.

A subject is a kind and a name: user alice, device 02:00:00:00:77:02, host
192.168.1.20, group kids. --plan names the plan of a subject that has several.

The kernel charges, by rules on the fields quota_remaining and others of the
subject's row: dictctl get users alice. It does so while dictd is stopped, too.`

// quotaKinds are the words before names.
const quotaKinds = "user|device|host|group"

func (c *ctl) quotaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "quota list|show|set|top-up|reset|history|tc", Short: "budgets: see, change and look back", Long: quotaLong,
		Example: "  dictctl quota list\n  dictctl quota top-up user alice 500MB\n  dictctl quota history user alice --plan daily",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("list, show, set, top-up, reset, history or tc is missing")
			}
			return usagef("%q: want list, show, set, top-up, reset, history or tc", args[0])
		},
	}
	list := c.listing("quotas", "print all budgets", `Prints all budgets, one a line: subject, plan, a bar of what is used up, used and
size, when the next period begins, and what happens at the end.`, func(ctx context.Context, w *tabwriter.Writer) (any, error) {
		all, err := c.daemon().Quotas(ctx)
		if err == nil && len(all) == 0 && !c.json {
			fmt.Fprintln(c.Stderr, "There are no budgets: [[plan]] in dictd.toml makes them, see dictd.conf(5).")
		}
		c.budgets(w, all)
		return all, err
	})
	list.Use, list.Example = "list", "  dictctl quota list\n  dictctl -j quota list"
	cmd.AddCommand(list, c.quotaShow(), c.quotaSet(), c.quotaTopUp(), c.quotaReset(), c.quotaHistory(), c.quotaTC())
	return cmd
}

func (c *ctl) quotaShow() *cobra.Command {
	return &cobra.Command{
		Use: "show " + quotaKinds + " NAME", Short: "print the budgets of one",
		Long:    "Prints the budgets of a user, device, host or group, as list does.",
		Example: "  dictctl quota show user alice\n  dictctl -j quota show device 02:00:00:00:77:02",
		Args:    words(2, 2, "KIND", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.printListing(cmd.Context(), "quotas", func(ctx context.Context, w *tabwriter.Writer) (any, error) {
				all, err := c.daemon().QuotasOf(ctx, api.Subject{Kind: args[0], Name: args[1]})
				c.budgets(w, all)
				return all, err
			})
		},
	}
}

func (c *ctl) quotaSet() *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use: "set " + quotaKinds + " NAME SIZE|plan", Short: "give one another size than the plan's",
		Long: `Gives a budget a size of its own, from the period on that is going on: what is left
changes by the difference. The word plan gives it the size of its plan again.`,
		Example: "  dictctl quota set user alice 30GB\n  dictctl quota set user tim 3h --plan video\n  dictctl quota set user alice plan",
		Args:    words(3, 3, "KIND", "NAME", "SIZE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s := api.Subject{Kind: args[0], Name: args[1]}
			if args[2] == "plan" {
				b, err := c.daemon().UnsetQuota(cmd.Context(), s, of)
				return c.changedQuota(b, err)
			}
			a, err := quotaAmount(args[2], of)
			if err != nil {
				return err
			}
			b, err := c.daemon().SetQuota(cmd.Context(), s, a)
			return c.changedQuota(b, err)
		},
	}
	cmd.Flags().StringVar(&of, "plan", "", "the `plan`, where there are several")
	return cmd
}

func (c *ctl) quotaTopUp() *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use: "top-up " + quotaKinds + " NAME AMOUNT", Short: "give one more for this period",
		Long: `Adds to what is left of a budget, for the period that is going on. Rules know at
once: whose packets were dropped goes on, whose were rejected may connect again.`,
		Example: "  dictctl quota top-up user alice 500MB\n  dictctl quota top-up user tim 30m --plan video",
		Args:    words(3, 3, "KIND", "NAME", "AMOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := quotaAmount(args[2], of)
			if err != nil {
				return err
			}
			b, err := c.daemon().TopUpQuota(cmd.Context(), api.Subject{Kind: args[0], Name: args[1]}, a)
			return c.changedQuota(b, err)
		},
	}
	cmd.Flags().StringVar(&of, "plan", "", "the `plan`, where there are several")
	return cmd
}

func (c *ctl) quotaReset() *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use: "reset " + quotaKinds + " NAME", Short: "begin one's period anew",
		Long:    "Begins the period of a budget anew: all of its size is there. It ends when it would have ended.",
		Example: "  dictctl quota reset user alice\n  dictctl quota reset group sales --plan office",
		Args:    words(2, 2, "KIND", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := c.daemon().ResetQuota(cmd.Context(), api.Subject{Kind: args[0], Name: args[1]}, of)
			return c.changedQuota(b, err)
		},
	}
	cmd.Flags().StringVar(&of, "plan", "", "the `plan`, where there are several")
	return cmd
}

// quotaAmount reads an amount of a command line.
func quotaAmount(text, of string) (api.QuotaAmount, error) {
	n, unit, err := quotaplan.ParseAmount(text)
	if err != nil {
		return api.QuotaAmount{}, usagef("%v", err)
	}
	return api.QuotaAmount{Plan: of, Amount: n, Unit: unit.String()}, nil
}

// changedQuota prints a budget that was changed.
func (c *ctl) changedQuota(b quota.Budget, err error) error {
	if err != nil {
		return c.daemonError(err)
	}
	if c.json {
		return c.printJSON(b)
	}
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	c.budgets(w, []quota.Budget{b})
	return w.Flush()
}

// budgets writes a line for each budget.
func (c *ctl) budgets(w *tabwriter.Writer, all []quota.Budget) {
	for _, b := range all {
		end := "-"
		if b.End != nil {
			end = "until " + b.End.Local().Format("2006-01-02 15:04")
		}
		state := ""
		if b.Exceeded != nil {
			state = b.Then
		}
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s of %s\t%s\t%s\n", b.Kind, b.Name, b.Plan, c.bar(b.Used, b.Size),
			amountText(b.Used, b.Unit), amountText(b.Size, b.Unit), end, state)
	}
}

// quotaBarWidth is how many characters are all of a size.
const quotaBarWidth = 20

// bar draws how much of a size is used up.
func (c *ctl) bar(used, size int64) string {
	share := 1.0
	if size > 0 {
		share = min(max(float64(used)/float64(size), 0), 1)
	}
	full := int(share * quotaBarWidth)
	with := green
	switch {
	case share >= 1:
		with = red
	case share >= 0.8:
		with = yellow
	}
	return "[" + c.paint(with, strings.Repeat("#", full)) + strings.Repeat(".", quotaBarWidth-full) + fmt.Sprintf("] %3d%%", int(share*100))
}

// amountText writes an amount for people.
func amountText(n int64, unit string) string {
	if unit == quotaplan.Seconds.String() {
		return quotaplan.FormatAmount(n, quotaplan.Seconds)
	}
	return quotaplan.FormatAmount(n, quotaplan.Bytes)
}

func (c *ctl) quotaHistory() *cobra.Command {
	var of string
	cmd := &cobra.Command{
		Use: "history " + quotaKinds + " NAME", Short: "print the periods of one that are over",
		Long: `Prints the periods of a budget that are over, the oldest first: when it began, a bar
of what was used up of its size, and when nothing was left, if so.`,
		Example: "  dictctl quota history user alice\n  dictctl -j quota history user tim --plan video",
		Args:    words(2, 2, "KIND", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.printListing(cmd.Context(), "periods", func(ctx context.Context, w *tabwriter.Writer) (any, error) {
				all, err := c.daemon().QuotaHistory(ctx, api.Subject{Kind: args[0], Name: args[1]}, of)
				for _, p := range all {
					over := ""
					if p.Exceeded != nil {
						over = "nothing left from " + p.Exceeded.Local().Format(time.DateTime)
					}
					fmt.Fprintf(w, "%s\t%s\t%s of %s\t%s\n", p.Start.Local().Format("2006-01-02 15:04"), c.bar(p.Used, p.Size),
						amountText(p.Used, p.Unit), amountText(p.Size, p.Unit), over)
				}
				return all, err
			})
		},
	}
	cmd.Flags().StringVar(&of, "plan", "", "the `plan`, where there are several")
	return cmd
}
