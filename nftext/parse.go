// SPDX-License-Identifier: MIT

package nftext

import (
	"slices"
	"strings"

	"nftdict/dict"
)

// Parse reads the dict term at the start of text and returns it with the
// number of bytes it took, without the space behind it. What follows is not
// looked at. The error is a *SyntaxError with its place in text.
func Parse(text string) (Term, int, error) {
	p := parser{scanner{src: text[:min(len(text), maxSource)], cut: len(text) > maxSource}}
	t, err := p.term()
	if err == nil && p.cut && p.end == len(p.src) {
		err = p.tooFar()
	}
	if err != nil {
		return nil, 0, err
	}
	if canonical := t.String(); len(canonical) > MaxText {
		return nil, 0, p.fail(0, dict.ErrTooLong, "dict term of %d bytes, at most %d", len(canonical), MaxText)
	}
	return t, p.end, nil
}

// parser reads terms; every method leaves the position behind the space that
// follows what it took.
type parser struct{ scanner }

func (p *parser) term() (Term, error) {
	if !p.take("dict") {
		return nil, p.want("the word dict")
	}
	table, key, err := p.row(1)
	if err != nil {
		return nil, err
	}
	if p.take("flush") {
		return &Flush{Table: table, Key: key}, nil
	}
	l := Lookup{Table: table, Key: key}
	if err := p.field(&l); err != nil {
		return nil, err
	}
	for v, word := range verbText {
		if p.take(word) {
			a := &Assign{Lookup: l, Verb: Verb(v)}
			return a, p.source(a)
		}
	}
	m := &Match{Lookup: l}
	return m, p.condition(m)
}

// row reads `[TABLE] KEY`. A word that begins a key is never a table.
func (p *parser) row(depth int) (table string, key KeyExpr, err error) {
	if depth > MaxDepth {
		return "", KeyExpr{}, p.fail(p.pos, dict.ErrTooLong, "more than %d lookups in one term", MaxDepth)
	}
	var ok bool
	if key, ok, err = p.key(depth); ok || err != nil {
		return "", key, err
	}
	if table, err = p.name("a table or a key such as ct id"); err != nil {
		return "", KeyExpr{}, err
	}
	key, ok, err = p.key(depth)
	if err == nil && !ok {
		err = p.want("a key: " + selectorList() + " or dict")
	}
	return table, key, err
}

// key reads a selector or a nested lookup, if one begins here.
func (p *parser) key(depth int) (KeyExpr, bool, error) {
	if s := p.selector(); s != 0 {
		return KeyExpr{Selector: s}, true, nil
	}
	if !p.take("dict") {
		return KeyExpr{}, false, nil
	}
	l, err := p.lookup(depth + 1)
	return KeyExpr{Nested: l}, true, err
}

// lookup reads `[TABLE] KEY FIELD [TYPE]`.
func (p *parser) lookup(depth int) (*Lookup, error) {
	table, key, err := p.row(depth)
	if err != nil {
		return nil, err
	}
	l := &Lookup{Table: table, Key: key}
	return l, p.field(l)
}

// field reads `FIELD [TYPE]`.
func (p *parser) field(l *Lookup) (err error) {
	if word := p.word(); isKeyword(word) {
		return p.want("a field")
	}
	if l.Field, err = p.name("a field"); err != nil {
		return err
	}
	word := p.word()
	if t, err := dict.ParseType(word); err == nil {
		p.take(word)
		l.Type = t
	}
	return nil
}

// isKeyword reports whether word has a meaning of its own behind a key or a
// field.
func isKeyword(word string) bool {
	switch word {
	case "flush", "exists", "missing", "dict":
		return true
	}
	_, isOp := wordOp(word)
	return isOp || slices.Contains(verbText[:], word)
}

// selector takes a selector if one begins here, else returns 0.
func (p *parser) selector() Selector {
	for _, s := range Selectors() {
		for _, words := range append([]string{s.String()}, selectors[s].aliases...) {
			if p.words(words) {
				return s
			}
		}
	}
	return 0
}

// words takes words if all of them stand at the position.
func (p *parser) words(words string) bool {
	start, end := p.pos, p.end
	for w := range strings.FieldsSeq(words) {
		if !p.take(w) {
			p.pos, p.end = start, end
			return false
		}
	}
	return true
}

// selectorList names the selectors for an error.
func selectorList() string {
	text := ""
	for i, s := range Selectors() {
		if i > 0 {
			text += ", "
		}
		text += s.String()
	}
	return text
}
