// SPDX-License-Identifier: MIT

package cli

import (
	"github.com/spf13/cobra"

	"nftdict/dict"
)

const setLong = `Writes fields of a row. The row appears if it was not there; fields not named
stay as they are.

The type's word may stand before a value and may be left out: the table knows
it. In an open table it is needed. A value that reads like a type stands in
quotes that the shell leaves: '"string"'. Numbers are decimal or 0x hexadecimal,
bool is true or false. "ttl TIME" as the last words lets the row end after that
time: 90s, 5m, 1h30m.

Options stand before TABLE, so that negative numbers need no care.`

const setExample = `  dictctl set sessions 286331153 application NETFLIX
  dictctl set hosts 192.0.2.7 hostname tv captive-portal-authenticated true
  dictctl set users bob quota_remaining int64 -5 ttl 1h`

func (c *ctl) setCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "set TABLE KEY [FIELD [TYPE] VALUE]... [ttl TIME]",
		Short:             "write fields of a row",
		Long:              setLong,
		Example:           setExample,
		Args:              words(2, -1, "TABLE", "KEY"),
		ValidArgsFunction: c.completeSet,
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := parseWords(append([]string{"set"}, args...)...)
			if err != nil {
				return err
			}
			return c.set(cmd.Context(), st.(*dict.SetStmt)) // what begins so is one
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}
