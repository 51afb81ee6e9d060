// SPDX-License-Identifier: MIT

package dicttest

import (
	"iter"
	"maps"
	"slices"
	"time"

	"nftdict/dict"
)

// memRow is one row at one moment.
type memRow struct {
	cells map[string]dict.Value // by canonical field name
	end   time.Time             // zero: without end
}

func (r *memRow) alive(now time.Time) bool {
	return r != nil && (r.end.IsZero() || now.Before(r.end))
}

// row returns what Get and Rows show of r.
func (r *memRow) row(t *dict.Table, k dict.Key, now time.Time) dict.Row {
	out := dict.Row{Key: k}
	for _, f := range t.Fields {
		if v, ok := r.cells[f.Name]; ok {
			out.Cells = append(out.Cells, dict.Cell{Field: f.Name, Value: v})
		}
	}
	if !r.end.IsZero() {
		out.TTL = (r.end.Sub(now) + time.Second - 1).Truncate(time.Second)
	}
	return out
}

// Put implements dict.Store.
func (m *Mem) Put(table string, rows ...dict.Row) error { return m.write("set", table, rows) }

// Add implements dict.Store.
func (m *Mem) Add(table string, rows ...dict.Row) error { return m.write("add", table, rows) }

// write puts rows, or adds to what is there.
func (m *Mem) write(op, table string, rows []dict.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table(op, table)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if err := t.write(op, r, m.now()); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) < len(rows) {
		m.wake()
	}
	return join(errs)
}

// write stores one row or, on an error, nothing of it.
func (t *memTable) write(op string, r dict.Row, now time.Time) error {
	check := t.schema.CheckRow
	if op == "add" {
		check = t.schema.CheckAmounts
	}
	r, err := check(op, r)
	if err != nil {
		return err
	}
	ttl, err := t.schema.Life(op, r.TTL)
	if err != nil {
		return err
	}
	schema, err := t.grown(r.Cells)
	if err != nil {
		return &dict.At{Op: op, Table: t.schema.Name, Key: r.Key.Text(), Err: err}
	}
	old := t.rows[r.Key]
	next := &memRow{cells: map[string]dict.Value{}}
	if ttl > 0 {
		next.end = now.Add(ttl)
	}
	if old.alive(now) {
		next.cells = maps.Clone(old.cells)
		if op == "add" {
			next.end = old.end
		}
	} else if t.alive(now) >= t.schema.Limit {
		t.refused++
		return &dict.At{Op: op, Table: t.schema.Name, Key: r.Key.Text(), Err: dict.ErrFull}
	}
	for _, c := range r.Cells {
		if op == "add" {
			c.Value = start(&schema, next.cells, c).Plus(c.Value.Int64())
		}
		next.cells[c.Field] = c.Value
	}
	t.schema = schema
	t.rows[r.Key] = next
	return nil
}

// start returns what an amount is added to.
func start(t *dict.Table, cells map[string]dict.Value, c dict.Cell) dict.Value {
	if v := cells[c.Field]; v.Type() == c.Value.Type() {
		return v
	}
	if v := t.Fields[t.Index(c.Field)].Default; !v.IsZero() {
		return v
	}
	if c.Value.Type() == dict.Int {
		return dict.IntValue(0)
	}
	return dict.Int64Value(0)
}

// grown returns the schema with the fields that cells bring to an open table.
func (t *memTable) grown(cells []dict.Cell) (dict.Table, error) {
	var fields []dict.Field
	for _, c := range cells {
		if t.schema.Index(c.Field) < 0 {
			fields = append(fields, dict.Field{Name: c.Field})
		}
	}
	if fields == nil {
		return t.schema, nil
	}
	return t.schema.With(fields...)
}

// alive counts the rows alive; it drops the others where they fill the table.
func (t *memTable) alive(now time.Time) int {
	if len(t.rows) >= t.schema.Limit {
		maps.DeleteFunc(t.rows, func(_ dict.Key, r *memRow) bool { return !r.alive(now) })
	}
	return len(t.rows)
}

// Renew implements dict.Store.
func (m *Mem) Renew(table string, ttl time.Duration, keys ...dict.Key) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table("renew", table)
	if err != nil {
		return 0, err
	}
	if ttl, err = t.schema.Life("renew", ttl); err != nil {
		return 0, err
	}
	keys = slices.Clone(keys)
	for i := range keys {
		if keys[i], err = t.schema.CheckKey("renew", keys[i]); err != nil {
			return 0, err
		}
	}
	n, now := 0, m.now()
	for _, k := range keys {
		r := t.rows[k]
		if !r.alive(now) {
			continue
		}
		next := &memRow{cells: r.cells}
		if ttl > 0 {
			next.end = now.Add(ttl)
		}
		t.rows[k] = next
		n++
	}
	return n, nil
}

// Get implements dict.Store.
func (m *Mem) Get(table string, key dict.Key) (dict.Row, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.table("get", table)
	if err != nil {
		return dict.Row{}, err
	}
	if key, err = t.schema.CheckKey("get", key); err != nil {
		return dict.Row{}, err
	}
	r, now := t.rows[key], m.now()
	if !r.alive(now) {
		return dict.Row{}, &dict.At{Op: "get", Table: t.schema.Name, Key: key.Text(), Err: dict.ErrNotExist}
	}
	return r.row(&t.schema, key, now), nil
}

// Delete implements dict.Store.
func (m *Mem) Delete(table string, key dict.Key, fields ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.table("delete", table)
	if err != nil {
		return err
	}
	if key, err = t.schema.CheckKey("delete", key); err != nil {
		return err
	}
	refuse := func(field string) error {
		return &dict.At{Op: "delete", Table: t.schema.Name, Key: key.Text(), Field: field, Err: dict.ErrNotExist}
	}
	r := t.rows[key]
	if !r.alive(m.now()) {
		return refuse("")
	}
	next := &memRow{cells: maps.Clone(r.cells), end: r.end}
	for _, name := range fields {
		i := t.schema.Index(name)
		if i < 0 {
			return refuse(name)
		}
		name = t.schema.Fields[i].Name
		if _, ok := r.cells[name]; !ok {
			return refuse(name)
		}
		delete(next.cells, name)
	}
	if len(fields) == 0 {
		delete(t.rows, key)
	} else {
		t.rows[key] = next
	}
	m.wake()
	return nil
}

// Rows implements dict.Store: of the keys there at the start, the rows there
// when their turn comes.
func (m *Mem) Rows(table string) iter.Seq2[dict.Row, error] {
	return func(yield func(dict.Row, error) bool) {
		m.mu.RLock()
		t, err := m.table("list", table)
		var keys []dict.Key
		if err == nil {
			keys = slices.Collect(maps.Keys(t.rows))
		}
		m.mu.RUnlock()
		if err != nil {
			yield(dict.Row{}, err)
			return
		}
		for _, k := range keys {
			m.mu.RLock()
			r, now := t.rows[k], m.now()
			var row dict.Row
			if r.alive(now) {
				row = r.row(&t.schema, k, now)
			}
			m.mu.RUnlock()
			if r.alive(now) && !yield(row, nil) {
				return
			}
		}
	}
}

// Stats implements dict.Store.
func (m *Mem) Stats(table string) (dict.Stats, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.table("stats", table)
	if err != nil {
		return dict.Stats{}, err
	}
	s := dict.Stats{Limit: t.schema.Limit, Refused: t.refused}
	now := m.now()
	for _, r := range t.rows {
		if r.alive(now) {
			s.Rows++
		}
	}
	return s, nil
}
