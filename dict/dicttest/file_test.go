// SPDX-License-Identifier: MIT

package dicttest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/internal/need"
)

// fileStore is a Mem that lives in a file between calls: under a lock that
// dies with its holder, each call loads the file, does its work on a Mem and
// renames a new file over the old. It is there to test the part of the suite
// that starts and kills processes, and the JSON forms on the way.
type fileStore struct {
	dir string
}

var _ dict.Store = (*fileStore)(nil)

// fileTable is a table in the file.
type fileTable struct {
	Schema  dict.Table
	Refused uint64
	Rows    []fileRow
}

// fileRow is a row in the file; End is zero for a row without end.
type fileRow struct {
	Row dict.Row
	End time.Time
}

func (s *fileStore) do(f func(*Mem) error) error {
	lock, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	m := NewMem(nil)
	if err := s.load(m); err != nil {
		return err
	}
	return errors.Join(f(m), s.save(m))
}

func (s *fileStore) load(m *Mem) error {
	data, err := os.ReadFile(filepath.Join(s.dir, "state"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var tables []fileTable
	if err := json.Unmarshal(data, &tables); err != nil {
		return err
	}
	for _, t := range tables {
		mt := &memTable{schema: t.Schema, refused: t.Refused, rows: map[dict.Key]*memRow{}}
		for _, r := range t.Rows {
			mr := &memRow{cells: map[string]dict.Value{}, end: r.End}
			for _, c := range r.Row.Cells {
				mr.cells[c.Field] = c.Value
			}
			mt.rows[r.Row.Key] = mr
		}
		m.tables[t.Schema.Name] = mt
	}
	return nil
}

func (s *fileStore) save(m *Mem) error {
	var tables []fileTable
	for _, t := range m.tables {
		ft := fileTable{Schema: t.schema, Refused: t.refused}
		for k, r := range t.rows {
			row := r.row(&t.schema, k, time.Now())
			row.TTL = 0
			ft.Rows = append(ft.Rows, fileRow{row, r.end})
		}
		tables = append(tables, ft)
	}
	data, err := json.Marshal(tables)
	if err != nil {
		return err
	}
	next := filepath.Join(s.dir, "next")
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(s.dir, "state"))
}

func (s *fileStore) AddTable(t dict.Table) error {
	return s.do(func(m *Mem) error { return m.AddTable(t) })
}

func (s *fileStore) AddFields(table string, fields ...dict.Field) error {
	return s.do(func(m *Mem) error { return m.AddFields(table, fields...) })
}

func (s *fileStore) DeleteTable(name string) error {
	return s.do(func(m *Mem) error { return m.DeleteTable(name) })
}

func (s *fileStore) Tables() (out []dict.Table, err error) {
	err = s.do(func(m *Mem) (err error) { out, err = m.Tables(); return err })
	return out, err
}

func (s *fileStore) Table(name string) (out dict.Table, err error) {
	err = s.do(func(m *Mem) (err error) { out, err = m.Table(name); return err })
	return out, err
}

func (s *fileStore) Put(table string, rows ...dict.Row) error {
	return s.do(func(m *Mem) error { return m.Put(table, rows...) })
}

func (s *fileStore) Add(table string, rows ...dict.Row) error {
	return s.do(func(m *Mem) error { return m.Add(table, rows...) })
}

func (s *fileStore) Renew(table string, ttl time.Duration, keys ...dict.Key) (n int, err error) {
	err = s.do(func(m *Mem) (err error) { n, err = m.Renew(table, ttl, keys...); return err })
	return n, err
}

func (s *fileStore) Get(table string, key dict.Key) (r dict.Row, err error) {
	err = s.do(func(m *Mem) (err error) { r, err = m.Get(table, key); return err })
	return r, err
}

func (s *fileStore) Delete(table string, key dict.Key, fields ...string) error {
	return s.do(func(m *Mem) error { return m.Delete(table, key, fields...) })
}

func (s *fileStore) Rows(table string) iter.Seq2[dict.Row, error] {
	return func(yield func(dict.Row, error) bool) {
		var rows iter.Seq2[dict.Row, error]
		if err := s.do(func(m *Mem) error { rows = m.Rows(table); return nil }); err != nil {
			yield(dict.Row{}, err)
			return
		}
		rows(yield)
	}
}

func (s *fileStore) Stats(table string) (out dict.Stats, err error) {
	err = s.do(func(m *Mem) (err error) { out, err = m.Stats(table); return err })
	return out, err
}

func (s *fileStore) Close() error { return nil }

func TestFileStore(t *testing.T) {
	need.Long(t)
	Run(t, func(tb testing.TB) dict.Store { return &fileStore{dir: tb.TempDir()} },
		Shared(func(s dict.Store) string { return s.(*fileStore).dir },
			func(dir string) (dict.Store, error) { return &fileStore{dir: dir}, nil }))
}
