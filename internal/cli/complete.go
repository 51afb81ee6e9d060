// SPDX-License-Identifier: MIT

package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"nftdict/dict"
)

// maxKeys bounds the keys that completion offers.
const maxKeys = 200

// nothing is the completion of a word that has none.
func nothing() ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeTable offers the tables for the first word.
func (c *ctl) completeTable(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nothing()
	}
	return c.tableNames()
}

// completeTables offers the tables that were not named yet.
func (c *ctl) completeTables(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, d := c.tableNames()
	return slices.DeleteFunc(names, func(n cobra.Completion) bool { return slices.Contains(args, n) }), d
}

// completeRow offers a table, a key of it, and then up to n fields (n < 0: any
// number).
func (c *ctl) completeRow(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		switch {
		case len(args) == 0:
			return c.tableNames()
		case len(args) == 1:
			return c.keys(args[0])
		case n >= 0 && len(args)-2 >= n:
			return nothing()
		}
		return c.fieldNames(args[0], args[2:])
	}
}

// completeSet offers a table, a key, and then fields, types and values in
// turn.
func (c *ctl) completeSet(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return c.tableNames()
	case 1:
		return c.keys(args[0])
	}
	_, t, err := c.table("complete", args[0])
	if err != nil {
		return nothing()
	}
	var used []string
	for rest := args[2:]; len(rest) > 0; {
		used = append(used, rest[0])
		if rest = rest[1:]; len(rest) == 0 { // a field is there, its value is next
			return valueWords(&t, used[len(used)-1]), cobra.ShellCompDirectiveNoFileComp
		}
		if _, err := dict.ParseType(rest[0]); err == nil {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return nothing()
		}
		rest = rest[1:]
	}
	return c.fieldNames(args[0], used)
}

// valueWords are the words that may follow a field: what its type can be
// spelled out, else the types in an open table.
func valueWords(t *dict.Table, field string) []cobra.Completion {
	f, err := t.Field(field)
	switch {
	case t.Open:
		var out []cobra.Completion
		for _, typ := range dict.Types() {
			if typ != dict.Address {
				out = append(out, typ.String())
			}
		}
		return out
	case err == nil && f.Type == dict.Bool:
		return []cobra.Completion{"true", "false"}
	}
	return nil
}

func (c *ctl) tableNames() ([]cobra.Completion, cobra.ShellCompDirective) {
	s, err := c.store()
	if err != nil {
		return nothing()
	}
	tables, err := s.Tables()
	if err != nil {
		return nothing()
	}
	var out []cobra.Completion
	for _, t := range tables {
		out = append(out, t.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (c *ctl) keys(table string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, t, err := c.table("complete", table)
	if err != nil {
		return nothing()
	}
	var out []cobra.Completion
	for row, err := range s.Rows(t.Name) {
		if err != nil || len(out) == maxKeys {
			break
		}
		out = append(out, row.Key.String())
	}
	slices.Sort(out)
	return out, cobra.ShellCompDirectiveNoFileComp
}

// fieldNames offers the fields of a table but for the used ones.
func (c *ctl) fieldNames(table string, used []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	_, t, err := c.table("complete", table)
	if err != nil {
		return nothing()
	}
	var out []cobra.Completion
	for _, f := range t.Fields {
		if slices.ContainsFunc(used, f.Has) {
			continue
		}
		if t.Open {
			out = append(out, f.Name)
		} else {
			out = append(out, cobra.CompletionWithDesc(f.Name, f.Type.String()))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
