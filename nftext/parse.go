// SPDX-License-Identifier: MIT

package nftext

import (
	"slices"
	"strings"

	"nftdict/dict"
)

// Parse reads the dict term at the start of text and returns it with the
// number of bytes it took, without the space behind it. What follows is not
// looked at, but that it may tell a Value from a Match: an operator of nft's, or
// a named set. The error is a *SyntaxError with its place in text.
func Parse(text string) (Term, int, error) { return newParser(text, nil).parse((*parser).term) }

// ParseValue reads the Value at the start of text, as Parse does, whatever
// follows.
func ParseValue(text string) (*Value, int, error) {
	t, n, err := newParser(text, nil).parse((*parser).value)
	if err != nil {
		return nil, 0, err
	}
	return t.(*Value), n, nil
}

func newParser(text string, places *Places) *parser {
	return &parser{scanner: scanner{src: text[:min(len(text), maxSource)], cut: len(text) > maxSource}, places: places}
}

// parse reads a term by one of the parser's methods.
func (p *parser) parse(read func(*parser) (Term, error)) (Term, int, error) {
	t, err := read(p)
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
type parser struct {
	scanner
	places *Places // nil where nobody asks
	vars   *scope  // the variables that values may be; nil where there are none
	varied bool    // a value was a variable
}

func (p *parser) term() (Term, error) {
	if !p.take("dict") {
		return nil, p.want("the word dict")
	}
	m := &Match{}
	if err := p.row(&m.Table, &m.Key, 1); err != nil {
		return nil, err
	}
	if p.take("flush") {
		f := &Flush{Table: m.Table, Key: m.Key}
		p.places.move(&m.Table, &f.Table)
		p.places.move(&m.Key, &f.Key)
		return f, nil
	}
	if err := p.field(&m.Lookup); err != nil {
		return nil, err
	}
	if p.operates() {
		return p.toValue(m), nil
	}
	for v, word := range verbText {
		if p.take(word) {
			a := &Assign{Lookup: m.Lookup, Verb: Verb(v)}
			p.places.move(&m.Table, &a.Table)
			p.places.move(&m.Key, &a.Key)
			p.places.move(&m.Field, &a.Field)
			return a, p.source(a)
		}
	}
	return m, p.condition(m)
}

// row reads `[TABLE] KEY`. A word that begins a key is never a table.
func (p *parser) row(table *string, key *KeyExpr, depth int) error {
	if depth > MaxDepth {
		return p.fail(p.pos, dict.ErrTooLong, "more than %d lookups in one term", MaxDepth)
	}
	ok, err := p.key(key, depth)
	if ok || err != nil {
		return err
	}
	start := p.pos
	if *table, err = p.name("a table or a key such as ct id"); err != nil {
		return err
	}
	p.places.note(table, start, p.end)
	if ok, err = p.key(key, depth); err == nil && !ok {
		err = p.want("a key: " + selectorList() + " or dict")
	}
	return err
}

// key reads a selector or a nested lookup, if one begins here.
func (p *parser) key(key *KeyExpr, depth int) (ok bool, err error) {
	start := p.pos
	if key.Selector = p.selector(); key.Selector != 0 {
		p.places.note(key, start, p.end)
		return true, nil
	}
	if !p.take("dict") {
		return false, nil
	}
	key.Nested, err = p.lookup(depth + 1)
	return true, err
}

// lookup reads `[TABLE] KEY FIELD [TYPE]`.
func (p *parser) lookup(depth int) (*Lookup, error) {
	l := &Lookup{}
	if err := p.row(&l.Table, &l.Key, depth); err != nil {
		return nil, err
	}
	return l, p.field(l)
}

// field reads `FIELD [TYPE]`.
func (p *parser) field(l *Lookup) (err error) {
	if word := p.word(); isKeyword(word) {
		return p.want("a field")
	}
	start := p.pos
	if l.Field, err = p.name("a field"); err != nil {
		return err
	}
	p.places.note(&l.Field, start, p.end)
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
