// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"

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
			// Amounts are written as values are.
			st, err := parseWords(append([]string{"set"}, args...)...)
			if err != nil {
				return err
			}
			amounts := st.(*dict.SetStmt) // what begins so is one
			if len(amounts.Cells) == 0 {
				return usagef("a field and its amount are missing")
			}
			return c.add(amounts)
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// add adds what a `set` would write.
func (c *ctl) add(st *dict.SetStmt) error {
	const op = "add"
	s, t, err := c.table(op, st.TableName())
	if err != nil {
		return err
	}
	row, err := st.Row(&t)
	if err != nil {
		var at *dict.At
		if err = unplaced(err); errors.As(err, &at) {
			at.Op = op
		}
		return err
	}
	// A set keeps the last value of a field; amounts would be lost.
	if len(row.Cells) < len(st.Cells) {
		return &dict.At{Op: op, Table: t.Name, Key: row.Key.Text(), Err: fmt.Errorf("%w: a field is named twice", dict.ErrInvalid)}
	}
	return s.Add(t.Name, row)
}
