// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const deleteLong = `Deletes a row, or only the named fields of it. A row whose last field goes stays,
without fields. What is not there cannot be deleted: that is an error.

"delete table NAME" is the same as "table delete NAME".`

const deleteExample = `  dictctl delete users bob
  dictctl delete users bob quota_remaining quota_exceeded`

func (c *ctl) deleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "delete TABLE KEY [FIELD]...",
		Short:             "delete a row, or fields of it",
		Long:              deleteLong,
		Example:           deleteExample,
		Args:              words(2, -1, "TABLE", "KEY"),
		ValidArgsFunction: c.completeRow(-1),
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := parseWords(append([]string{"delete"}, args...)...)
			if err != nil {
				return err
			}
			if st, ok := st.(*dict.DeleteStmt); ok {
				return c.delete(cmd.Context(), st)
			}
			return c.deleteTable(st.TableName())
		},
	}
}
