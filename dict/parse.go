// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Words of the text form.
const (
	wordAdd     = "add"
	wordSet     = "set"
	wordDelete  = "delete"
	wordFlush   = "flush"
	wordTable   = "table"
	wordField   = "field"
	wordKey     = "key"
	wordLimit   = "limit"
	wordTimeout = "timeout"
	wordBound   = "bound"
	wordOpen    = "open"
	wordDefault = "default"
	wordAlias   = "alias"
	wordTTL     = "ttl"
)

// Parser reads the text form, a statement at a time. It knows no tables: what
// only a schema can tell is resolved by the statements.
type Parser struct {
	next func() (token, error)
	tok  token // the one to take next
	err  error // ends the parse, io.EOF at the end
}

// NewParser returns a parser of what r yields. It holds at most one line and
// one statement in memory.
func NewParser(r io.Reader) *Parser {
	p := &Parser{next: newLexer(r).next}
	p.advance()
	return p
}

// ParseStatement reads a text of one statement.
func ParseStatement(text string) (Statement, error) {
	return one(NewParser(strings.NewReader(text)))
}

// ParseArgs reads one statement from words as a shell hands them over: each is
// a word whatever it holds, and one in double quotes (that the shell left) is
// a quoted word. Columns count as if the words stood in a line, a blank between
// them.
func ParseArgs(args ...string) (Statement, error) {
	at, i := Pos{Line: 1, Column: 1}, 0
	p := &Parser{next: func() (token, error) {
		if i == len(args) {
			return token{Word: Word{Pos: at}}, nil
		}
		if i > 0 {
			at.Column++ // the blank
		}
		arg := args[i]
		t := token{Word{Pos: at}, tokenWord}
		i++
		at.Column += utf8.RuneCountInString(arg)
		var err error
		if t.Text, err = Unquote(arg); err != nil {
			return t, &TextError{Pos: t.Pos, Err: err}
		}
		t.Quoted = strings.HasPrefix(arg, `"`)
		return t, nil
	}}
	p.advance()
	return one(p)
}

// one returns the parser's only statement.
func one(p *Parser) (Statement, error) {
	s, err := p.Next()
	if err == io.EOF {
		err = p.want("a statement")
	}
	if err != nil {
		return nil, err
	}
	if _, err := p.Next(); err == nil {
		return nil, &TextError{Pos: s.Position(), Err: fmt.Errorf("%w: want one statement", ErrInvalid)}
	} else if err != io.EOF {
		return nil, err
	}
	return s, nil
}

// Next returns the next statement, io.EOF at the end. Any other error is a
// *TextError, wraps ErrInvalid, ErrRange, ErrTooLong, ErrType, ErrExist or
// ErrFull, or what the reader returned, and ends the parse.
func (p *Parser) Next() (Statement, error) {
	for p.err == nil && (p.tok.kind == tokenLine || p.tok.kind == tokenSemi) {
		p.advance()
	}
	if p.err == nil && p.tok.kind == tokenEnd {
		p.err = io.EOF
	}
	if p.err != nil {
		return nil, p.err
	}
	s, err := p.statement()
	if p.err != nil { // what the lexer found comes first
		err = p.err
	}
	if err == nil && !p.ended() {
		err = p.want("the end of the statement")
	}
	if err != nil {
		p.err = err
		return nil, err
	}
	return s, nil
}

// advance takes the token.
func (p *Parser) advance() token {
	t := p.tok
	if p.err == nil {
		p.tok, p.err = p.next()
	}
	return t
}

// is reports whether the next token is this bare word.
func (p *Parser) is(word string) bool {
	return p.err == nil && p.tok.kind == tokenWord && !p.tok.Quoted && p.tok.Text == word
}

// take takes the next token if it is this bare word.
func (p *Parser) take(word string) bool {
	if !p.is(word) {
		return false
	}
	p.advance()
	return true
}

