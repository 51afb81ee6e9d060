// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"errors"
	"io"

	"nftdict/dict"
	"nftdict/nftext"
)

// maxBatch is how many rows are put at once.
const maxBatch = 1000

// plan is what the statements of a text come to. All of them are read and
// checked, against the tables as the statements before leave them, before the
// first is carried out. Adding what is there already is nothing to do, as in
// nft.
type plan struct {
	store      dict.Store
	tables     map[string]*dict.Table // as they will be; nil for one that will be gone
	steps      []step
	statements int // read without fault
	done       int // carried out
	rewritten  rewritten
}

func newPlan(s dict.Store) *plan { return &plan{store: s, tables: map[string]*dict.Table{}} }

// read reads a text and returns all its faults, in order.
func (p *plan) read(text []byte) (faults []error) {
	line := 0 // lines before text
	for {
		at, err := p.readSome(text, line, &faults)
		if err == nil {
			return faults
		}
		faults = append(faults, err)
		skip := skipToStatement(text, at-line)
		line += bytes.Count(text[:skip], []byte("\n"))
		text = text[skip:]
	}
}

// readSome reads up to the end or the first thing that is no statement; then
// it returns the line that was on. Other faults do not stop it.
func (p *plan) readSome(text []byte, before int, faults *[]error) (line int, err error) {
	parser := dict.NewParser(bytes.NewReader(text))
	for {
		st, err := parser.Next()
		if err == io.EOF {
			return 0, nil
		}
		var there *dict.TextError
		if errors.As(err, &there) {
			line := there.Line + before
			return line, moved(err, before)
		}
		if err != nil {
			return 0, err
		}
		if err := p.add(st, before); err != nil {
			*faults = append(*faults, moved(placed(st.Position(), err), before))
			continue
		}
		p.statements++
	}
}

// moved returns a *dict.TextError so many lines further down.
func moved(err error, lines int) error {
	var there *dict.TextError
	if !errors.As(err, &there) {
		return err
	}
	there.Line += lines
	return there
}

// skipToStatement returns where the first line behind line (from 1) begins
// that starts as a statement does, the length of text if none does.
func skipToStatement(text []byte, line int) int {
	at := 0
	for n := 1; at < len(text); n++ {
		l := text[at:]
		if i := bytes.IndexByte(l, '\n'); i >= 0 {
			l = l[:i+1]
		}
		if n > line {
			word, _, _ := bytes.Cut(bytes.TrimSpace(l), []byte(" "))
			switch string(word) {
			case "add", "set", "delete", "flush":
				return at
			}
		}
		at += len(l)
	}
	return at
}

// table returns a table as it will be, nil if it will not be.
func (p *plan) table(name string) (*dict.Table, error) {
	name = dict.Name(name)
	if t, ok := p.tables[name]; ok {
		return t, nil
	}
	t, err := p.store.Table(name)
	switch {
	case errors.Is(err, dict.ErrNotExist):
		p.tables[name] = nil
		return nil, nil
	case err != nil:
		return nil, err
	}
	p.tables[name] = &t
	return &t, nil
}

// add checks a statement, which begins so many lines further down than it
// says, and adds what is to be done.
func (p *plan) add(st dict.Statement, before int) error {
	t, err := p.table(st.TableName())
	if err != nil {
		return err
	}
	at := st.Position()
	at.Line += before
	if add, ok := st.(*dict.AddTableStmt); ok {
		return p.addTable(at, t, add.Table)
	}
	if t == nil {
		return &dict.At{Op: operation(st), Table: st.TableName(), Err: dict.ErrNotExist}
	}
	switch st := st.(type) {
	case *dict.AddFieldStmt:
		return p.addTable(at, t, dict.Table{Name: t.Name, Fields: []dict.Field{st.Field}})
	case *dict.DeleteTableStmt:
		p.tables[t.Name] = nil
		p.do(at, func(func(*dict.Table)) error { return p.store.DeleteTable(t.Name) })
	case *dict.FlushStmt:
		p.do(at, func(func(*dict.Table)) error { _, err := dict.Flush(p.store, t.Name); return err })
	case *dict.DeleteStmt:
		k, fields, err := st.Resolve(t)
		if err != nil {
			return err
		}
		p.rewritten.add(t.Name, k)
		p.do(at, func(func(*dict.Table)) error { return p.store.Delete(t.Name, k, fields...) })
	case *dict.SetStmt:
		row, err := st.Row(t)
		if err != nil {
			return err
		}
		return p.put(at, t, row, false)
	case *dict.AddStmt:
		row, err := st.Row(t)
		if err != nil {
			return err
		}
		return p.put(at, t, row, true)
	}
	return nil
}

// operation names a statement in errors as the command of the same effect.
func operation(st dict.Statement) string {
	switch st.(type) {
	case *dict.AddStmt:
		return "add"
	case *dict.AddFieldStmt:
		return "field add"
	case *dict.DeleteTableStmt:
		return "table delete"
	case *dict.FlushStmt:
		return "flush"
	case *dict.DeleteStmt:
		return "delete"
	}
	return "set"
}

// addTable makes a table, or what t lacks of it.
func (p *plan) addTable(at dict.Pos, t *dict.Table, add dict.Table) error {
	if t == nil {
		if err := nftext.CheckTable(add.Name); err != nil {
			return &dict.At{Op: "table add", Table: add.Name, Err: err}
		}
		later := add // grows with the statements that follow
		p.tables[add.Name] = &later
		p.do(at, func(func(*dict.Table)) error { return p.store.AddTable(add) })
		return nil
	}
	lacks, err := missingFields(t, &add)
	if err == nil {
		err = grow(t, lacks...)
	}
	if err != nil {
		return &dict.At{Op: "table add", Table: t.Name, Err: err}
	}
	old := *t
	p.do(at, func(note func(*dict.Table)) error {
		if add.Limit != 0 && add.Limit != old.Limit {
			note(&old)
		}
		if len(lacks) == 0 {
			return nil
		}
		return p.store.AddFields(old.Name, lacks...)
	})
	return nil
}

// put has a row put, or its amounts added, with the last step or a new one.
func (p *plan) put(at dict.Pos, t *dict.Table, row dict.Row, add bool) error {
	for _, c := range row.Cells { // a value makes the field in an open table
		if t.Index(c.Field) < 0 {
			if err := grow(t, dict.Field{Name: c.Field}); err != nil {
				return err
			}
		}
	}
	p.rewritten.add(t.Name, row.Key)
	if n := len(p.steps); n > 0 {
		if last := &p.steps[n-1]; last.do == nil && last.add == add && last.table == t.Name && len(last.rows) < maxBatch {
			last.at, last.rows = append(last.at, at), append(last.rows, row)
			return nil
		}
	}
	p.steps = append(p.steps, step{at: []dict.Pos{at}, table: t.Name, rows: []dict.Row{row}, add: add})
	return nil
}

func (p *plan) do(at dict.Pos, f func(func(*dict.Table)) error) {
	p.steps = append(p.steps, step{at: []dict.Pos{at}, do: f})
}

// grow adds fields to a table as it will be.
func grow(t *dict.Table, fields ...dict.Field) error {
	next, err := t.With(fields...)
	if err == nil {
		*t = next
	}
	return err
}
