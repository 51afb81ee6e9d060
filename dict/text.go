// SPDX-License-Identifier: MIT

package dict

import (
	"slices"
	"strconv"
)

// AppendTable appends the statement that makes the table, in one line without
// its end.
func AppendTable(b []byte, t Table) []byte { return appendTable(b, t, " ", "; ", "; }") }

// AppendTableBlock appends the statement that makes the table, a line for each
// part, without the last line's end.
func AppendTableBlock(b []byte, t Table) []byte {
	return appendTable(b, t, "\n\t", "\n\t", "\n}")
}

func appendTable(b []byte, t Table, begin, sep, end string) []byte {
	b = appendName(append(b, "add table "...), t.Name)
	b = append(append(b, " {"...), begin...)
	b = append(append(b, "key "...), t.Key.String()...)
	part := func(words ...string) {
		b = append(b, sep...)
		for i, w := range words {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, w...)
		}
	}
	if t.Limit != 0 {
		part("limit", strconv.Itoa(t.Limit))
	}
	if t.Timeout != 0 {
		part("timeout", FormatTTL(t.Timeout))
	}
	if t.Bound {
		part("bound")
	}
	if t.Open {
		part("open")
	}
	for _, f := range t.Fields {
		part("field ")
		b = appendField(b, f)
	}
	return append(b, end...)
}

// AppendField appends the statement that adds a field to a table.
func AppendField(b []byte, table string, f Field) []byte {
	b = append(appendName(append(b, "add field "...), table), ' ')
	return appendField(b, f)
}

func appendField(b []byte, f Field) []byte {
	b = appendName(b, f.Name)
	if f.Type != 0 {
		b = append(append(b, ' '), f.Type.String()...)
	}
	if !f.Default.IsZero() {
		b = f.Default.appendText(append(b, " default "...))
	}
	for _, a := range f.Aliases {
		b = appendName(append(b, " alias "...), a)
	}
	return b
}

// AppendRow appends the statement that puts the row, in one line without its
// end. In an Open table each value has its type before it.
func AppendRow(b []byte, t *Table, r Row) []byte {
	b = appendTarget(append(b, "set "...), t, r.Key)
	for _, c := range r.Cells {
		b = appendName(append(b, ' '), c.Field)
		if t.Open {
			b = append(append(b, ' '), c.Value.Type().String()...)
		}
		b = c.Value.appendText(append(b, ' '))
	}
	if r.TTL != 0 {
		b = append(append(b, " ttl "...), FormatTTL(r.TTL)...)
	}
	return b
}

// AppendChange appends the statement that does to a store what the change did:
// set, or delete of the row or its fields.
func AppendChange(b []byte, t *Table, c Change) []byte {
	if c.Kind == Set {
		return AppendRow(b, t, c.Row)
	}
	b = appendTarget(append(b, "delete "...), t, c.Row.Key)
	for _, cell := range c.Row.Cells {
		b = appendName(append(b, ' '), cell.Field)
	}
	return b
}

func appendTarget(b []byte, t *Table, k Key) []byte {
	return k.appendText(append(appendName(b, t.Name), ' '))
}

// appendName quotes names that would be taken for words of the language.
func appendName(b []byte, name string) []byte {
	if slices.Contains([]string{wordTable, wordField, wordTTL}, name) {
		return append(b, Quote(name)...)
	}
	return append(b, name...)
}
