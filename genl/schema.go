// SPDX-License-Identifier: MIT

package genl

import (
	"fmt"
	"time"

	"nftdict/dict"
)

// table is a table as the module told of it.
type table struct {
	id     uint32
	schema dict.Table
	fields map[string]int // index by canonical name or alias
	stats  dict.Stats     // at that moment
	old    bool           // the module is older than 1.2
}

// at is an error of a table with its place.
func (t *table) at(op string, key dict.Key, field string, err error) error {
	return &dict.At{Op: op, Table: t.schema.Name, Key: key.Text(), Field: field, Err: err}
}

// schema appends the attributes that declare a table in normal form.
func (b *builder) schema(t dict.Table) {
	b.text(attrTable, t.Name)
	b.uint32(attrKeyType, uint32(t.Key))
	b.uint32(attrLimit, uint32(t.Limit))
	if t.Timeout > 0 {
		b.uint32(attrTimeout, uint32(t.Timeout/time.Second))
	}
	var flags uint32
	if t.Bound {
		flags |= tableBound
	}
	if t.Open {
		flags |= tableOpen
	}
	if flags != 0 {
		b.uint32(attrFlags, flags)
	}
	b.fields(t.Fields)
}

// fields appends the attributes that declare fields in normal form.
func (b *builder) fields(fields []dict.Field) {
	for _, f := range fields {
		at := b.nest(attrField)
		b.text(fieldName, f.Name)
		if f.Type != 0 {
			b.uint32(fieldType, uint32(f.Type))
		}
		if !f.Default.IsZero() {
			cell := b.nest(fieldDefault)
			b.value(f.Default)
			b.end(cell)
		}
		for _, alias := range f.Aliases {
			b.text(fieldAlias, alias)
		}
		b.end(at)
	}
}

// parse takes one message about a table into account: a schema that does not
// fit one message comes in several.
func (t *table) parse(a attr) (err error) {
	var n uint32
	switch a.typ {
	case attrTable:
		t.schema.Name = dict.Name(a.text())
	case attrTableID:
		t.id, err = a.uint32()
	case attrKeyType:
		n, err = a.uint32()
		t.schema.Key = dict.KeyType(n)
	case attrLimit:
		n, err = a.uint32()
		t.schema.Limit, t.stats.Limit = int(n), int(n)
	case attrTimeout:
		n, err = a.uint32()
		t.schema.Timeout = time.Duration(n) * time.Second
	case attrFlags:
		n, err = a.uint32()
		t.schema.Bound, t.schema.Open = n&tableBound != 0, n&tableOpen != 0
	case attrField:
		err = t.parseField(a.data)
	case attrRows:
		n, err = a.uint32()
		t.stats.Rows = int(n)
	case attrRefused:
		t.stats.Refused, err = a.uint64()
	case attrVersion:
		t.old = a.text() == "1.0" || a.text() == "1.1"
	}
	return err
}

func (t *table) parseField(b []byte) error {
	f := dict.Field{}
	index := uint32(len(t.schema.Fields))
	err := each(b, func(a attr) (err error) {
		switch a.typ {
		case fieldName:
			f.Name = dict.Name(a.text())
		case fieldType:
			var n uint32
			n, err = a.uint32()
			f.Type = dict.Type(n)
		case fieldDefault:
			f.Default, err = parseDefault(a.data)
		case fieldAlias:
			f.Aliases = append(f.Aliases, dict.Name(a.text()))
		case fieldIndex:
			index, err = a.uint32()
		}
		return err
	})
	if err != nil {
		return err
	}
	if int(index) != len(t.schema.Fields) {
		return errAnswer(fmt.Sprintf("field %d of table %s after %d others", index, t.schema.Name, len(t.schema.Fields)))
	}
	t.schema.Fields = append(t.schema.Fields, f)
	return nil
}

// parseDefault reads a cell without a field.
func parseDefault(b []byte) (v dict.Value, err error) {
	err = each(b, func(a attr) (err error) {
		if a.typ < cellField {
			v, err = parseValue(a)
		}
		return err
	})
	return v, err
}

// finish checks what was told and prepares look-ups.
func (t *table) finish() error {
	if _, err := t.schema.Normal(); err != nil || t.schema.Limit == 0 {
		return errAnswer(fmt.Sprintf("schema of table %q: %v", t.schema.Name, err))
	}
	t.fields = make(map[string]int, len(t.schema.Fields))
	for i, f := range t.schema.Fields {
		t.fields[f.Name] = i
		for _, alias := range f.Aliases {
			t.fields[alias] = i
		}
	}
	return nil
}
