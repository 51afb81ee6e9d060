// SPDX-License-Identifier: MIT

package nftext

import "nftdict/dict"

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
