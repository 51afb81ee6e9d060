// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// MaxFields is the most fields a table may have.
const MaxFields = 256

// MaxAliases is the most aliases a field may have.
const MaxAliases = 8

// DefaultLimit is the limit of rows of a table that names none.
const DefaultLimit = 65536

// MaxLimit is the highest limit of rows.
const MaxLimit = math.MaxInt32

// MaxTTL is the longest life of a row that has an end.
const MaxTTL = 365 * 24 * time.Hour

// Lease is how long a row of a Bound table lives without Renew on a backend
// that cannot see its conntrack entry go.
const Lease = 5 * time.Minute

// Table is the schema of a table.
type Table struct {
	Name    string        // as declared; compares by Name
	Key     KeyType       // type of the keys
	Fields  []Field       // in the order of declaration; empty at first in an Open table
	Limit   int           // most rows, 0 means DefaultLimit; writers that race for the last place may exceed it by one for each processor
	Timeout time.Duration // a row is gone so long after its last Put or Renew; 0 means never. Whole seconds
	Bound   bool          // rows die with their conntrack entry; the key type is KeyCtID
	Open    bool          // fields appear with the first value written, and each value keeps its own type
}

// Field is the schema of a field. In an Open table Type and Default are zero.
type Field struct {
	Name    string   // as declared; compares by Name
	Type    Type     // type of the values
	Default Value    // answers rules for a missing field and for a missing row; no value means none
	Aliases []string // other names of the same field, at most MaxAliases
}

// Has reports whether name, in any spelling, is the field's name or an alias.
func (f *Field) Has(name string) bool {
	name = Name(name)
	return Name(f.Name) == name || slices.ContainsFunc(f.Aliases, func(a string) bool { return Name(a) == name })
}

// Index returns the position of a field in Fields by its name or alias in any
// spelling, -1 if there is none.
func (t *Table) Index(name string) int {
	name = Name(name)
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return i
		}
	}
	return slices.IndexFunc(t.Fields, func(f Field) bool { return f.Has(name) })
}

// Field returns a field by its name or alias in any spelling. The error wraps
// ErrNotExist and names table and field.
func (t *Table) Field(name string) (*Field, error) {
	if i := t.Index(name); i >= 0 {
		return &t.Fields[i], nil
	}
	return nil, &At{Table: t.Name, Field: name, Err: ErrNotExist}
}

