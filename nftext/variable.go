// SPDX-License-Identifier: MIT

package nftext

import (
	"strings"

	"nftdict/dict"
)

// maxVariable bounds the text of a variable, those within it replaced.
const maxVariable = 1 << 16

// scope is the variables of a block, by name, each with the text that was
// assigned to it. A nil scope has none.
type scope struct {
	up   *scope
	vars map[string]string
}

// lookup returns the text of a variable of the scope or of one around it.
func (s *scope) lookup(name string) (string, bool) {
	for ; s != nil; s = s.up {
		if text, ok := s.vars[name]; ok {
			return text, true
		}
	}
	return "", false
}

// define assigns text to a variable of this scope. The variables in the text
// are replaced now, as nft does; those that nobody knows stay.
func (s *scope) define(name, text string) {
	if s.vars == nil {
		s.vars = map[string]string{}
	}
	s.vars[name] = s.expand(text)
}

// expand replaces the variables in text, but for strings and comments. Text
// that grows beyond maxVariable is cut, so that no value can be read of it.
func (s *scope) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text) && b.Len() <= maxVariable; {
		n := 1
		switch text[i] {
		case '"':
			if n = 1 + strings.IndexByte(text[i+1:], '"') + 1; n == 1 {
				n = len(text) - i
			}
		case '#':
			n = lineEnd(text, i) - i
		case '$':
			name := variableName(text[i+1:])
			if value, ok := s.lookup(name); ok {
				b.WriteString(value)
				i += 1 + len(name)
				continue
			}
		}
		b.WriteString(text[i : i+n])
		i += n
	}
	if b.Len() > maxVariable {
		return "{"
	}
	return b.String()
}

// variableName returns the name at the start of text, as nft reads names.
func variableName(text string) string {
	n := 0
	for n < len(text) && (isWord(text[n], n > 0) || n > 0 && text[n] == '/') {
		n++
	}
	return text[:n]
}

// common walks over what may stand in every block, behind its first word. An
// included text is read as one of the level.
func (f *walker) common(word string, level func(*walker)) {
	switch word {
	case "include":
		if t := f.peek(); t.kind == tokenString && f.include != nil {
			outer := f.finder.level
			f.finder.level = level
			if err := f.include(strings.Trim(t.text, `"`)); err != nil {
				f.err = newSyntaxError(f.src, t.start, err, err.Error())
			}
			f.finder.level = outer
		}
	case "undefine":
		if t := f.peek(); t.kind == tokenWord {
			delete(f.finder.vars.vars, t.text)
		}
	default:
		f.define()
	}
	f.skip()
}

// define takes `NAME = TEXT`.
func (f *walker) define() {
	name := f.peek()
	if name.kind != tokenWord {
		return
	}
	f.take(name)
	if t := f.peek(); t.text != "=" {
		return
	}
	f.next()
	start := f.peek().start
	f.skip()
	if f.pos >= start {
		f.finder.vars.define(name.text, strings.TrimRight(f.src[start:f.pos], " \t\r"))
	}
}

// variable takes the variable at the position and returns the values that it
// stands for, read as values of type t, and whether they are a set.
func (p *parser) variable(t dict.Type) (items []Operand, set bool, err error) {
	start := p.pos
	name := variableName(p.src[p.pos+1:])
	if name == "" {
		return nil, false, p.want("a variable")
	}
	text, ok := p.vars.lookup(name)
	if !ok {
		return nil, false, p.fail(start, dict.ErrNotExist, "variable %s: %v before this", dict.Quote(name), dict.ErrNotExist)
	}
	p.accept(start + 1 + len(name))
	p.varied = true
	in := parser{scanner: scanner{src: text, braces: true}}
	in.space()
	items, set, err = in.list(t, nil)
	if err == nil && in.pos < len(text) {
		err = in.want("the end")
	}
	if e, ok := err.(*SyntaxError); ok {
		return nil, false, p.fail(start, e.Err, "variable %s does not hold values: %s", dict.Quote(name), e.Text)
	}
	return items, set, err
}

// list reads values with commas between them, in braces or not, sets within
// sets included, and appends them to items.
func (p *parser) list(t dict.Type, items []Operand) ([]Operand, bool, error) {
	set := false
	for {
		switch {
		case len(items) == MaxItems:
			return nil, false, p.fail(p.pos, dict.ErrTooLong, "more than %d values in a set", MaxItems)
		case p.symbol("{"):
			set = true
			var err error
			if items, _, err = p.list(t, items); err != nil {
				return nil, false, err
			}
			if !p.symbol("}") {
				return nil, false, p.want("a comma or a closing brace")
			}
		default:
			var o Operand
			if err := p.operand(&o, t); err != nil {
				return nil, false, err
			}
			items = append(items, o)
		}
		if !p.symbol(",") {
			return items, set, nil
		}
		set = true
		if p.at('}') || p.pos == len(p.src) {
			return items, set, nil
		}
	}
}
