// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"slices"

	"nftdict/dict"
)

// grown returns an open table with the fields that rows bring, and the rows
// that may be put. A row that is refused brings no fields; why it was goes to
// errs.
func (s *Store) grown(op writeOp, t *table, rows []dict.Row, errs *[]error) (*table, []dict.Row, error) {
	if !slices.ContainsFunc(rows, t.bringsFields) {
		return t, rows, nil
	}
	st, err := s.Stats(t.schema.Name)
	if err != nil {
		return nil, nil, err
	}
	room := st.Limit - st.Rows
	var good []dict.Row
	for _, r := range rows {
		if !t.bringsFields(r) {
			good = append(good, r)
			continue
		}
		if r, err = op.check(t, r); err != nil {
			*errs = append(*errs, err)
			continue
		}
		if _, err := s.Get(t.schema.Name, r.Key); errors.Is(err, dict.ErrNotExist) {
			if room--; room < 0 {
				if err := t.work(func() error { t.refuse(); return nil }); err != nil {
					return nil, nil, err
				}
				*errs = append(*errs, t.at(string(op), r.Key, "", dict.ErrFull))
				continue
			}
		}
		if err := s.growFor(op, t, r); err != nil {
			*errs = append(*errs, t.ofRow(op, r.Key, err))
			continue
		}
		good = append(good, r)
		if t, err = s.table(string(op), t.schema.Name); err != nil {
			return nil, nil, err
		}
	}
	return t, good, nil
}

// bringsFields reports whether a row has fields that an open table lacks.
func (t *table) bringsFields(r dict.Row) bool {
	return slices.ContainsFunc(r.Cells, func(c dict.Cell) bool {
		name := dict.Name(c.Field)
		_, known := t.fields[name]
		return !known || t.hidden[name]
	})
}

// ofRow moves an error about the schema to the row that wanted it changed.
func (t *table) ofRow(op writeOp, key dict.Key, err error) error {
	field := ""
	for at := (*dict.At)(nil); errors.As(err, &at); err = at.Err {
		if at.Field != "" {
			field = at.Field
		}
	}
	return t.at(string(op), key, field, err)
}

// growFor adds the fields that a checked row brings.
func (s *Store) growFor(op writeOp, t *table, r dict.Row) error {
	return s.change(func(found []tableSchema) error {
		f, err := pick(string(op), found, t.schema.Name)
		if err != nil {
			return err
		}
		var fields []dict.Field
		var hidden []string
		for _, c := range r.Cells {
			if name := dict.Name(c.Field); f.table.Index(name) < 0 { // nobody else was faster
				fields = append(fields, dict.Field{Name: name})
			} else if f.hidden[name] {
				hidden = append(hidden, name)
			}
		}
		if err := s.grow(string(op), f, fields, false); err != nil {
			return err
		}
		return s.dir.show(f, hidden)
	})
}
