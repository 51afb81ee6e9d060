// SPDX-License-Identifier: MIT

package nftext

import (
	"strconv"
	"strings"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// JSON returns a term as an object in the style of libnftables-json(5), spaced
// as nft does. ParseJSON reads it to an equal Term, ParseJSONValue a Value.
//
//	{"match": {"op": "==", "left": {"dict": LOOKUP}, "right": VALUE}}  a match
//	{"match": {"op": "exists", "left": {"dict": LOOKUP}}}              or "missing"
//	{"dict": {"op": "set", LOOKUP, "value": VALUE}}                    or "add", "sub"
//	{"dict": {"op": "flush", "table": T, "key": KEY}}
//	{"dict": LOOKUP}                                                   a value
//
// A LOOKUP is "table": T, "key": KEY, "field": F, "type": TYPE; table and type
// may be left out. KEY is an expression such as {"ct": {"key": "id"}} or
// {"payload": {"protocol": "ip", "field": "saddr"}}, or {"dict": {LOOKUP}}.
//
// VALUE is a number, true, false or a string; of a match also {"range": [A, B]},
// {"prefix": {"addr": A, "len": N}} and {"set": [VALUE, ...]}; of a statement
// also an expression, as of KEY. A string is read as nft reads a word: "10.0.0.1" is
// an address where the type leaves the choice. In quotes of its own, "\"10.0.0.1\"",
// it is text in any case. In the texts \ * ? and [ mean what they do in a term.
func JSON(t Term) []byte {
	switch t := t.(type) {
	case *Match:
		return t.appendJSON(nil)
	case *Assign:
		return t.appendJSON(nil)
	case *Value:
		return append(t.Lookup.appendJSON([]byte(`{"dict": {`)), "}}"...)
	case *Flush:
		b := append([]byte(`{"dict": {"op": "flush", `), appendTable(nil, t.Table)...)
		return append(t.Key.appendJSON(append(b, `"key": `...)), "}}"...)
	}
	return nil
}

func (m *Match) appendJSON(b []byte) []byte {
	b = append(b, `{"match": {"op": "`+m.Op.String()+`", "left": {"dict": `...)
	b = append(m.Lookup.appendJSON(append(b, '{')), "}}"...)
	if m.Op == Exists || m.Op == Missing {
		return append(b, "}}"...)
	}
	b = append(b, `, "right": `...)
	if m.Set {
		b = append(b, `{"set": [`...)
	}
	for i := range m.Items {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = m.Items[i].appendJSON(b, m.Type)
	}
	if m.Set {
		b = append(b, "]}"...)
	}
	return append(b, "}}"...)
}

func (a *Assign) appendJSON(b []byte) []byte {
	b = append(b, `{"dict": {"op": "`+a.Verb.String()+`", `...)
	b = append(a.Lookup.appendJSON(b), `, "value": `...)
	if a.Nested != nil || a.Source != 0 {
		b = (&KeyExpr{a.Source, a.Nested}).appendJSON(b)
	} else {
		b = a.Value.appendJSON(b, a.Type)
	}
	return append(b, "}}"...)
}

// appendJSON appends the members of the lookup.
func (l *Lookup) appendJSON(b []byte) []byte {
	b = append(appendTable(b, l.Table), `"key": `...)
	b = append(l.Key.appendJSON(b), `, "field": `...)
	b = jsondoc.Quote(b, l.Field)
	if l.Type != 0 {
		b = append(b, `, "type": "`+l.Type.String()+`"`...)
	}
	return b
}

func appendTable(b []byte, table string) []byte {
	if table == "" {
		return b
	}
	return append(jsondoc.Quote(append(b, `"table": `...), table), ", "...)
}

func (k *KeyExpr) appendJSON(b []byte) []byte {
	if k.Nested != nil {
		return append(k.Nested.appendJSON(append(b, `{"dict": {`...)), "}}"...)
	}
	first, last, two := strings.Cut(k.Selector.String(), " ")
	switch {
	case !two: // iif, oif
		return append(b, `{"meta": {"key": "`+first+`"}}`...)
	case first == "ct" || first == "meta":
		return append(b, `{"`+first+`": {"key": "`+last+`"}}`...)
	}
	return append(b, `{"payload": {"protocol": "`+first+`", "field": "`+last+`"}}`...)
}

// appendJSON appends a value that stands where the type t is written.
func (o Operand) appendJSON(b []byte, t dict.Type) []byte {
	if o.Quoted {
		if o != jsonOperand(o.Text, t) || strings.HasPrefix(o.Text, "@") {
			return jsondoc.Quote(b, `"`+o.Text+`"`)
		}
		return jsondoc.Quote(b, o.Text)
	}
	switch l := readLiteral(o.Text); l.form {
	case formPrefix:
		b = appendScalar(append(b, `{"prefix": {"addr": `...), l.lo)
		return append(appendScalar(append(b, `, "len": `...), l.hi), "}}"...)
	case formRange:
		b = appendScalar(append(b, `{"range": [`...), l.lo)
		return append(appendScalar(append(b, ", "...), l.hi), "]}"...)
	}
	return appendScalar(b, o.Text)
}

// appendScalar appends what was a word without quotes.
func appendScalar(b []byte, text string) []byte {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text || text == "true" || text == "false" {
		return append(b, text...)
	}
	return jsondoc.Quote(b, text)
}

// jsonOperand returns the value that a JSON string stands for where the type t
// is written: what the same word means in a term, or else text.
func jsonOperand(s string, t dict.Type) Operand {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return Operand{Text: s[1 : len(s)-1], Quoted: true}
	}
	var o Operand
	p := parser{scanner: scanner{src: s, braces: true}}
	if err := p.unquoted(&o, t); err != nil || p.end != len(s) || o.Text != s || isStatement(s) {
		return Operand{Text: s, Quoted: true}
	}
	return o
}
