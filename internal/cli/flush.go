// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const flushLong = `Deletes all rows of a table. The table, its fields and the rules that use it
stay.`

const flushExample = `  dictctl flush hosts`

func (c *ctl) flushCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "flush TABLE",
		Short:             "delete all rows of a table",
		Long:              flushLong,
		Example:           flushExample,
		Args:              words(1, 1, "TABLE"),
		ValidArgsFunction: c.completeTable,
		RunE: func(_ *cobra.Command, args []string) error {
			s, t, err := c.table("flush", args[0])
			if err != nil {
				return err
			}
			n, err := dict.Flush(s, t.Name)
			if err == nil && c.json {
				err = c.printJSON(map[string]int{"deleted": n})
			}
			return err
		},
	}
}
