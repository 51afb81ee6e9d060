// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"nftdict/dict"
	"nftdict/nftext"
)

// schemaWords begin the parts of `table add`.
var schemaWords = []string{"key", "limit", "timeout", "bound", "open", "field", "default", "alias"}

// parseTable reads the words of `table add` behind the name. Key stays 0 where
// none was named.
func parseTable(name string, words []string) (dict.Table, error) {
	t := dict.Table{Name: name}
	next := func(of string) (string, error) {
		if len(words) == 0 {
			return "", usagef("%s is missing", of)
		}
		w := words[0]
		words = words[1:]
		return w, nil
	}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		var arg string
		var err error
		switch word {
		case "bound":
			t.Bound = true
			continue
		case "open":
			t.Open = true
			continue
		case "key", "limit", "timeout", "default", "alias", "field":
			if arg, err = next(word + "'s value"); err != nil {
				return t, err
			}
		default:
			return t, usagef("%s: want key, limit, timeout, bound, open, field, default or alias", dict.Quote(word))
		}
		last := len(t.Fields) - 1
		if last < 0 && (word == "default" || word == "alias") {
			return t, usagef("%s %s: want it behind a field", word, dict.Quote(arg))
		}
		switch word {
		case "key":
			t.Key, err = dict.ParseKeyType(arg)
		case "limit":
			if t.Limit, err = strconv.Atoi(arg); err != nil || t.Limit <= 0 {
				err = fmt.Errorf("limit %s: want a number of rows above 0", dict.Quote(arg))
			}
		case "timeout":
			t.Timeout, err = dict.ParseTTL(arg)
		case "default":
			t.Fields[last].Default, err = dict.ParseText(t.Fields[last].Type, arg)
		case "alias":
			t.Fields[last].Aliases = append(t.Fields[last].Aliases, arg)
		case "field":
			f := dict.Field{Name: arg}
			if arg, err = next("field " + dict.Quote(f.Name) + ": TYPE"); err != nil {
				return t, err
			}
			f.Type, err = dict.ParseType(arg)
			t.Fields = append(t.Fields, f)
		}
		if err != nil {
			if last = len(t.Fields) - 1; word == "default" || word == "field" {
				err = fmt.Errorf("field %s: %w", dict.Quote(t.Fields[last].Name), err)
			}
			return t, &usageError{fmt.Errorf("table %s: %w", dict.Quote(name), err)}
		}
	}
	return t, nil
}

// addTable makes a table or brings the one that is there up to it: fields it
// lacks are added, a contradiction is an error and changes nothing.
func (c *ctl) addTable(s dict.Store, t dict.Table) error {
	const op = "table add"
	old, err := s.Table(t.Name)
	if errors.Is(err, dict.ErrNotExist) {
		if t.Key == 0 {
			return &dict.At{Op: op, Table: t.Name, Err: fmt.Errorf("%w; a new table needs its key type", dict.ErrNotExist)}
		}
		if err := nftext.CheckTable(t.Name); err != nil {
			return &dict.At{Op: op, Table: t.Name, Err: err}
		}
		return s.AddTable(t)
	}
	if err != nil {
		return err
	}
	lacks, err := missingFields(&old, &t)
	if err != nil {
		return &dict.At{Op: op, Table: old.Name, Err: err}
	}
	if t.Limit != 0 && t.Limit != old.Limit {
		c.keepsLimit(&old)
	}
	if len(lacks) == 0 {
		return nil
	}
	return s.AddFields(old.Name, lacks...)
}

// keepsLimit tells that a limit asked for has no effect.
func (c *ctl) keepsLimit(t *dict.Table) {
	fmt.Fprintf(c.Stderr, "table %s: its limit stays %d\n", t.Name, t.Limit)
}

// missingFields returns the fields of t that old lacks, or what contradicts. A
// t without a key says nothing about the table but its fields and what it
// names.
func missingFields(old, t *dict.Table) ([]dict.Field, error) {
	differs := func(what, is, want any) error {
		return fmt.Errorf("%w: its %v is %v, not %v", dict.ErrExist, what, is, want)
	}
	switch {
	case t.Key != 0 && t.Key != old.Key:
		return nil, differs("key", old.Key, t.Key)
	case (t.Key != 0 || t.Timeout != 0) && t.Timeout != old.Timeout:
		return nil, differs("timeout", dict.FormatTTL(old.Timeout), dict.FormatTTL(t.Timeout))
	case t.Key != 0 && t.Open != old.Open, t.Open && !old.Open:
		return nil, differs("open", old.Open, t.Open)
	case t.Key != 0 && t.Bound != old.Bound, t.Bound && !old.Bound:
		return nil, differs("bound", old.Bound, t.Bound)
	}
	var lacks []dict.Field
	for _, f := range t.Fields {
		is, err := old.Field(f.Name)
		switch {
		case err != nil:
			lacks = append(lacks, f)
			continue
		case f.Type != is.Type:
			return nil, fmt.Errorf("field %s: %w", dict.Quote(f.Name), differs("type", is.Type, f.Type))
		}
		if v, err := f.Default.Convert(f.Type); err == nil && v != is.Default {
			return nil, fmt.Errorf("field %s: %w", dict.Quote(f.Name), differs("default", defaultText(is.Default), v.Text()))
		}
		if i := slices.IndexFunc(f.Aliases, func(a string) bool { return !is.Has(a) }); i >= 0 {
			return nil, fmt.Errorf("field %s: %w, without the alias %s", dict.Quote(f.Name), dict.ErrExist, dict.Quote(f.Aliases[i]))
		}
	}
	return lacks, nil
}

func defaultText(v dict.Value) string {
	if v.IsZero() {
		return "none"
	}
	return v.Text()
}

// completeTableAdd offers the words of a schema.
func (c *ctl) completeTableAdd(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return c.tableNames()
	}
	out := slices.Clone(schemaWords)
	switch last := args[len(args)-1]; {
	case last == "key":
		out = nil
		for _, t := range dict.KeyTypes() {
			out = append(out, t.String())
		}
	case len(args) > 2 && args[len(args)-2] == "field":
		out = nil
		for _, t := range dict.Types() {
			out = append(out, t.String())
		}
	case last == "limit", last == "timeout", last == "field", last == "default", last == "alias":
		out = nil
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
