// SPDX-License-Identifier: MIT

package cli

import (
	"context"
	"errors"

	"nftdict/dict"
)

// parseWords reads one statement from the words of a command line. What cannot
// be one is a usage error.
func parseWords(words ...string) (dict.Statement, error) {
	st, err := dict.ParseArgs(words...)
	if err != nil {
		return nil, &usageError{unplaced(err)}
	}
	return st, nil
}

// unplaced returns an error without line and column, which say nothing about
// words that stand before the reader.
func unplaced(err error) error {
	var placed *dict.TextError
	if errors.As(err, &placed) {
		return placed.Err
	}
	return err
}

// set carries out a `set`.
func (c *ctl) set(ctx context.Context, st *dict.SetStmt) error {
	s, t, err := c.table("set", st.TableName())
	if err != nil {
		return err
	}
	row, err := st.Row(&t)
	if err != nil {
		return unplaced(err)
	}
	if err := s.Put(t.Name, row); err != nil {
		return err
	}
	c.rewrote(ctx, t.Name, row.Key)
	return nil
}

// rewrote is what follows when a row was written.
func (c *ctl) rewrote(ctx context.Context, table string, k dict.Key) {
	var r rewritten
	r.add(table, k)
	c.recall(ctx, r)
}

// delete carries out a `delete` of a row or fields of it.
func (c *ctl) delete(ctx context.Context, st *dict.DeleteStmt) error {
	s, t, err := c.table("delete", st.TableName())
	if err != nil {
		return err
	}
	k, fields, err := st.Resolve(&t)
	if err != nil {
		return unplaced(err)
	}
	if err := s.Delete(t.Name, k, fields...); err != nil {
		return err
	}
	c.rewrote(ctx, t.Name, k)
	return nil
}

// deleteTable carries out a `delete table`.
func (c *ctl) deleteTable(name string) error {
	s, t, err := c.table("table delete", name)
	if err != nil {
		return err
	}
	return s.DeleteTable(t.Name)
}
