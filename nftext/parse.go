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

// wordOp returns the operator that is written as word.
func wordOp(word string) (Op, bool) {
	switch word {
	case "eq":
		return Eq, true
	case "ne":
		return Ne, true
	case "lt":
		return Lt, true
	case "le":
		return Le, true
	case "gt":
		return Gt, true
	case "ge":
		return Ge, true
	case "exists":
		return Exists, true
	case "missing":
		return Missing, true
	}
	return 0, false
}

// condition reads `[OP] VALUE`, `[==|!=] { VALUE, ... }`, `exists` or `missing`.
func (p *parser) condition(m *Match) error {
	if word := p.word(); word != "" {
		if op, ok := wordOp(word); ok {
			p.take(word)
			m.Op = op
		}
	} else {
		for _, op := range []Op{Eq, Ne, Le, Ge, Lt, Gt} { // the longer before its beginning
			if p.symbol(op.String()) {
				m.Op = op
				break
			}
		}
	}
	switch {
	case m.Op == Exists || m.Op == Missing:
		return nil
	case p.at('{'):
		if m.Op != Eq && m.Op != Ne {
			return p.want("one value behind " + m.Op.String())
		}
		return p.set(m)
	case p.at('='):
		return p.want("a value or an operator: == != < <= > >= exists missing set add sub")
	}
	o, err := p.operand(m.Type)
	if err != nil {
		return err
	}
	m.Items = []Operand{o}
	return nil
}

// set reads `{ VALUE, ... }`; a comma may stand behind the last value.
func (p *parser) set(m *Match) error {
	m.Set, p.braces = true, true
	p.symbol("{")
	for {
		if len(m.Items) == MaxItems {
			return p.fail(p.pos, dict.ErrTooLong, "more than %d values in a set", MaxItems)
		}
		o, err := p.operand(m.Type)
		if err != nil {
			return err
		}
		m.Items = append(m.Items, o)
		comma := p.symbol(",")
		if p.at('}') {
			break
		}
		if !comma {
			return p.want("a comma or a closing brace")
		}
	}
	p.braces = false
	p.symbol("}")
	return nil
}

// source reads what an Assign writes.
func (p *parser) source(a *Assign) (err error) {
	if a.Source = p.selector(); a.Source != 0 {
		return nil
	}
	if p.take("dict") {
		a.Nested, err = p.lookup(1)
		return err
	}
	a.Value, err = p.operand(a.Type)
	return err
}

// operand reads one value. A value that can only be a string is Quoted,
// however it was written.
func (p *parser) operand(t dict.Type) (Operand, error) {
	if p.at('"') {
		text, err := p.quoted()
		return Operand{Text: text, Quoted: true}, err
	}
	start := p.pos
	word := p.word()
	text, err := p.bare()
	if err != nil {
		return Operand{}, err
	}
	switch {
	case text[0] == '@':
		return Operand{}, p.fail(start, dict.ErrNotSupported, "named set %s: not supported, write the values in braces", dict.Quote(text))
	case text == word && !p.braces && isStatement(word):
		return Operand{}, p.fail(start, dict.ErrInvalid, "expected a value, found %s, which is a word of nft: put it in double quotes if it is the value", dict.Quote(word))
	}
	if l := readLiteral(text); l.kind != dict.String && p.symbol("- ") {
		hi, err := p.bare()
		if err != nil {
			return Operand{}, err
		}
		text += "-" + hi
		if readLiteral(text).form != formRange {
			return Operand{}, p.fail(start, dict.ErrInvalid, "range %s: expected two numbers or two addresses of one family", dict.Quote(text))
		}
	}
	quoted := t == dict.String || t == 0 && readLiteral(text).kind == dict.String
	return Operand{Text: text, Quoted: quoted}, nil
}

// isStatement reports whether a rule's next statement seems to begin with
// word, so that the value before it was forgotten.
func isStatement(word string) bool {
	switch word {
	case "accept", "drop", "reject", "queue", "continue", "return", "jump", "goto", "dict",
		"counter", "log", "limit", "quota", "dnat", "snat", "masquerade", "redirect", "tproxy",
		"notrack", "synproxy", "dup", "fwd", "flow", "comment":
		return true
	}
	return false
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
