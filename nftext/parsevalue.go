// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

// condition reads `[OP] VALUE`, `[==|!=] { VALUE, ... }`, `exists` or `missing`.
func (p *parser) condition(m *Match) error {
	start := p.pos
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
	p.places.note(&m.Op, start, p.end)
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
	if !p.at('$') {
		m.Items = make([]Operand, 1)
		return p.operand(&m.Items[0], m.Type)
	}
	start = p.pos
	var err error
	m.Items, m.Set, err = p.variable(m.Type)
	if err == nil && m.Set && m.Op != Eq && m.Op != Ne {
		err = p.fail(start, dict.ErrInvalid, "expected one value behind %s, found a set", m.Op)
	}
	return err
}

// set reads `{ VALUE, ... }`; a comma may stand behind the last value.
func (p *parser) set(m *Match) error {
	m.Set, p.braces = true, true
	p.symbol("{")
	m.Items = make([]Operand, 0, MaxItems) // never moves: places go by address
	for {
		if len(m.Items) == MaxItems {
			return p.fail(p.pos, dict.ErrTooLong, "more than %d values in a set", MaxItems)
		}
		if p.at('$') {
			start := p.pos
			items, _, err := p.variable(m.Type)
			if err == nil && len(m.Items)+len(items) > MaxItems {
				err = p.fail(start, dict.ErrTooLong, "more than %d values in a set", MaxItems)
			}
			if err != nil {
				return err
			}
			m.Items = append(m.Items, items...)
		} else {
			m.Items = append(m.Items, Operand{})
			if err := p.operand(&m.Items[len(m.Items)-1], m.Type); err != nil {
				return err
			}
		}
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
	start := p.pos
	if a.Source = p.selector(); a.Source != 0 {
		p.places.note(&a.Source, start, p.end)
		return nil
	}
	if p.take("dict") {
		a.Nested, err = p.lookup(1)
		return err
	}
	if !p.at('$') {
		return p.operand(&a.Value, a.Type)
	}
	items, set, err := p.variable(a.Type)
	if err == nil && (set || len(items) != 1) {
		err = p.fail(start, dict.ErrInvalid, "expected one value behind %s, found a set", a.Verb)
	}
	if err == nil {
		a.Value = items[0]
	}
	return err
}

// operand reads one value. A value that can only be a string is Quoted,
// however it was written.
func (p *parser) operand(o *Operand, t dict.Type) (err error) {
	start := p.pos
	if p.at('"') {
		o.Quoted = true
		o.Text, err = p.quoted()
	} else {
		err = p.unquoted(o, t)
	}
	p.places.note(o, start, p.end)
	return err
}

func (p *parser) unquoted(o *Operand, t dict.Type) error {
	start, word := p.pos, p.word()
	text, err := p.bare()
	if err != nil {
		return err
	}
	switch {
	case text[0] == '@':
		return p.fail(start, dict.ErrNotSupported, "named set %s: not supported, write the values in braces", dict.Quote(text))
	case text == word && !p.braces && isStatement(word):
		return p.fail(start, dict.ErrInvalid, "expected a value, found %s, which is a word of nft: put it in double quotes if it is the value", dict.Quote(word))
	}
	if l := readLiteral(text); t != dict.String && l.kind != dict.String && p.symbol("- ") {
		hi, err := p.bare()
		if err != nil {
			return err
		}
		text += "-" + hi
		if readLiteral(text).form != formRange {
			return p.fail(start, dict.ErrInvalid, "range %s: expected two numbers or two addresses of one family", dict.Quote(text))
		}
	}
	o.Text = text
	o.Quoted = t == dict.String || t == 0 && readLiteral(text).kind == dict.String
	return nil
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
