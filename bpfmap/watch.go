// SPDX-License-Identifier: MIT

package bpfmap

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"nftdict/dict"
)

// watchEvery is how often Watch looks for changes.
const watchEvery = 250 * time.Millisecond

// shot is the rows of a table at one moment.
type shot struct {
	table   *table
	changes uint64 // the table's counter before the rows were read
	ends    uint64 // tick at which the first row expires, 0 for never
	rows    map[dict.Key]shotRow
}

type shotRow struct {
	word  uint64
	cells []dict.Cell
}

// Watch implements dict.Watcher: it compares the tables with what they were
// four times a second, as far as their counters of changes moved or rows
// expired. It keeps a copy of what it watches. A table that was named and is
// deleted ends it with dict.ErrNotExist.
func (s *Store) Watch(ctx context.Context, f func(dict.Change) error, tables ...string) error {
	old, err := s.shots(nil, tables)
	if err != nil {
		return err
	}
	timer := time.NewTicker(watchEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		now, err := s.shots(old, tables)
		if err != nil {
			return err
		}
		for name := range old {
			if err := diff(name, old[name], now[name], f); err != nil {
				return err
			}
		}
		for name := range now {
			if old[name] == nil {
				if err := diff(name, nil, now[name], f); err != nil {
					return err
				}
			}
		}
		old = now
	}
}

// shots returns the named tables as they are now, all if none; of a table
// that did not change it returns the old shot.
func (s *Store) shots(old map[string]*shot, tables []string) (map[string]*shot, error) {
	v, err := s.current()
	if err != nil {
		return nil, &dict.At{Op: "watch", Err: err}
	}
	named := len(tables) > 0
	if !named {
		tables = slices.Collect(maps.Keys(v.tables))
	}
	out := map[string]*shot{}
	for _, name := range tables {
		t := v.tables[dict.Name(name)]
		if t == nil {
			return nil, &dict.At{Op: "watch", Table: name, Err: dict.ErrNotExist}
		}
		next, err := s.shot(t, old[t.schema.Name])
		switch {
		case err == nil:
			out[t.schema.Name] = next
		case !named && errors.Is(err, dict.ErrNotExist): // deleted meanwhile
		default:
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) shot(t *table, old *shot) (*shot, error) {
	changes, err := t.changes()
	now := tick()
	if err == nil && old != nil && old.table.id == t.id && old.changes == changes && (old.ends == 0 || now < old.ends) {
		return old, nil
	}
	next := &shot{table: t, changes: changes, rows: map[dict.Key]shotRow{}}
	if err == nil {
		err = t.words(next.rows, now)
	}
	if err != nil {
		return nil, &dict.At{Op: "watch", Table: t.schema.Name, Err: err}
	}
	for r, err := range s.Rows(t.schema.Name) {
		if err != nil {
			return nil, err
		}
		next.rows[r.Key] = shotRow{word: next.rows[r.Key].word, cells: r.Cells}
	}
	for _, r := range next.rows {
		if end := r.word & tickMask; end != 0 && (next.ends == 0 || end < next.ends) {
			next.ends = end
		}
	}
	return next, nil
}

// Changes implements dict.Changer.
func (s *Store) Changes(table string) (uint64, error) {
	return s.half("changes", table, func(n uint64) uint64 { return n & math.MaxUint32 })
}

// Counts implements dict.Counter.
func (s *Store) Counts(table string) (uint64, error) {
	return s.half("counts", table, func(n uint64) uint64 { return n >> 32 })
}

// half returns a part of a table's counter, and which table it is.
func (s *Store) half(op, table string, part func(uint64) uint64) (uint64, error) {
	t, err := s.table(op, table)
	if err != nil {
		return 0, err
	}
	n, err := t.changes()
	if err != nil {
		return 0, &dict.At{Op: op, Table: t.schema.Name, Err: err}
	}
	return uint64(t.id)<<32 | part(n), nil
}

// changes returns the table's counter of changes.
func (h *handle) changes() (n uint64, err error) {
	err = h.work(func() error {
		n = atomic.LoadUint64(&h.state.Changes)
		return nil
	})
	return n, err
}

// words notes the rows alive at a tick with their words.
func (t *table) words(rows map[dict.Key]shotRow, now uint64) error {
	a, err := t.aside()
	if err != nil {
		return err
	}
	defer a.close()
	return eachRow(a.maps.rows, func(key, value []byte) error {
		word := binary.NativeEndian.Uint64(value)
		if !isAlive(word, now) {
			return nil
		}
		k, err := decodeKey(t.schema.Key, key, nameOf(value))
		rows[k] = shotRow{word: word}
		return err
	})
}

// diff calls f for what makes b of a; either may be nil, for no table.
func diff(name string, a, b *shot, f func(dict.Change) error) error {
	if a == b {
		return nil
	}
	var before, after map[dict.Key]shotRow
	if a != nil {
		before = a.rows
	}
	if b != nil {
		after = b.rows
	}
	for k := range before {
		if _, ok := after[k]; ok {
			continue
		}
		if err := f(dict.Change{Table: name, Kind: dict.Deleted, Row: dict.Row{Key: k}}); err != nil {
			return err
		}
	}
	for k, r := range after {
		was, ok := before[k]
		gone, set := dict.Row{Key: k}, dict.Row{Key: k}
		current := dict.Row{Cells: r.cells}
		previous := dict.Row{Cells: was.cells}
		for _, c := range r.cells {
			if v, had := previous.Get(c.Field); !had || v != c.Value {
				set.Cells = append(set.Cells, c)
			}
		}
		for _, c := range was.cells {
			if _, has := current.Get(c.Field); !has {
				gone.Cells = append(gone.Cells, dict.Cell{Field: c.Field})
			}
		}
		if len(gone.Cells) > 0 {
			if err := f(dict.Change{Table: name, Kind: dict.Deleted, Row: gone}); err != nil {
				return err
			}
		}
		if len(set.Cells) > 0 || !ok {
			if err := f(dict.Change{Table: name, Kind: dict.Set, Row: set}); err != nil {
				return err
			}
		}
	}
	return nil
}
