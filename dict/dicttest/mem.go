// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

// Mem is the reference store: tables and rows in the memory of one process.
// Rows of Bound tables are leases, as on every backend that cannot see a
// conntrack entry go. Close does nothing; the zero Mem is not usable.
type Mem struct {
	now func() time.Time

	mu      sync.RWMutex
	tables  map[string]*memTable // by canonical name
	changed chan struct{}        // closed and replaced by every change
	changes uint64               // how many there were
}

var (
	_ dict.Store   = (*Mem)(nil)
	_ dict.Watcher = (*Mem)(nil)
	_ dict.Changer = (*Mem)(nil)
)

// memTable is a table and its rows. A row is never altered, only replaced, so
// whoever holds a *memRow holds one moment of it.
type memTable struct {
	schema  dict.Table
	rows    map[dict.Key]*memRow
	refused uint64
	holds   int // rules that use the table
}

// NewMem returns a store without tables. now is its clock; nil means
// time.Now.
func NewMem(now func() time.Time) *Mem {
	if now == nil {
		now = time.Now
	}
	return &Mem{now: now, tables: map[string]*memTable{}, changed: make(chan struct{})}
}

// NewStandard returns a Mem on the real clock that holds the standard tables.
func NewStandard(tb testing.TB) *Mem {
	tb.Helper()
	m := NewMem(nil)
	for _, t := range dict.Standard(dict.DefaultLimit) {
		if err := m.AddTable(t); err != nil {
			tb.Fatal(err)
		}
	}
	return m
}

// AddTable implements dict.Store.
func (m *Mem) AddTable(t dict.Table) error {
	t, err := t.Normal()
	if err != nil {
		return &dict.At{Op: "table add", Err: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tables[t.Name] != nil {
		return &dict.At{Op: "table add", Table: t.Name, Err: dict.ErrExist}
	}
	m.tables[t.Name] = &memTable{schema: t, rows: map[dict.Key]*memRow{}}
	return nil
}

// AddFields implements dict.Store.
func (m *Mem) AddFields(table string, fields ...dict.Field) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table("field add", table)
	if err != nil {
		return err
	}
	schema, err := t.schema.With(fields...)
	if err != nil {
		return &dict.At{Op: "field add", Err: err}
	}
	t.schema = schema
	return nil
}

// DeleteTable implements dict.Store. A table under Hold is busy.
func (m *Mem) DeleteTable(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table("table delete", name)
	if err != nil {
		return err
	}
	if t.holds > 0 {
		return &dict.At{Op: "table delete", Table: t.schema.Name, Err: dict.ErrBusy}
	}
	delete(m.tables, t.schema.Name)
	m.wake()
	return nil
}

// Hold marks a table as used by a rule until release is called.
func (m *Mem) Hold(table string) (release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table("hold", table)
	if err != nil {
		return nil, err
	}
	t.holds++
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		t.holds--
	}), nil
}

// Tables implements dict.Store.
func (m *Mem) Tables() ([]dict.Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []dict.Table
	for _, t := range m.tables {
		out = append(out, clone(t.schema))
	}
	slices.SortFunc(out, func(a, b dict.Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Table implements dict.Store.
func (m *Mem) Table(name string) (dict.Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.table("table", name)
	if err != nil {
		return dict.Table{}, err
	}
	return clone(t.schema), nil
}

// Close implements dict.Store: tables and rows stay.
func (m *Mem) Close() error { return nil }

// table finds a table under the lock.
func (m *Mem) table(op, name string) (*memTable, error) {
	if t := m.tables[dict.Name(name)]; t != nil {
		return t, nil
	}
	return nil, &dict.At{Op: op, Table: name, Err: dict.ErrNotExist}
}

// wake tells the watchers of a change, under the lock.
func (m *Mem) wake() {
	m.changes++
	close(m.changed)
	m.changed = make(chan struct{})
}

// snapshot returns the rows alive now of the named tables, all if none, and
// the channel that the next change closes.
func (m *Mem) snapshot(tables []string) (map[string]memShot, <-chan struct{}, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(tables) == 0 {
		tables = slices.Collect(maps.Keys(m.tables))
	}
	now := m.now()
	out := map[string]memShot{}
	for _, name := range tables {
		t, err := m.table("watch", name)
		if err != nil {
			return nil, nil, err
		}
		rows := maps.Clone(t.rows)
		maps.DeleteFunc(rows, func(_ dict.Key, r *memRow) bool { return !r.alive(now) })
		out[t.schema.Name] = memShot{schema: t.schema, rows: rows}
	}
	return out, m.changed, nil
}

// clone copies a schema so that the caller may alter what he got.
func clone(t dict.Table) dict.Table {
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Aliases = slices.Clone(t.Fields[i].Aliases)
	}
	return t
}

// join is errors.Join that keeps a single error as it is.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
