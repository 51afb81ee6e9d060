// SPDX-License-Identifier: MIT

package nftext

import "strings"

// value reads a Value, whatever follows.
func (p *parser) value() (Term, error) {
	if !p.take("dict") {
		return nil, p.want("the word dict")
	}
	p.tight = true
	v := &Value{}
	if err := p.row(&v.Table, &v.Key, 1); err != nil {
		return nil, err
	}
	return v, p.field(&v.Lookup)
}

// toValue makes a Value of a Match that has a lookup and nothing else yet.
func (p *parser) toValue(m *Match) *Value {
	v := &Value{Lookup: m.Lookup}
	p.places.move(&m.Table, &v.Table)
	p.places.move(&m.Key, &v.Key)
	p.places.move(&m.Field, &v.Field)
	return v
}

// operates reports whether what follows a lookup is nft's to do with the
// value: a map, a named set, an operator that computes, the next part of a
// concatenation.
func (p *parser) operates() bool {
	rest := p.src[p.pos:]
	switch word := p.word(); word {
	case "vmap", "map":
		return begins(afterSpace(rest[len(word):]), "{", "@", "$")
	case "and", "or", "xor", "lshift", "rshift":
		return afterSpace(rest[len(word):]) != rest[len(word):]
	case "eq", "ne":
		return begins(afterSpace(rest[len(word):]), "@")
	case "":
		switch {
		case begins(rest, "@", "&", "|", "<<", ">>"):
			return true
		case begins(rest, "==", "!="):
			return begins(afterSpace(rest[2:]), "@")
		case begins(rest, "^", "."):
			return rest[1:] == "" || afterSpace(rest[1:]) != rest[1:]
		}
	}
	return false
}

// begins reports whether text begins with one of some beginnings.
func begins(text string, beginnings ...string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

// afterSpace returns text from behind its blanks and continued lines.
func afterSpace(text string) string {
	s := scanner{src: text}
	s.space()
	return text[s.pos:]
}
