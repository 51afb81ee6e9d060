// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// maxLimit is the most rows that the kernel's hash tables have room for.
const maxLimit = 1 << 26

// AddTable implements dict.Store.
func (s *Store) AddTable(t dict.Table) error {
	t, err := t.Normal()
	if err != nil {
		return &dict.At{Op: "table add", Err: err}
	}
	at := func(err error) error { return &dict.At{Op: "table add", Table: t.Name, Err: err} }
	if t.Limit > maxLimit {
		return at(fmt.Errorf("limit %d: %w: at most %d", t.Limit, dict.ErrRange, maxLimit))
	}
	return s.change(func(found []tableSchema) error {
		for _, f := range found {
			if f.table.Name == t.Name {
				return at(dict.ErrExist)
			}
		}
		id := uint32(s.dir.state.tables.Add(1))
		if err := createMaps(s.dir.pinDir(id), t); err != nil {
			return at(errors.Join(explain("create", err), os.RemoveAll(s.dir.pinDir(id))))
		}
		rest := recordsOfFields(0, t.Fields)
		if err := s.dir.publish(id, 0, recordOfTable(t, len(rest)), rest); err != nil {
			return at(errors.Join(err, s.dir.forget(id), os.RemoveAll(s.dir.pinDir(id))))
		}
		return nil
	})
}

// AddFields implements dict.Store.
func (s *Store) AddFields(table string, fields ...dict.Field) error {
	return s.change(func(found []tableSchema) error {
		f, err := pick("field add", found, table)
		if err != nil {
			return err
		}
		var hidden []string
		fields = slices.DeleteFunc(slices.Clone(fields), func(add dict.Field) bool {
			name := dict.Name(add.Name)
			if !f.hidden[name] || add.Type != 0 || len(add.Aliases) > 0 || slices.Contains(hidden, name) {
				return false
			}
			hidden = append(hidden, name)
			return true
		})
		if err := s.grow("field add", f, fields, false); err != nil {
			return err
		}
		return s.dir.show(f, hidden)
	})
}

// grow adds fields to a table under the lock, hidden or not.
func (s *Store) grow(op string, f tableSchema, fields []dict.Field, hidden bool) error {
	if len(fields) == 0 {
		return nil
	}
	next, err := f.table.With(fields...)
	if err != nil {
		return &dict.At{Op: op, Err: err}
	}
	known := len(f.table.Fields)
	added := recordsOfFields(known, next.Fields[known:])
	for i := range added {
		added[i].hidden = hidden
	}
	if err := s.dir.publish(f.id, f.count, recordOfTable(next, f.count+len(added)), added); err != nil {
		return &dict.At{Op: op, Table: f.table.Name, Err: err}
	}
	return nil
}

// DeleteTable implements dict.Store.
func (s *Store) DeleteTable(name string) error {
	return s.change(func(found []tableSchema) error {
		f, err := pick("table delete", found, name)
		if err != nil {
			return err
		}
		at := func(err error) error { return &dict.At{Op: "table delete", Table: f.table.Name, Err: err} }
		release, err := s.dir.claim(f.id)
		if err != nil {
			return at(err)
		}
		defer release()
		used, err := s.ns.used(f.id)
		if err != nil {
			return at(err)
		}
		if used != "" {
			return at(fmt.Errorf("%w: by %s", dict.ErrBusy, used))
		}
		if err := s.dir.unpublish(f.id); err != nil {
			return at(err)
		}
		// The table is gone; the rest is cleaning up.
		if err := errors.Join(os.RemoveAll(s.dir.pinDir(f.id)), s.dir.forget(f.id)); err != nil {
			return at(explain("clean up", err))
		}
		return nil
	})
}

// change makes one change of the schema under the lock, after what a dead
// process left half made was removed.
func (s *Store) change(f func([]tableSchema) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	release, err := s.lock(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer release()
	found, _, err := s.dir.readSchema()
	if err != nil {
		return err
	}
	if err := s.dir.tidy(found); err != nil {
		return err
	}
	err = f(found)
	_, failed := s.reload()
	return errors.Join(err, failed)
}

// pick finds a table by name in any spelling.
func pick(op string, found []tableSchema, name string) (tableSchema, error) {
	for _, f := range found {
		if f.table.Name == dict.Name(name) {
			return f, nil
		}
	}
	return tableSchema{}, &dict.At{Op: op, Table: name, Err: dict.ErrNotExist}
}

// tidy removes directories and records of tables that the schema does not
// know: somebody died while he made or deleted them. The caller holds the lock.
func (n *namespace) tidy(found []tableSchema) error {
	known := map[uint32]int{}
	for _, f := range found {
		known[f.id] = f.count
	}
	entries, err := os.ReadDir(n.dir)
	if err != nil {
		return explain("tidy up", err)
	}
	for _, e := range entries {
		id, err := strconv.ParseUint(e.Name(), 10, 32)
		if _, ok := known[uint32(id)]; err != nil || ok {
			continue
		}
		if err := os.RemoveAll(n.path(e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain("tidy up", err)
		}
	}
	return n.drop(func(k recordKey) bool {
		count, ok := known[k.Table]
		return !ok || k.Number > uint32(count)
	})
}

// forget removes all records of a table.
func (n *namespace) forget(id uint32) error {
	return n.drop(func(k recordKey) bool { return k.Table == id })
}

// drop removes the records that are unwanted.
func (n *namespace) drop(unwanted func(recordKey) bool) error {
	var gone []recordKey
	err := n.eachRecord(func(k recordKey, _ []byte) error {
		if unwanted(k) {
			gone = append(gone, k)
		}
		return nil
	})
	for _, k := range gone {
		if err == nil {
			err = n.schema.Delete(k)
		}
	}
	return explain("schema", err)
}
