// SPDX-License-Identifier: MIT

package genl

import (
	"nftdict/dict"
)

// shadow is what a watch knows of a table's rows. The module tells what was
// written; what that changed is seen by comparing.
type shadow struct {
	table *table
	rows  map[dict.Key]map[string]dict.Value
}

func newShadow(t *table) *shadow {
	return &shadow{table: t, rows: map[dict.Key]map[string]dict.Value{}}
}

// set takes written cells into account and returns those that changed; told
// says whether anything did.
func (s *shadow) set(r dict.Row) (changed dict.Row, told bool) {
	changed.Key = r.Key
	cells, known := s.rows[r.Key]
	if !known {
		cells = map[string]dict.Value{}
		s.rows[r.Key] = cells
	}
	for _, c := range r.Cells {
		if cells[c.Field] != c.Value {
			cells[c.Field] = c.Value
			changed.Cells = append(changed.Cells, c)
		}
	}
	return changed, !known || len(changed.Cells) > 0
}

// unset takes cells that went into account, or a row if no fields are named.
func (s *shadow) unset(key dict.Key, fields []string) (changed dict.Row, told bool) {
	changed.Key = key
	cells, known := s.rows[key]
	if !known {
		return changed, false
	}
	if len(fields) == 0 {
		delete(s.rows, key)
		return changed, true
	}
	for _, f := range fields {
		if _, had := cells[f]; had {
			delete(cells, f)
			changed.Cells = append(changed.Cells, dict.Cell{Field: f})
		}
	}
	return changed, len(changed.Cells) > 0
}

// become makes the shadow that of a table as it is now, and calls f for what
// changed.
func (s *shadow) become(now *shadow, f func(dict.ChangeKind, dict.Row) error) error {
	for key, cells := range s.rows {
		fields, stays := now.rows[key]
		var gone []string
		for field := range cells {
			if _, has := fields[field]; !has {
				gone = append(gone, field)
			}
		}
		if stays && len(gone) == 0 {
			continue
		}
		if !stays {
			gone = nil
		}
		if r, told := s.unset(key, gone); told {
			if err := f(dict.Deleted, r); err != nil {
				return err
			}
		}
	}
	for key, cells := range now.rows {
		r := dict.Row{Key: key}
		for _, field := range now.table.schema.Fields {
			if v, has := cells[field.Name]; has {
				r.Cells = append(r.Cells, dict.Cell{Field: field.Name, Value: v})
			}
		}
		if r, told := s.set(r); told {
			if err := f(dict.Set, r); err != nil {
				return err
			}
		}
	}
	s.table = now.table
	return nil
}
