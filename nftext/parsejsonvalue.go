// SPDX-License-Identifier: MIT

package nftext

import (
	"slices"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// row reads the members table and key.
func (p *jsonPlace) row(n *jsondoc.Node, table *string, key *KeyExpr, depth int) error {
	if t := n.Member("table"); t != nil {
		if err := p.at("table").name(t, table); err != nil {
			return err
		}
	}
	return p.at("key").key(n.Member("key"), key, depth)
}

// lookup reads the members table, key, field and type.
func (p *jsonPlace) lookup(n *jsondoc.Node, l *Lookup, depth int) error {
	if err := p.row(n, &l.Table, &l.Key, depth); err != nil {
		return err
	}
	if err := p.at("field").name(n.Member("field"), &l.Field); err != nil {
		return err
	}
	t := n.Member("type")
	if t == nil {
		return nil
	}
	word, _ := t.Text()
	var err error
	if l.Type, err = dict.ParseType(word); err != nil {
		return p.at("type").want("one of the words for types, such as long_string", t)
	}
	return nil
}

// name reads the name of a table or field.
func (p *jsonPlace) name(n *jsondoc.Node, to *string) error {
	text, ok := n.Text()
	if !ok {
		return p.want("a name", n)
	}
	if _, err := dict.CheckName(text); err != nil {
		return p.fail(dict.ErrInvalid, "%v", err)
	}
	*to = text
	return nil
}

// key reads an expression that yields a key, or a value, at the depth of
// lookups that hold it.
func (p *jsonPlace) key(n *jsondoc.Node, k *KeyExpr, depth int) error {
	if d := n.Only("dict"); d != nil {
		if depth == MaxDepth {
			return p.fail(dict.ErrTooLong, "more than %d lookups in one term", MaxDepth)
		}
		p = p.at("dict")
		if err := p.members(d, "table?", "key", "field", "type?"); err != nil {
			return err
		}
		k.Nested = &Lookup{}
		return p.lookup(d, k.Nested, depth+1)
	}
	words := ""
	for _, of := range [...]struct {
		expr    string
		members []string
	}{{"ct", []string{"key"}}, {"meta", []string{"key"}}, {"payload", []string{"protocol", "field"}}} {
		e := n.Only(of.expr)
		if e == nil {
			continue
		}
		if err := p.at(of.expr).members(e, of.members...); err != nil {
			return err
		}
		if of.expr != "payload" {
			words = of.expr
		}
		for _, member := range of.members {
			text, _ := e.Member(member).Text()
			if words != "" {
				words += " "
			}
			words += text
		}
	}
	for _, s := range Selectors() {
		if words == s.String() || slices.Contains(selectors[s].aliases, words) {
			k.Selector = s
			return nil
		}
	}
	if words != "" {
		return p.fail(dict.ErrInvalid, "expected an expression of %s, found %s", selectorList(), dict.Quote(words))
	}
	return p.want("an expression of "+selectorList()+" or dict", n)
}

// operand reads one value, range or prefix where the type t is written.
func (p *jsonPlace) operand(n *jsondoc.Node, o *Operand, t dict.Type) (err error) {
	switch {
	case n.Only("range") != nil:
		r := n.Only("range")
		if p = p.at("range"); r.Kind != jsondoc.Array || len(r.Children) != 2 {
			return p.want("an array of two values", r)
		}
		return p.pair(&r.Children[0], &r.Children[1], "-", formRange, o)
	case n.Only("prefix") != nil:
		f := n.Only("prefix")
		p = p.at("prefix")
		if err := p.members(f, "addr", "len"); err != nil {
			return err
		}
		return p.pair(f.Member("addr"), f.Member("len"), "/", formPrefix, o)
	}
	*o, err = p.scalar(n, t)
	return err
}

// pair reads a range or prefix.
func (p *jsonPlace) pair(lo, hi *jsondoc.Node, between string, f form, to *Operand) error {
	text := ""
	for i, n := range []*jsondoc.Node{lo, hi} {
		o, err := p.scalar(n, 0)
		if err != nil {
			return err
		}
		if i > 0 {
			text += between
		}
		text += o.Text
	}
	if readLiteral(text).form != f {
		return p.fail(dict.ErrInvalid, "expected two numbers or two addresses of one family, an address and a number of bits in a prefix, found %s", dict.Quote(text))
	}
	to.Text = text
	return nil
}

// scalar reads a string, number, true or false.
func (p *jsonPlace) scalar(n *jsondoc.Node, t dict.Type) (Operand, error) {
	switch n.Kind {
	case jsondoc.String:
		text, ok := n.Text()
		switch {
		case !ok:
			return Operand{}, p.want("text", n)
		case text != "" && text[0] == '@':
			return Operand{}, p.fail(dict.ErrNotSupported, "named set %s: not supported here, write the values as {\"set\": [...]}", dict.Quote(text))
		}
		return jsonOperand(text, t), nil
	case jsondoc.True, jsondoc.False:
		return Operand{Text: string(n.Raw), Quoted: t == dict.String}, nil
	case jsondoc.Number:
		if !isNumber(string(n.Raw)) {
			return Operand{}, p.want("a whole number", n)
		}
		return Operand{Text: string(n.Raw), Quoted: t == dict.String}, nil
	}
	return Operand{}, p.want("a string, a number, true or false", n)
}
