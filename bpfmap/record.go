// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"nftdict/dict"
)

// recordSize is the size of a record of the schema, maxRecords how many a
// namespace may have: a table, a field and an alias are one each.
const (
	recordSize = 216
	maxRecords = 16384
)

// recordKey names a record: number 0 of a table is the table itself and is
// written last, 1 and up its fields and their aliases in order.
type recordKey struct {
	Table  uint32
	Number uint32
}

// record is one record of the schema. In the map: kind, type, flags, type of
// the default (a byte each), limit or number of the field, timeout in seconds,
// count (32 bits each), name (64), default (its length, then 128 bytes).
type record struct {
	kind    recordKind
	typ     uint8 // dict.KeyType of a table, dict.Type of a field
	bound   bool
	open    bool
	hidden  bool   // a field that only rules know
	limit   uint32 // of a table
	field   uint32 // of an alias: the index of its field
	timeout uint32 // of a table
	count   uint32 // of a table: how many records follow it
	name    string
	value   dict.Value // default of a field
}

type recordKind uint8

const (
	tableRecord recordKind = 1 + iota
	fieldRecord
	aliasRecord
)

const (
	flagBound = 1 << iota
	flagOpen
	flagHidden
)

func (r record) marshal() []byte {
	b := make([]byte, recordSize)
	b[0], b[1] = byte(r.kind), r.typ
	if r.bound {
		b[2] |= flagBound
	}
	if r.open {
		b[2] |= flagOpen
	}
	if r.hidden {
		b[2] |= flagHidden
	}
	b[3] = byte(r.value.Type())
	number := r.limit
	if r.kind == aliasRecord {
		number = r.field
	}
	binary.NativeEndian.PutUint32(b[4:], number)
	binary.NativeEndian.PutUint32(b[8:], r.timeout)
	binary.NativeEndian.PutUint32(b[12:], r.count)
	copy(b[16:80], r.name)
	text := r.value.String()
	b[80] = byte(len(text))
	copy(b[81:81+dict.MaxString], text)
	return b
}

func unmarshalRecord(b []byte) (record, error) {
	if len(b) != recordSize {
		return record{}, fmt.Errorf("schema record of %d bytes: %w", len(b), dict.ErrInvalid)
	}
	number := binary.NativeEndian.Uint32(b[4:])
	r := record{
		kind: recordKind(b[0]), typ: b[1], bound: b[2]&flagBound != 0, open: b[2]&flagOpen != 0, hidden: b[2]&flagHidden != 0,
		timeout: binary.NativeEndian.Uint32(b[8:]), count: binary.NativeEndian.Uint32(b[12:]),
	}
	end := 0
	for end < 64 && b[16+end] != 0 {
		end++
	}
	var err error
	if r.name, err = dict.CheckName(string(b[16 : 16+end])); err != nil {
		return record{}, fmt.Errorf("schema record: %w", err)
	}
	switch r.kind {
	case tableRecord:
		r.limit = number
	case aliasRecord:
		r.field = number
	case fieldRecord:
	default:
		return record{}, fmt.Errorf("schema record of kind %d: %w", r.kind, dict.ErrInvalid)
	}
	if b[3] == 0 {
		return r, nil
	}
	if b[80] > dict.MaxString {
		return record{}, fmt.Errorf("schema record %q: default of %d bytes: %w", r.name, b[80], dict.ErrInvalid)
	}
	text := string(b[81 : 81+int(b[80])])
	if dict.Type(b[3]) == dict.IPv6 {
		// Not by way of ParseValue alone: IPv4-mapped addresses stay IPv6.
		a, err := netip.ParseAddr(text)
		if err != nil {
			return record{}, fmt.Errorf("schema record %q: %w", r.name, err)
		}
		r.value = dict.AddrValue(a)
		return r, nil
	}
	r.value, err = dict.ParseValue(dict.Type(b[3]), text)
	if err != nil {
		return record{}, fmt.Errorf("schema record %q: %w", r.name, err)
	}
	return r, nil
}

// tableRecords returns the record of a table that is followed by count others.
func recordOfTable(t dict.Table, count int) record {
	return record{
		kind: tableRecord, typ: uint8(t.Key), bound: t.Bound, open: t.Open, limit: uint32(t.Limit),
		timeout: uint32(t.Timeout / time.Second), count: uint32(count), name: t.Name,
	}
}

// recordsOfFields returns the records of fields in order; the first of them is
// field number index of its table.
func recordsOfFields(index int, fields []dict.Field) []record {
	var out []record
	for i, f := range fields {
		out = append(out, record{kind: fieldRecord, typ: uint8(f.Type), name: f.Name, value: f.Default})
		for _, a := range f.Aliases {
			out = append(out, record{kind: aliasRecord, field: uint32(index + i), name: a})
		}
	}
	return out
}

// schemaOf returns the table that records describe: its own, then the others.
func schemaOf(head record, rest []record) (dict.Table, error) {
	t := dict.Table{
		Name: head.name, Key: dict.KeyType(head.typ), Limit: int(head.limit),
		Timeout: time.Duration(head.timeout) * time.Second, Bound: head.bound, Open: head.open,
	}
	for _, r := range rest {
		switch {
		case r.kind == fieldRecord:
			t.Fields = append(t.Fields, dict.Field{Name: r.name, Type: dict.Type(r.typ), Default: r.value})
		case r.kind == aliasRecord && int(r.field) < len(t.Fields):
			f := &t.Fields[r.field]
			f.Aliases = append(f.Aliases, r.name)
		default:
			return dict.Table{}, fmt.Errorf("table %q: schema record %q of kind %d: %w", t.Name, r.name, r.kind, dict.ErrInvalid)
		}
	}
	return t.Normal()
}
