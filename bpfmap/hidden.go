// SPDX-License-Identifier: MIT

package bpfmap

import (
	"slices"
	"strings"

	"nftdict/dict"
)

// A rule on an open table may name a field that no row has. Its program needs a
// number for it before the kernel is asked to take the rule, and may refuse. So
// the field gets its number hidden: listings of the table leave it out. It is
// shown when a row is put with it, when somebody adds it, or when the kernel has
// taken a rule. One that is never shown keeps its number for the next who comes
// with that name.

// broughtField is a hidden field that a rule on its way to the kernel names.
type broughtField struct {
	id           uint32
	table, field string
}

// bringing are the hidden fields of the codes that are held.
type bringing struct {
	codes  int
	fields []broughtField
}

// begin notes that a code with these fields is held.
func (b *bringing) begin(fields []broughtField) {
	if len(fields) > 0 {
		b.codes++
		b.fields = append(b.fields, fields...)
	}
}

// end notes that it is no longer. With the last one, and for all at once, it
// shows the fields that rules of the kernel name.
func (b *bringing) end(s *Store, fields []broughtField) error {
	if len(fields) == 0 {
		return nil
	}
	if b.codes--; b.codes > 0 {
		return nil
	}
	waiting := b.fields
	b.fields = nil
	taken := map[broughtField]bool{}
	err := s.ns.eachRule(func(r dumpedRule) {
		for _, l := range r.labels {
			for _, f := range waiting {
				// The name may be part of another: then it is shown too early.
				if slices.Contains(l.tables, f.id) && strings.Contains(l.text, f.field) {
					taken[f] = true
				}
			}
		}
	})
	if err != nil || len(taken) == 0 {
		return err
	}
	return s.change(func(found []tableSchema) error {
		for _, f := range found {
			var names []string
			for t := range taken {
				if t.id == f.id {
					names = append(names, t.field)
				}
			}
			if err := s.dir.show(f, names); err != nil {
				return err
			}
		}
		return nil
	})
}

// bring adds a hidden field to an open table, unless it is there.
func (s *Store) bring(table, field string) error {
	return s.change(func(found []tableSchema) error {
		f, err := pick("dict", found, table)
		if err != nil || f.table.Index(field) >= 0 {
			return err
		}
		return s.grow("dict", f, []dict.Field{{Name: field}}, true)
	})
}

// show shows hidden fields of a table. The caller holds the lock.
func (n *namespace) show(f tableSchema, names []string) error {
	if !slices.ContainsFunc(names, func(name string) bool { return f.hidden[name] }) {
		return nil
	}
	n.state.epoch.Add(1)
	for i := 1; i <= f.count; i++ {
		raw, err := n.schema.LookupBytes(recordKey{f.id, uint32(i)})
		if err != nil {
			return explain("read schema", err)
		}
		r, err := unmarshalRecord(raw)
		if err != nil {
			return err
		}
		if !r.hidden || !slices.Contains(names, r.name) {
			continue
		}
		r.hidden = false
		if err := n.writeRecords(f.id, i, []record{r}); err != nil {
			return err
		}
	}
	return nil
}
