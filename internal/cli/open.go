// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"
	"slices"

	"nftdict/dict"
)

// backendKinds are the words that --backend takes.
var backendKinds = []string{"auto", "kmod", "ebpf"}

// open returns the backend of this run, opened on first use.
func (c *ctl) open() (*Backend, error) {
	if c.backend != nil {
		return c.backend, nil
	}
	if !slices.Contains(backendKinds, c.kind) {
		return nil, usagef("backend %s: want auto, kmod or ebpf", dict.Quote(c.kind))
	}
	if err := c.enter(); err != nil { // completions come here without it
		return nil, err
	}
	b, err := c.Open(c.kind)
	if err != nil {
		return nil, fmt.Errorf("open the dictionaries: %w", err)
	}
	c.backend = b
	return b, nil
}

// store returns the store of this run.
func (c *ctl) store() (dict.Store, error) {
	b, err := c.open()
	if err != nil {
		return nil, err
	}
	return b.Store, nil
}

// close releases the store, if one was opened.
func (c *ctl) close() error {
	if c.backend == nil {
		return nil
	}
	return c.backend.Store.Close()
}

// table returns the store and one of its tables.
func (c *ctl) table(op, name string) (dict.Store, dict.Table, error) {
	s, err := c.store()
	if err != nil {
		return nil, dict.Table{}, err
	}
	t, err := s.Table(name)
	if errors.Is(err, dict.ErrNotExist) {
		err = &dict.At{Op: op, Err: fmt.Errorf("table %s: %w%s", dict.Quote(name), dict.ErrNotExist, knownTables(s))}
	}
	return s, t, err
}

// knownTables is the tail of an error about a table that is not there.
func knownTables(s dict.Store) string {
	tables, err := s.Tables()
	if err != nil || len(tables) == 0 {
		return ""
	}
	text := "; there are"
	for i, t := range tables {
		if i > 0 {
			text += ","
		}
		text += " " + t.Name
	}
	return text
}