// Normal returns a deep copy with names in their canonical form and the
// limit filled in, or an error that names what is wrong with the schema.
func (t Table) Normal() (Table, error) {
	name, err := CheckName(t.Name)
	if err != nil {
		return Table{}, &At{Op: "table", Err: err}
	}
	t.Name = name
	fail := func(format string, args ...any) (Table, error) {
		return Table{}, &At{Op: "table", Table: name, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case t.Key == 0:
		return fail("%w: no key type", ErrInvalid)
	case !t.Key.Valid():
		return fail("%s: %w", t.Key, ErrInvalid)
	case t.Limit < 0 || t.Limit > MaxLimit:
		return fail("limit %d: %w: at most %d", t.Limit, ErrRange, MaxLimit)
	case checkTTL(t.Timeout) != nil:
		return fail("timeout %w", checkTTL(t.Timeout))
	case t.Bound && t.Key != KeyCtID:
		return fail("%w: bound to conntrack with key type %s, want ct_id", ErrInvalid, t.Key)
	}
	if t.Limit == 0 {
		t.Limit = DefaultLimit
	}
	fields := t.Fields
	t.Fields = nil
	return t.With(fields...)
}

// With returns a copy of a normal table with more fields, checked and in
// canonical form: no name twice, valid types, defaults of the field's type.
// The error wraps ErrExist, ErrInvalid, ErrTooLong, ErrType or ErrFull.
func (t Table) With(fields ...Field) (Table, error) {
	out := t
	out.Fields = slices.Clone(t.Fields)
	for _, f := range fields {
		at := func(err error) (Table, error) {
			return Table{}, &At{Op: "table", Table: t.Name, Field: f.Name, Err: err}
		}
		if len(f.Aliases) > MaxAliases {
			return at(fmt.Errorf("%w: %d aliases", ErrFull, MaxAliases))
		}
		n := Field{Type: f.Type}
		for i, name := range append([]string{f.Name}, f.Aliases...) {
			c, err := CheckName(name)
			if err != nil {
				return at(err)
			}
			if out.Index(c) >= 0 || i > 0 && n.Has(c) {
				return at(fmt.Errorf("name %s: %w", Quote(name), ErrExist))
			}
			if i == 0 {
				n.Name = c
			} else {
				n.Aliases = append(n.Aliases, c)
			}
		}
		switch {
		case t.Open && f.Type != 0:
			return at(fmt.Errorf("%w: an open table declares no types", ErrInvalid))
		case t.Open && !f.Default.IsZero():
			return at(fmt.Errorf("%w: an open table has no defaults", ErrInvalid))
		case !t.Open && f.Type == 0:
			return at(fmt.Errorf("%w: no type", ErrInvalid))
		case !t.Open && !f.Type.Valid():
			return at(fmt.Errorf("%s: %w", f.Type, ErrInvalid))
		}
		if !f.Default.IsZero() {
			v, err := f.Default.Convert(f.Type)
			if err != nil {
				return at(err)
			}
			n.Default = v
		}
		if len(out.Fields) == MaxFields {
			return at(fmt.Errorf("%w: %d fields", ErrFull, MaxFields))
		}
		out.Fields = append(out.Fields, n)
	}
	return out, nil
}

// CheckKey returns the key as the table stores it. The error wraps ErrType
// and names the table.
func (t *Table) CheckKey(op string, k Key) (Key, error) {
	k, err := k.Convert(t.Key)
	if err != nil {
		return Key{}, &At{Op: op, Table: t.Name, Err: err}
	}
	return k, nil
}

// Life returns how long a row lives that is put or renewed with ttl: ttl, or
// the table's Timeout, or Lease in a Bound table without one; 0 is without
// end. The error wraps ErrInvalid (not whole seconds) or ErrRange (negative,
// over MaxTTL) and names the table.
func (t *Table) Life(op string, ttl time.Duration) (time.Duration, error) {
	if err := checkTTL(ttl); err != nil {
		return 0, &At{Op: op, Table: t.Name, Err: fmt.Errorf("ttl %w", err)}
	}
	switch {
	case ttl == 0 && t.Timeout != 0:
		ttl = t.Timeout
	case ttl == 0 && t.Bound:
		ttl = Lease
	}
	return ttl, nil
}

func checkTTL(d time.Duration) error {
	switch {
	case d < 0 || d > MaxTTL:
		return fmt.Errorf("%v: %w: want 0s to %v", d, ErrRange, MaxTTL)
	case d%time.Second != 0:
		return fmt.Errorf("%v: %w: want whole seconds", d, ErrInvalid)
	}
	return nil
}

// CheckRow returns the row as the table stores it: canonical names, converted
// values, the later of two cells of one field. In an Open table unknown fields
// pass with their names checked. The error names table, key and field; it
// wraps ErrNotExist, ErrType, ErrInvalid, ErrRange or ErrTooLong.
func (t *Table) CheckRow(op string, r Row) (Row, error) {
	k, err := t.CheckKey(op, r.Key)
	if err != nil {
		return Row{}, err
	}
	out := Row{Key: k, TTL: r.TTL, Cells: make([]Cell, 0, len(r.Cells))}
	at := func(field string, err error) (Row, error) {
		return Row{}, &At{Op: op, Table: t.Name, Key: k.Text(), Field: field, Err: err}
	}
	if err := checkTTL(r.TTL); err != nil {
		return at("", fmt.Errorf("ttl %w", err))
	}
	for _, c := range r.Cells {
		i := t.Index(c.Field)
		name, v := "", c.Value
		switch {
		case i >= 0:
			name = t.Fields[i].Name
		case !t.Open:
			return at(c.Field, ErrNotExist)
		default:
			if name, err = CheckName(c.Field); err != nil {
				return at(c.Field, err)
			}
		}
		if v.IsZero() {
			return at(c.Field, fmt.Errorf("%w: no value", ErrInvalid))
		}
		if !t.Open {
			if v, err = v.Convert(t.Fields[i].Type); err != nil {
				return at(c.Field, err)
			}
		}
		if j := slices.IndexFunc(out.Cells, func(o Cell) bool { return o.Field == name }); j >= 0 {
			out.Cells[j].Value = v
			continue
		}
		out.Cells = append(out.Cells, Cell{Field: name, Value: v})
	}
	return out, nil
}
