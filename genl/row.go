// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// errField says that a row holds a field newer than the schema known here.
var errField = errors.New("a field that is not known here yet")

// parseRow reads a row, cells in the order of the schema. Cells without a
// value have none here either. The error wraps dict.ErrInvalid, or is errField.
func (t *table) parseRow(b []byte) (dict.Row, error) {
	var r dict.Row
	last := -1
	sorted := true
	err := each(b, func(a attr) (err error) {
		switch a.typ {
		case rowKey:
			r.Key, err = parseKey(t.schema.Key, a.data)
		case rowTTL:
			var n uint32
			n, err = a.uint32()
			r.TTL = time.Duration(n) * time.Second
		case rowCell:
			index, v, err := t.parseCell(a.data)
			if err != nil {
				return err
			}
			sorted = sorted && index > last
			last = index
			r.Cells = append(r.Cells, dict.Cell{Field: t.schema.Fields[index].Name, Value: v})
		}
		return err
	})
	if err != nil {
		return dict.Row{}, err
	}
	if r.Key.Type() == 0 {
		return dict.Row{}, errAnswer("row without a key")
	}
	if !sorted {
		slices.SortFunc(r.Cells, func(a, b dict.Cell) int { return t.fields[a.Field] - t.fields[b.Field] })
	}
	return r, nil
}

// parseCell reads a cell: the position of its field, and its value if it has
// one.
func (t *table) parseCell(b []byte) (index int, v dict.Value, err error) {
	index = -1
	err = each(b, func(a attr) (err error) {
		switch {
		case a.typ == cellField:
			var n uint32
			n, err = a.uint32()
			index = int(n)
		case a.typ == cellName:
			var ok bool
			if index, ok = t.fields[dict.Name(a.text())]; !ok {
				index = len(t.schema.Fields)
			}
		case a.typ < cellField:
			v, err = parseValue(a)
		}
		return err
	})
	switch {
	case err != nil:
		return 0, v, err
	case index < 0:
		return 0, v, errAnswer("cell without a field")
	case index >= len(t.schema.Fields):
		return 0, v, errField
	}
	return index, v, nil
}

// decoder reads rows of a table. When they hold fields that came after the
// schema was told, it asks for it again.
type decoder struct {
	store *Store
	table *table
}

// eachRow calls f for every row of a message.
func (d *decoder) eachRow(b []byte, f func(dict.Row) error) error {
	return each(b, func(a attr) error {
		if a.typ != attrRow {
			return nil
		}
		r, err := d.table.parseRow(a.data)
		if errors.Is(err, errField) {
			if err = d.refresh(); err == nil {
				r, err = d.table.parseRow(a.data)
			}
		}
		if err != nil {
			return err
		}
		return f(r)
	})
}

// refresh asks for the schema. The error wraps dict.ErrNotExist if another
// table bears the name by now.
func (d *decoder) refresh() error {
	t, err := d.store.ask(d.table.schema.Name)
	if err != nil {
		return err
	}
	if t.id != d.table.id {
		return &refusal{errno: unix.ESTALE}
	}
	d.table = t
	return nil
}
