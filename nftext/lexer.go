// SPDX-License-Identifier: MIT

package nftext

import "strings"

// tokenKind tells apart the tokens of nft text as far as Find needs to.
type tokenKind uint8

const (
	tokenEnd       tokenKind = iota // end of the text
	tokenSeparator                  // line end or semicolon
	tokenOpen                       // {
	tokenClose                      // }
	tokenWord                       // name, number, address, also with @, $ or * in it
	tokenString                     // "...", as nft reads it: no backslash means anything
	tokenSymbol                     // any other single byte
)

// token is one token of nft text. Text is that of the source, quotes included.
type token struct {
	kind  tokenKind
	text  string
	start int
}

// is reports whether the token is the word.
func (t token) is(word string) bool { return t.kind == tokenWord && t.text == word }

// lexer reads nft text token by token. Comments and continued lines are
// space.
type lexer struct {
	src string
	pos int
}

// next takes the next token.
func (l *lexer) next() token {
	t := l.peek()
	l.take(t)
	return t
}

// take takes a token that peek returned.
func (l *lexer) take(t token) { l.pos = t.start + len(t.text) }

// peek returns the next token and takes only the space before it.
func (l *lexer) peek() token {
	l.space()
	t := token{start: l.pos}
	rest := l.src[l.pos:]
	if rest == "" {
		return t
	}
	n := 1
	switch c := rest[0]; {
	case c == '\n' || c == ';':
		t.kind = tokenSeparator
	case c == '{':
		t.kind = tokenOpen
	case c == '}':
		t.kind = tokenClose
	case c == '"':
		t.kind = tokenString
		if n = 1 + strings.IndexByte(rest[1:], '"') + 1; n == 1 {
			n = len(rest) // never closed: nft will say so
		}
	case inWord(c):
		t.kind = tokenWord
		for n < len(rest) && inWord(rest[n]) && !strings.HasPrefix(rest[n:], "\\\n") {
			n++
		}
	default:
		t.kind = tokenSymbol
	}
	t.text = rest[:n]
	return t
}

// inWord reports whether a word may hold c. Words are longer here than in nft
// (80:drop is one): only whole words and what separates statements count.
func inWord(c byte) bool {
	return isWord(c, true) || c >= 0x80 || strings.IndexByte(`@$/:*+?%~\[]`, c) >= 0
}

func (l *lexer) space() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.pos++
		case strings.HasPrefix(l.src[l.pos:], "\\\n"):
			l.pos += 2
		case c == '#':
			l.pos = lineEnd(l.src, l.pos)
		default:
			return
		}
	}
}
