// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

const listLong = `Prints rows in the form that -f reads: those of a table, one row of it, or, with
no table named, all tables with all rows.

--where keeps the rows for which a condition holds, written as in a rule behind
the key: FIELD [TYPE] [OP] VALUE, with patterns, ranges, prefixes, sets, exists
and missing. A field's default answers as it does for rules. Given more than
once, all must hold.

Rows are sorted by key in tables of up to 65536 rows; larger ones come in the
order of the store.`

const listExample = `  dictctl list sessions
  dictctl list sessions --where 'application NETFLIX' --where 'server_port 443'
  dictctl list hosts 192.0.2.7
  dictctl list > saved.dict`

// maxSorted is the number of rows up to which a table is listed in order: what
// is sorted is held in memory.
const maxSorted = 65536

func (c *ctl) listCommand() *cobra.Command {
	var where []string
	cmd := &cobra.Command{
		Use:               "list [TABLE [KEY]] [--where CONDITION]...",
		Short:             "print rows in the form that -f reads",
		Long:              listLong,
		Example:           listExample,
		Args:              words(0, 2),
		ValidArgsFunction: c.completeRow(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 2 && len(where) > 0:
				return usagef("--where goes with no key")
			case len(args) == 2:
				return c.get(args[0], args[1], "")
			case len(args) == 0 && len(where) > 0:
				return usagef("--where wants a table")
			case len(args) == 0:
				return c.listAll(cmd.Context())
			}
			return c.listTable(cmd.Context(), args[0], where)
		},
	}
	// An array, not a slice: conditions hold commas.
	cmd.Flags().StringArrayVar(&where, "where", nil, "only rows for which this `condition` holds")
	cmd.RegisterFlagCompletionFunc("where", func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nothing()
		}
		return c.fieldNames(args[0], nil)
	})
	return cmd
}

// listAll prints what it takes to make everything again.
func (c *ctl) listAll(ctx context.Context) error {
	tables, s, err := c.tables("list", nil)
	if err != nil {
		return err
	}
	p := c.printer()
	for i := range tables {
		if err := p.table(&tables[i]); err != nil {
			return err
		}
	}
	for i := range tables {
		if err := c.listRows(ctx, s, &tables[i], nil, p); err != nil {
			return err
		}
	}
	return p.end()
}

func (c *ctl) listTable(ctx context.Context, name string, where []string) error {
	s, t, err := c.table("list", name)
	if err != nil {
		return err
	}
	keep, err := parseFilter(&t, where)
	if err != nil {
		return err
	}
	p := c.printer()
	if err := c.listRows(ctx, s, &t, keep, p); err != nil {
		return err
	}
	return p.end()
}

// listRows prints the rows of a table that keep wants.
func (c *ctl) listRows(ctx context.Context, s dict.Store, t *dict.Table, keep filter, p *printer) error {
	stats, err := s.Stats(t.Name)
	if err != nil {
		return err
	}
	var sorted []dict.Row
	for row, err := range s.Rows(t.Name) {
		if err == nil {
			err = ctx.Err() // somebody who interrupts waits for no million rows
		}
		if err != nil {
			return err
		}
		ok, err := keep.wants(row)
		switch {
		case err != nil:
			return err
		case !ok:
		case stats.Rows > maxSorted:
			if err := p.row(t, row); err != nil {
				return err
			}
		default:
			sorted = append(sorted, row)
		}
	}
	slices.SortFunc(sorted, func(a, b dict.Row) int { return a.Key.Compare(b.Key) })
	for _, row := range sorted {
		if err := p.row(t, row); err != nil {
			return err
		}
	}
	return nil
}
