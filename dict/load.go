// SPDX-License-Identifier: MIT

package dict

import "io"

// loadBatch is how many rows Load puts at once.
const loadBatch = 1000

// Load carries out the statements that r yields, in order. All of them are
// read first and checked against the schemas of their tables, with what the
// statements before make of them, so that a file with a mistake changes
// nothing; the error is then a *TextError. The first error of the store ends
// the work; what was done before it stays done.
func Load(s Store, r io.Reader) error {
	l := loader{store: s, tables: map[string]*Table{}}
	p := NewParser(r)
	for {
		st, err := p.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = l.add(st)
		}
		if err != nil {
			return err
		}
	}
	for _, do := range l.todo {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// loader checks statements and collects what is to be done.
type loader struct {
	store  Store
	tables map[string]*Table // as they will be; nil for one that is deleted
	todo   []func() error
	batch  *batch // of the last thing to do, nil if that is no Put
}

// batch is consecutive rows of one table.
type batch struct {
	table string
	rows  []Row
}

// table returns a table as the statements so far leave it.
func (l *loader) table(op string, st Statement) (*Table, error) {
	name := Name(st.TableName())
	if t, ok := l.tables[name]; ok {
		if t == nil {
			return nil, &TextError{Pos: st.Position(), Err: &At{Op: op, Table: name, Err: ErrNotExist}}
		}
		return t, nil
	}
	t, err := l.store.Table(name)
	if err != nil {
		return nil, &TextError{Pos: st.Position(), Err: err}
	}
	l.tables[name] = &t
	return &t, nil
}

// do adds something to do.
func (l *loader) do(f func() error) { l.todo, l.batch = append(l.todo, f), nil }

// add checks one statement.
func (l *loader) add(st Statement) error {
	refuse := func(err error) error { return &TextError{Pos: st.Position(), Err: err} }
	switch st := st.(type) {
	case *AddTableStmt:
		if t, err := l.table("table add", st); err == nil {
			return refuse(&At{Op: "table add", Table: t.Name, Err: ErrExist})
		}
		t := st.Table
		l.tables[t.Name] = &t
		l.do(func() error { return l.store.AddTable(st.Table) })
	case *AddFieldStmt:
		t, err := l.table("field add", st)
		if err != nil {
			return err
		}
		if err := l.grow(t, st.Field); err != nil {
			return refuse(err)
		}
		l.do(func() error { return l.store.AddFields(t.Name, st.Field) })
	case *DeleteTableStmt:
		t, err := l.table("table delete", st)
		if err != nil {
			return err
		}
		l.tables[t.Name] = nil
		l.do(func() error { return l.store.DeleteTable(t.Name) })
	case *FlushStmt:
		t, err := l.table("flush", st)
		if err != nil {
			return err
		}
		l.do(func() error { _, err := Flush(l.store, t.Name); return err })
	case *DeleteStmt:
		t, err := l.table("delete", st)
		if err != nil {
			return err
		}
		k, fields, err := st.Resolve(t)
		if err != nil {
			return err
		}
		l.do(func() error { return l.store.Delete(t.Name, k, fields...) })
	case *SetStmt:
		t, err := l.table("set", st)
		if err != nil {
			return err
		}
		r, err := st.Row(t)
		if err != nil {
			return err
		}
		for _, c := range r.Cells {
			if t.Index(c.Field) < 0 {
				if err := l.grow(t, Field{Name: c.Field}); err != nil {
					return refuse(err)
				}
			}
		}
		l.put(t.Name, r)
	}
	return nil
}

// grow adds a field to a table as it will be.
func (l *loader) grow(t *Table, f Field) error {
	next, err := t.With(f)
	if err == nil {
		*t = next
	}
	return err
}

// put adds a row to the last batch, or begins a new one.
func (l *loader) put(table string, r Row) {
	if l.batch == nil || l.batch.table != table || len(l.batch.rows) == loadBatch {
		b := &batch{table: table}
		l.do(func() error { return l.store.Put(b.table, b.rows...) })
		l.batch = b
	}
	l.batch.rows = append(l.batch.rows, r)
}
