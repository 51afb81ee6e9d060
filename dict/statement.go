// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"time"
)

// Statement is one statement of the text form: an *AddTableStmt,
// *AddFieldStmt, *DeleteTableStmt, *SetStmt, *AddStmt, *DeleteStmt or
// *FlushStmt.
type Statement interface {
	// Position returns where the statement begins.
	Position() Pos
	// TableName returns the name of the table that it is about, as written.
	TableName() string
}

// AddTableStmt is `add table NAME { ... }`.
type AddTableStmt struct {
	Pos
	Table Table // as Normal returns it
}

// AddFieldStmt is `add field TABLE NAME TYPE [default VALUE] [alias NAME]...`.
type AddFieldStmt struct {
	Pos
	Table Word
	Field Field
}

// DeleteTableStmt is `delete table NAME`.
type DeleteTableStmt struct {
	Pos
	Table Word
}

// SetStmt is `set TABLE KEY [FIELD [TYPE] VALUE]... [ttl SPAN]`.
type SetStmt struct {
	Pos
	Table Word
	Key   Word
	Cells []CellText
	TTL   time.Duration
}

// AddStmt is `add TABLE KEY FIELD [TYPE] AMOUNT... [ttl SPAN]`. A table that is
// called table or field stands in quotes.
type AddStmt struct{ SetStmt }

// CellText is a field and its value as written, not yet resolved against a
// schema. Type is 0 where it is left out.
type CellText struct {
	Field Word
	Type  Type
	Value Word
}

// DeleteStmt is `delete TABLE KEY [FIELD]...`.
type DeleteStmt struct {
	Pos
	Table  Word
	Key    Word
	Fields []Word
}

// FlushStmt is `flush [table] NAME`.
type FlushStmt struct {
	Pos
	Table Word
}

// TableName implements Statement.
func (s *AddTableStmt) TableName() string { return s.Table.Name }

// TableName implements Statement.
func (s *AddFieldStmt) TableName() string { return s.Table.Text }

// TableName implements Statement.
func (s *DeleteTableStmt) TableName() string { return s.Table.Text }

// TableName implements Statement.
func (s *SetStmt) TableName() string { return s.Table.Text }

// TableName implements Statement.
func (s *DeleteStmt) TableName() string { return s.Table.Text }

// TableName implements Statement.
func (s *FlushStmt) TableName() string { return s.Table.Text }

// Row resolves the statement against the table's schema: what Put takes. The
// error is a *TextError at the word at fault; it names table, key and field and
// wraps ErrNotExist, ErrType, ErrInvalid, ErrRange or ErrTooLong.
func (s *SetStmt) Row(t *Table) (Row, error) { return s.row("set", t, t.CheckRow) }

// Row resolves the statement against the table's schema: what Add takes. The
// errors are those of a SetStmt, and ErrInvalid for a field's second amount.
func (s *AddStmt) Row(t *Table) (Row, error) { return s.row("add", t, t.CheckAmounts) }

func (s *SetStmt) row(op string, t *Table, check func(string, Row) (Row, error)) (Row, error) {
	k, err := s.Key.key(op, t)
	if err != nil {
		return Row{}, err
	}
	r := Row{Key: k, TTL: s.TTL}
	for _, c := range s.Cells {
		v, err := c.resolve(t)
		if err != nil {
			at := c.Value.Pos
			if i := t.Index(c.Field.Text); i < 0 {
				at = c.Field.Pos
			}
			return Row{}, &TextError{Pos: at, Err: &At{Op: op, Table: t.Name, Key: k.Text(), Field: c.Field.Text, Err: err}}
		}
		r.Cells = append(r.Cells, Cell{Field: c.Field.Text, Value: v})
	}
	if r, err = check(op, r); err != nil {
		return Row{}, &TextError{Pos: s.Pos, Err: err}
	}
	return r, nil
}

// resolve returns the value as its field takes it.
func (c CellText) resolve(t *Table) (Value, error) {
	typ := c.Type
	switch i := t.Index(c.Field.Text); {
	case t.Open:
		if _, err := CheckName(c.Field.Text); i < 0 && err != nil {
			return Value{}, err
		}
		if typ == 0 {
			return Value{}, fmt.Errorf("value %s: %w: want its type before it, the table is open", brief(c.Value.Text), ErrInvalid)
		}
	case i < 0:
		return Value{}, ErrNotExist
	case typ == 0:
		typ = t.Fields[i].Type
	}
	if c.Value.Quoted && typ != String {
		return Value{}, fmt.Errorf("%s %s: %w: quotes are for long_string", typ, brief(c.Value.Text), ErrType)
	}
	return ParseValue(typ, c.Value.Text)
}

// Resolve returns the key and the fields, by their canonical names, as Delete
// takes them. The error is a *TextError at the word at fault and wraps
// ErrNotExist, ErrType, ErrInvalid, ErrRange or ErrTooLong.
func (s *DeleteStmt) Resolve(t *Table) (Key, []string, error) {
	k, err := s.Key.key("delete", t)
	if err != nil {
		return Key{}, nil, err
	}
	var fields []string
	for _, w := range s.Fields {
		i := t.Index(w.Text)
		if i < 0 {
			return Key{}, nil, &TextError{Pos: w.Pos, Err: &At{Op: "delete", Table: t.Name, Key: k.Text(), Field: w.Text, Err: ErrNotExist}}
		}
		fields = append(fields, t.Fields[i].Name)
	}
	return k, fields, nil
}

// key resolves a word as the table's key.
func (w Word) key(op string, t *Table) (Key, error) {
	var k Key
	var err error
	if w.Quoted && t.Key != KeyString {
		err = fmt.Errorf("%s %s: %w: quotes are for string", t.Key, brief(w.Text), ErrType)
	} else {
		k, err = ParseKey(t.Key, w.Text)
	}
	if err != nil {
		return Key{}, &TextError{Pos: w.Pos, Err: &At{Op: op, Table: t.Name, Err: err}}
	}
	return k, nil
}
