// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const tableLong = `Makes, lists and deletes tables. The tables sessions, hosts, devices, users
and groups are there from the start.`

const tableAddLong = `Makes a table, or adds fields to one that is there.

A new table needs its key: ct_id, ipv4_addr, ipv6_addr, address (both families),
ether_addr, mark, int or string. The types of fields are bool, int, int64,
ipv4_addr, ipv6_addr, address, ether_addr and long_string (also string).

  limit N      the most rows (default 65536); a full table refuses new ones
  timeout D    a row ends so long after it was last written
  bound        rows end with their connection; the key is ct_id
  open         fields appear with the first value written, each with its own
               type; such a table declares none
  default V    answers rules for a missing field and for a missing row
  alias NAME   another name of the field before it

Adding is done once: a table that is there already with the same key and fields
is left as it is, fields it lacks are added, and a difference is an error.`

const tableAddExample = `  dictctl table add printers key address limit 500 field vendor string field colour bool default false
  dictctl table add printers field floor int alias storey
  dictctl table add scratch key mark open timeout 5m`

func (c *ctl) tableCommand() *cobra.Command {
	table := &cobra.Command{
		Use:     "table add|list|delete",
		Short:   "make, list and delete tables",
		Long:    tableLong,
		Example: tableAddExample + "\n  dictctl table list printers\n  dictctl table delete printers",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("add, list or delete is missing")
			}
			return usagef("%s: want add, list or delete", dict.Quote(args[0]))
		},
	}
	add := &cobra.Command{
		Use:               "add TABLE [key TYPE] [limit N] [timeout D] [bound] [open] [field NAME TYPE [default V] [alias NAME]...]...",
		Short:             "make a table, or add fields to one",
		Long:              tableAddLong,
		Example:           tableAddExample,
		Args:              words(2, -1, "TABLE", "key TYPE or field NAME TYPE"),
		ValidArgsFunction: c.completeTableAdd,
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := parseTable(args[0], args[1:])
			if err != nil {
				return err
			}
			s, err := c.store()
			if err != nil {
				return err
			}
			return c.addTable(s, t)
		},
	}
	add.Flags().SetInterspersed(false) // defaults may be negative
	list := &cobra.Command{
		Use:               "list [TABLE]...",
		Short:             "print what tables hold: key, limits, fields",
		Long:              "Prints the schema of the named tables, or of all, in the form that -f reads.",
		Example:           "  dictctl table list\n  dictctl table list users",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: c.completeTables,
		RunE:              func(_ *cobra.Command, args []string) error { return c.listTables(args) },
	}
	del := &cobra.Command{
		Use:               "delete TABLE",
		Short:             "delete a table and its rows",
		Long:              "Deletes a table with all its rows. A table that a rule uses is kept: that is an\nerror.",
		Example:           "  dictctl table add spare key mark field n int\n  dictctl table delete spare",
		Args:              words(1, 1, "TABLE"),
		ValidArgsFunction: c.completeTable,
		RunE:              func(_ *cobra.Command, args []string) error { return c.deleteTable(args[0]) },
	}
	table.AddCommand(add, list, del)
	return table
}

func (c *ctl) listTables(names []string) error {
	tables, _, err := c.tables("table list", names)
	if err != nil {
		return err
	}
	p := c.printer()
	for i := range tables {
		if err := p.table(&tables[i]); err != nil {
			return err
		}
	}
	return p.end()
}

// tables returns the named tables, or all, and the store.
func (c *ctl) tables(op string, names []string) ([]dict.Table, dict.Store, error) {
	s, err := c.store()
	if err != nil {
		return nil, nil, err
	}
	if len(names) == 0 {
		all, err := s.Tables()
		return all, s, err
	}
	out := make([]dict.Table, 0, len(names))
	for _, n := range names {
		_, t, err := c.table(op, n)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, t)
	}
	return out, s, nil
}
