// SPDX-License-Identifier: MIT

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

const getLong = `Prints a row in the form that -f reads, or the bare value of one field of it.
A row or field that is not there is an error: defaults answer rules, not get.`

const getExample = `  dictctl get users bob
  dictctl get users bob quota_remaining
  dictctl -j get hosts 192.0.2.7`

func (c *ctl) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "get TABLE KEY [FIELD]",
		Short:             "print a row, or one value of it",
		Long:              getLong,
		Example:           getExample,
		Args:              words(2, 3, "TABLE", "KEY"),
		ValidArgsFunction: c.completeRow(1),
		RunE: func(_ *cobra.Command, args []string) error {
			field := ""
			if len(args) == 3 {
				field = args[2]
			}
			return c.get(args[0], args[1], field)
		},
	}
}

func (c *ctl) get(table, key, field string) error {
	s, t, err := c.table("get", table)
	if err != nil {
		return err
	}
	k, err := dict.ParseKeyText(t.Key, key)
	if err != nil {
		return &dict.At{Op: "get", Table: t.Name, Err: err}
	}
	missing := func(err error) error {
		return &dict.At{Op: "get", Table: t.Name, Key: k.Text(), Field: field, Err: err}
	}
	if i := t.Index(field); i >= 0 {
		field = t.Fields[i].Name
	} else if field != "" {
		return missing(dict.ErrNotExist)
	}
	row, err := s.Get(t.Name, k)
	if err != nil {
		return err
	}
	if field == "" {
		return c.printRow(&t, row)
	}
	v, ok := row.Get(field)
	switch {
	case !ok:
		return missing(fmt.Errorf("the row has no value: %w", dict.ErrNotExist))
	case c.json:
		return c.printJSON(v)
	}
	_, err = fmt.Fprintln(c.Stdout, v)
	return err
}

// printRow prints one row.
func (c *ctl) printRow(t *dict.Table, row dict.Row) error {
	var b []byte
	if c.json {
		b = appendRowJSON(append(b, '{'), t, row)
	} else {
		b = dict.AppendRow(b, t, row)
	}
	_, err := c.Stdout.Write(append(b, '\n'))
	return err
}
