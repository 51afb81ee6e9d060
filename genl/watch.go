// SPDX-License-Identifier: MIT

package genl

import (
	"context"
	"errors"

	"nftdict/dict"
)

// watch is a Watch under way.
type watch struct {
	store  *Store
	conn   *conn
	tell   func(dict.Change) error
	named  map[string]bool    // the tables asked for; nil for all
	tables map[uint32]*shadow // by id
}

// Watch implements dict.Watcher: the module tells of changes as they happen.
// It keeps a copy of what it watches. When it is slower than the changes the
// kernel drops some; then it reads the tables again and reports what came of
// the changes. A table that was named and is deleted ends it with
// dict.ErrNotExist.
func (s *Store) Watch(ctx context.Context, f func(dict.Change) error, tables ...string) error {
	w := &watch{store: s, tell: f}
	if len(tables) > 0 {
		w.named = map[string]bool{}
		for _, name := range tables {
			w.named[dict.Name(name)] = true
		}
	}
	at := func(err error) error { return &dict.At{Op: "watch", Err: err} }
	var err error
	if w.conn, err = s.pool.get(); err != nil {
		return at(err)
	}
	defer w.conn.close()
	if err := w.conn.join(groupChanges); err != nil {
		return at(err)
	}
	// What changes from here on is waiting in the socket when the rows are read.
	if w.tables, err = w.read(); err != nil {
		return err
	}
	return w.conn.events(ctx, w.resync, w.message)
}

// read returns the watched tables as they are now.
func (w *watch) read() (map[uint32]*shadow, error) {
	found, err := w.store.list()
	if err != nil {
		return nil, &dict.At{Op: "watch", Err: err}
	}
	out := map[uint32]*shadow{}
	there := map[string]bool{}
	for _, t := range found {
		if w.named != nil && !w.named[t.schema.Name] {
			continue
		}
		there[t.schema.Name] = true
		s := newShadow(t)
		switch err := w.fill(s); {
		case errors.Is(err, dict.ErrNotExist) && w.named == nil: // deleted meanwhile
		case err != nil:
			return nil, err
		default:
			out[t.id] = s
		}
	}
	for name := range w.named {
		if !there[name] {
			return nil, &dict.At{Op: "watch", Table: name, Err: dict.ErrNotExist}
		}
	}
	return out, nil
}

// fill reads the rows of a table.
func (w *watch) fill(s *shadow) error {
	d := decoder{w.store, s.table}
	b := newBuilder()
	b.of(s.table)
	err := w.store.pool.use(func(c *conn) error {
		_, err := c.dump(cmdRowGet, b.buf, func(b []byte) error {
			return d.eachRow(b, func(r dict.Row) error {
				s.set(r)
				return nil
			})
		})
		return err
	})
	s.table = d.table
	if err != nil {
		return &dict.At{Op: "watch", Table: s.table.schema.Name, Err: err}
	}
	return nil
}

// resync reads everything again and tells what changed.
func (w *watch) resync() error {
	now, err := w.read()
	if err != nil {
		return err
	}
	for id, s := range w.tables {
		if now[id] == nil {
			if err := s.become(newShadow(s.table), w.teller(s)); err != nil {
				return err
			}
		}
	}
	for id, s := range now {
		old := w.tables[id]
		if old == nil {
			old = newShadow(s.table)
		}
		if err := old.become(s, w.teller(s)); err != nil {
			return err
		}
	}
	w.tables = now
	return nil
}

// teller returns what reports changes of a table's rows.
func (w *watch) teller(s *shadow) func(dict.ChangeKind, dict.Row) error {
	return func(kind dict.ChangeKind, r dict.Row) error {
		return w.tell(dict.Change{Table: s.table.schema.Name, Kind: kind, Row: r})
	}
}

// message reports what the attributes of a notification tell.
func (w *watch) message(command uint8, attrs []byte) error {
	switch command {
	case cmdTableNtf:
		return w.tableNew(attrs)
	case cmdTableDelNtf:
		return w.tableGone(attrs)
	case cmdRowNtf:
		return w.rows(attrs, func(s *shadow, r dict.Row) error {
			if r, told := s.set(r); told {
				return w.teller(s)(dict.Set, r)
			}
			return nil
		})
	case cmdRowDelNtf:
		return w.rows(attrs, func(s *shadow, r dict.Row) error {
			fields := make([]string, len(r.Cells))
			for i, c := range r.Cells {
				fields[i] = c.Field
			}
			if r, told := s.unset(r.Key, fields); told {
				return w.teller(s)(dict.Deleted, r)
			}
			return nil
		})
	}
	return nil
}

// tableNew takes a table, or new fields of one, into account.
func (w *watch) tableNew(b []byte) error {
	found, err := parseTable(b, nil)
	if err != nil {
		return err
	}
	t := found[0]
	if w.named != nil && !w.named[t.schema.Name] {
		return nil
	}
	if err := t.finish(); err != nil {
		return err
	}
	if s := w.tables[t.id]; s != nil {
		if len(t.fields) > len(s.table.fields) {
			s.table = t
		}
		return nil
	}
	w.tables[t.id] = newShadow(t)
	return nil
}

// tableGone reports that the rows of a table are gone.
func (w *watch) tableGone(b []byte) error {
	id, err := tableID(b)
	s := w.tables[id]
	if err != nil || s == nil {
		return err
	}
	delete(w.tables, id)
	name := s.table.schema.Name
	if err := s.become(newShadow(s.table), w.teller(s)); err != nil {
		return err
	}
	if w.named != nil {
		return &dict.At{Op: "watch", Table: name, Err: dict.ErrNotExist}
	}
	return nil
}

// rows calls f for the rows that a message tells of, if they are watched.
func (w *watch) rows(b []byte, f func(*shadow, dict.Row) error) error {
	id, err := tableID(b)
	s := w.tables[id]
	if err != nil || s == nil {
		return err
	}
	d := decoder{w.store, s.table}
	err = d.eachRow(b, func(r dict.Row) error {
		s.table = d.table
		return f(s, r)
	})
	if errors.Is(err, dict.ErrNotExist) {
		return nil // the table has gone since; that will be told
	}
	return err
}

// tableID returns which table a message is about.
func tableID(b []byte) (id uint32, err error) {
	err = each(b, func(a attr) (err error) {
		if a.typ == attrTableID {
			id, err = a.uint32()
		}
		return err
	})
	return id, err
}
