// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"time"
)

// addTable reads what follows `add table`.
func (p *Parser) addTable(at Pos) (Statement, error) {
	name, err := p.word("the table's name")
	if err != nil {
		return nil, err
	}
	if p.err != nil || p.tok.kind != tokenOpen {
		return nil, p.want(`"{" and the table's parts`)
	}
	p.advance()
	t := Table{Name: name.Text}
	seen := map[string]bool{}
	for {
		for p.err == nil && (p.tok.kind == tokenLine || p.tok.kind == tokenSemi) {
			p.advance()
		}
		if p.err == nil && p.tok.kind == tokenClose {
			p.advance()
			break
		}
		word := p.tok
		if err := p.part(&t); err != nil {
			return nil, err
		}
		if word.Text != wordField && seen[word.Text] {
			return nil, p.fail(word.Pos, fmt.Errorf("%s: %w: stands twice", brief(word.Text), ErrInvalid))
		}
		seen[word.Text] = true
		if !p.ended() && p.tok.kind != tokenClose {
			return nil, p.want(`";", "}" or the end of the line`)
		}
	}
	n, err := t.Normal()
	if err != nil {
		return nil, p.fail(at, err)
	}
	return &AddTableStmt{Pos: at, Table: n}, nil
}

// part reads one part of a table's schema.
func (p *Parser) part(t *Table) (err error) {
	switch {
	case p.take(wordKey):
		w, err := p.word("the keys' type")
		if err != nil {
			return err
		}
		if t.Key, err = ParseKeyType(w.Text); err != nil {
			return p.fail(w.Pos, err)
		}
	case p.take(wordLimit):
		t.Limit, err = p.number(fmt.Sprintf("a number of rows, at most %d", MaxLimit))
	case p.take(wordTimeout):
		t.Timeout, err = p.ttl()
	case p.take(wordBound):
		t.Bound = true
	case p.take(wordOpen):
		t.Open = true
	case p.take(wordField):
		at := p.tok.Pos
		if len(t.Fields) == MaxFields {
			return p.fail(at, fmt.Errorf("table %s: %w: %d fields", brief(t.Name), ErrFull, MaxFields))
		}
		f, err := p.field()
		if err != nil {
			return err
		}
		t.Fields = append(t.Fields, f)
	default:
		return p.want("key, limit, timeout, bound, open, field or \"}\"")
	}
	return err
}

// addField reads what follows `add field`.
func (p *Parser) addField(at Pos) (Statement, error) {
	s := &AddFieldStmt{Pos: at}
	var err error
	if s.Table, err = p.word("the table's name"); err != nil {
		return nil, err
	}
	if s.Field, err = p.field(); err != nil {
		return nil, err
	}
	return s, nil
}

// field reads NAME [TYPE] [default VALUE] [alias NAME]...
func (p *Parser) field() (Field, error) {
	name, err := p.word("the field's name")
	if err != nil {
		return Field{}, err
	}
	f := Field{Name: name.Text, Type: p.typ()}
	for !p.ended() && p.tok.kind != tokenClose {
		at := p.tok.Pos
		switch {
		case p.take(wordAlias):
			a, err := p.word("another name of the field")
			if err != nil {
				return Field{}, err
			}
			if len(f.Aliases) == MaxAliases {
				return Field{}, p.fail(at, fmt.Errorf("field %s: %w: %d aliases", brief(f.Name), ErrFull, MaxAliases))
			}
			f.Aliases = append(f.Aliases, a.Text)
		case f.Type != 0 && f.Default.IsZero() && p.take(wordDefault):
			v, err := p.word("the default")
			if err != nil {
				return Field{}, err
			}
			if v.Quoted && f.Type != String {
				return Field{}, p.fail(v.Pos, fmt.Errorf("%s %s: %w: quotes are for long_string", f.Type, brief(v.Text), ErrType))
			}
			if f.Default, err = ParseValue(f.Type, v.Text); err != nil {
				return Field{}, p.fail(v.Pos, err)
			}
		case f.Type == 0:
			return Field{}, p.want("the field's type, alias, or the end of the field")
		default:
			return Field{}, p.want("default, alias, or the end of the field")
		}
	}
	return f, nil
}

// ttl takes a time span.
func (p *Parser) ttl() (time.Duration, error) {
	w, err := p.word("a time span")
	if err != nil {
		return 0, err
	}
	d, err := ParseTTL(w.Text)
	if err == nil && w.Quoted {
		err = fmt.Errorf("time %s: %w: quotes are for text", brief(w.Text), ErrInvalid)
	}
	if err != nil {
		return 0, p.fail(w.Pos, err)
	}
	return d, nil
}
