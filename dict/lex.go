// SPDX-License-Identifier: MIT

package dict

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxLine is the longest line of the text form, in bytes. It holds a row of
// MaxFields strings of which no byte prints.
const MaxLine = 1 << 18

// Pos is a place in a text: line and column from 1, columns in characters.
type Pos struct {
	Line, Column int
}

// Position returns p.
func (p Pos) Position() Pos { return p }

// Word is a word of a text. A quoted one is text, whatever it says.
type Word struct {
	Pos
	Text   string // without the quotes
	Quoted bool
}

// TextError is an error at a place of a text: `3:17: "}": invalid: want a
// value`.
type TextError struct {
	Pos
	Err error
}

// Error prints the place first.
func (e *TextError) Error() string { return fmt.Sprintf("%d:%d: %v", e.Line, e.Column, e.Err) }

// Unwrap returns the cause.
func (e *TextError) Unwrap() error { return e.Err }

// tokenKind tells tokens apart; what is neither word nor end is its character.
type tokenKind byte

const (
	tokenWord  tokenKind = 'w'
	tokenLine  tokenKind = '\n'
	tokenSemi  tokenKind = ';'
	tokenOpen  tokenKind = '{'
	tokenClose tokenKind = '}'
	tokenEnd   tokenKind = 0
)

type token struct {
	Word
	kind tokenKind
}

// String describes the token in an error.
func (t token) String() string {
	switch t.kind {
	case tokenLine:
		return "end of line"
	case tokenEnd:
		return "end of text"
	case tokenWord:
		return brief(t.Text)
	}
	return Quote(string(rune(t.kind)))
}

// lexer cuts a text into tokens, line by line.
type lexer struct {
	in   *bufio.Reader
	line []byte // the rest of the current line, its end included
	at   Pos    // of line[0]
	err  error  // of in, once line is used up
}

func newLexer(r io.Reader) *lexer {
	return &lexer{in: bufio.NewReader(r), at: Pos{Line: 0, Column: 1}}
}

// next returns the next token. After tokenEnd or an error it is not called.
func (l *lexer) next() (token, error) {
	for {
		if len(l.line) == 0 {
			if l.err == io.EOF {
				return token{Word: Word{Pos: l.at}}, nil
			}
			if err := l.fill(); err != nil {
				return token{}, err
			}
			continue
		}
		start := l.at
		switch c := l.line[0]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.skip(1)
		case c == '#':
			l.skip(len(bytes.TrimSuffix(l.line, []byte("\n"))))
		case c == '\\' && len(bytes.TrimRight(l.line[1:], " \t\r\n")) == 0 && bytes.HasSuffix(l.line, []byte("\n")):
			l.line = nil
		case c == '\n':
			l.skip(1)
			return token{Word{Pos: start}, tokenLine}, nil
		case c == ';' || c == '{' || c == '}':
			l.skip(1)
			return token{Word{Pos: start}, tokenKind(c)}, nil
		default:
			return l.word()
		}
	}
}

// fill reads the next line.
func (l *lexer) fill() error {
	if l.err != nil {
		return l.err
	}
	l.at = Pos{Line: l.at.Line + 1, Column: 1}
	l.line = nil
	for {
		part, err := l.in.ReadSlice('\n')
		l.line = append(l.line, part...)
		switch {
		case len(bytes.TrimSuffix(l.line, []byte("\n"))) > MaxLine:
			return &TextError{Pos: l.at, Err: fmt.Errorf("line: %w: at most %d bytes", ErrTooLong, MaxLine)}
		case err == nil:
			return nil
		case err == io.EOF:
			l.err = err
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return &TextError{Pos: l.at, Err: err}
		}
	}
}

// word takes a bare or quoted word.
func (l *lexer) word() (token, error) {
	t := token{Word{Pos: l.at}, tokenWord}
	const ends = " \t\r\n;{}"
	n := 0
	if l.line[0] != '"' {
		if n = bytes.IndexAny(l.line, ends+`"`); n < 0 {
			n = len(l.line)
		}
		t.Text = string(l.line[:n])
	} else {
		for n = 1; n < len(l.line) && l.line[n] != '"' && l.line[n] != '\n'; n++ {
			if l.line[n] == '\\' && n+1 < len(l.line) && l.line[n+1] != '\n' {
				n++
			}
		}
		if n < len(l.line) && l.line[n] == '"' {
			n++
		}
		s, err := Unquote(string(l.line[:n]))
		if err != nil {
			return t, &TextError{Pos: l.at, Err: err}
		}
		t.Text, t.Quoted = s, true
	}
	l.skip(n)
	if len(l.line) > 0 && !strings.ContainsRune(ends, rune(l.line[0])) {
		return t, &TextError{Pos: l.at, Err: fmt.Errorf("%s: %w: want a blank after %s", brief(string(l.line[:1])), ErrInvalid, brief(t.Text))}
	}
	return t, nil
}

// skip moves on by n bytes of the line.
func (l *lexer) skip(n int) {
	l.at.Column += utf8.RuneCount(l.line[:n])
	l.line = l.line[n:]
}
