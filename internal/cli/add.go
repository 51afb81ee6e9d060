// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const addLong = `Adds to numbers of a row: each N is an amount for a field of type int or int64,
negative to take away. It counts from the value that is there, else from the
field's default, else from 0, and stays at the limits of the type. Nothing is
lost that rules or others add or take away at the same time, as it would be by
"get" and then "set".

The row appears if it was not there, and then lives as after "set"; "ttl TIME" as
the last words says how long. The life of a row that is there is left alone.
The type's word may stand before N; in an open table it is needed.

In files for -f this is a statement as it stands here, without "dictctl"; a table
that is called table or field stands in quotes there.

Options stand before TABLE, so that negative numbers need no care.`

const addExample = `  dictctl add users bob quota_remaining 1000000000
  dictctl add users bob quota_remaining -5000000 quota_size 0x1000
  dictctl add hosts 192.0.2.7 quota_remaining int64 5000 ttl 1h`

func (c *ctl) addCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "add TABLE KEY FIELD [TYPE] N... [ttl TIME]",
		Short:             "add to numbers of a row",
		Long:              addLong,
		Example:           addExample,
		Args:              words(4, -1, "TABLE", "KEY", "FIELD", "N"),
		ValidArgsFunction: c.completeSet,
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] == "table" || args[0] == "field" {
				return usagef("tables and their fields are made by \"dictctl table add\"")
			}
			st, err := parseWords(append([]string{"add"}, args...)...)
			if err != nil {
				return err
			}
			return c.add(st.(*dict.AddStmt)) // what begins so is one
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// add carries out an `add`.
func (c *ctl) add(st *dict.AddStmt) error {
	s, t, err := c.table("add", st.TableName())
	if err != nil {
		return err
	}
	row, err := st.Row(&t)
	if err != nil {
		return unplaced(err)
	}
	return s.Add(t.Name, row)
}