// word takes a word, of which the error says what it should be.
func (p *Parser) word(what string) (Word, error) {
	if p.err != nil || p.tok.kind != tokenWord {
		return Word{}, p.want(what)
	}
	return p.advance().Word, nil
}

// ended reports whether the statement, or a part between braces, is over.
func (p *Parser) ended() bool {
	return p.err != nil || p.tok.kind == tokenLine || p.tok.kind == tokenSemi || p.tok.kind == tokenEnd
}

// want returns the error that the next token should be something else.
func (p *Parser) want(what string) error {
	return p.fail(p.tok.Pos, fmt.Errorf("%s: %w: want %s", p.tok, ErrInvalid, what))
}

// fail returns an error at a place. Where the lexer has failed Next returns
// its error instead.
func (p *Parser) fail(at Pos, err error) error { return &TextError{Pos: at, Err: err} }

func (p *Parser) statement() (Statement, error) {
	at := p.tok.Pos
	switch {
	case p.take(wordAdd):
		switch {
		case p.take(wordTable):
			return p.addTable(at)
		case p.take(wordField):
			return p.addField(at)
		}
		return p.add(at)
	case p.take(wordSet):
		return p.set(at)
	case p.take(wordDelete):
		if p.take(wordTable) {
			table, err := p.word("the table's name")
			return &DeleteTableStmt{Pos: at, Table: table}, err
		}
		return p.delete(at)
	case p.take(wordFlush):
		p.take(wordTable)
		table, err := p.word("the table's name")
		return &FlushStmt{Pos: at, Table: table}, err
	}
	return nil, p.want("add, set, delete or flush")
}

// set reads what follows `set`.
func (p *Parser) set(at Pos) (Statement, error) {
	s := &SetStmt{Pos: at}
	if err := p.row(s, "the table's name"); err != nil {
		return nil, err
	}
	return s, nil
}

// add reads what follows `add` of numbers.
func (p *Parser) add(at Pos) (Statement, error) {
	s := &AddStmt{SetStmt{Pos: at}}
	if err := p.row(&s.SetStmt, "table, field or the table's name"); err != nil {
		return nil, err
	}
	if len(s.Cells) == 0 {
		return nil, p.want("a field and its amount")
	}
	return s, nil
}

// row reads a table's name, a key, fields with values and a life.
func (p *Parser) row(s *SetStmt, table string) (err error) {
	if s.Table, err = p.word(table); err != nil {
		return err
	}
	if s.Key, err = p.word("the row's key"); err != nil {
		return err
	}
	for !p.ended() {
		if p.take(wordTTL) {
			if s.TTL, err = p.ttl(); err != nil {
				return err
			}
			return nil
		}
		var c CellText
		if c.Field, err = p.word("a field's name or ttl"); err != nil {
			return err
		}
		c.Type = p.typ()
		if c.Value, err = p.word("the value of field " + brief(c.Field.Text)); err != nil {
			return err
		}
		s.Cells = append(s.Cells, c)
	}
	return nil
}

// delete reads what follows `delete`.
func (p *Parser) delete(at Pos) (Statement, error) {
	s := &DeleteStmt{Pos: at}
	var err error
	if s.Table, err = p.word("table or the table's name"); err != nil {
		return nil, err
	}
	if s.Key, err = p.word("the row's key"); err != nil {
		return nil, err
	}
	for !p.ended() {
		w, err := p.word("a field's name")
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, w)
	}
	return s, nil
}

// typ takes a type's word if there is one, else it returns 0.
func (p *Parser) typ() Type {
	if p.err != nil || p.tok.kind != tokenWord || p.tok.Quoted {
		return 0
	}
	t, err := ParseType(p.tok.Text)
	if err != nil {
		return 0
	}
	p.advance()
	return t
}

// number takes a decimal number.
func (p *Parser) number(what string) (int, error) {
	w, err := p.word(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(w.Text, 10, 31)
	if err != nil || w.Quoted {
		return 0, p.fail(w.Pos, fmt.Errorf("%s: %w: want %s", brief(w.Text), ErrInvalid, what))
	}
	return int(n), nil
}
