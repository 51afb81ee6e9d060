// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"nftdict/dict"
	"nftdict/nftext/jsondoc"
)

// JSONError is JSON that is no dict term where one was begun.
type JSONError struct {
	Path string // of the member at fault, from the object on: match.left.dict.field
	Text string // what was expected, what was found
	Err  error  // dict.ErrInvalid, dict.ErrTooLong or dict.ErrNotSupported
}

// Error prints the path first.
func (e *JSONError) Error() string {
	if e.Path == "" {
		return e.Text
	}
	return e.Path + ": " + e.Text
}

// Unwrap returns the sentinel.
func (e *JSONError) Unwrap() error { return e.Err }

// ParseJSON reads an object as JSON returns it. Spacing and the order of members
// do not matter; members that it does not know are refused. The error is a
// *JSONError.
func ParseJSON(object []byte) (Term, error) {
	n, err := jsondoc.Parse(object)
	if err != nil {
		return nil, &JSONError{"", err.Error(), dict.ErrInvalid}
	}
	t, err := (*jsonPlace)(nil).term(&n)
	if err != nil {
		return nil, err
	}
	if err := checkText(t); err != nil {
		return nil, err
	}
	return t, nil
}

// ParseJSONValue reads the object of a Value, {"dict": LOOKUP}, as ParseJSON does.
func ParseJSONValue(object []byte) (*Value, error) {
	n, err := jsondoc.Parse(object)
	if err != nil {
		return nil, &JSONError{"", err.Error(), dict.ErrInvalid}
	}
	d := n.Only("dict")
	if d == nil {
		return nil, (*jsonPlace)(nil).want(`an object with the one member "dict"`, &n)
	}
	p := (*jsonPlace)(nil).at("dict")
	if err := p.members(d, "table?", "key", "field", "type?"); err != nil {
		return nil, err
	}
	v := &Value{}
	if err := p.lookup(d, &v.Lookup, 1); err != nil {
		return nil, err
	}
	if err := checkText(&Match{Lookup: v.Lookup, Op: Exists}); err != nil {
		return nil, err
	}
	return v, nil
}

// checkText returns an error unless the text of t is a term equal to t: it
// decides about names, keywords and all limits.
func checkText(t Term) error {
	text := t.String()
	back, end, err := Parse(text)
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return &JSONError{"", e.Text + ", in " + dict.Quote(text), e.Err}
	}
	if end != len(text) || !reflect.DeepEqual(t, back) {
		return &JSONError{"", "expected a dict term, found " + dict.Quote(text), dict.ErrInvalid}
	}
	return nil
}

// jsonPlace is the way to a value within an object.
type jsonPlace struct {
	up   *jsonPlace
	step string // with its brackets, of an element of an array
}

func (p *jsonPlace) at(step string) *jsonPlace { return &jsonPlace{p, step} }

func (p *jsonPlace) String() string {
	switch {
	case p == nil:
		return ""
	case p.up == nil || p.step[0] == '[':
		return p.up.String() + p.step
	}
	return p.up.String() + "." + p.step
}

func (p *jsonPlace) fail(sentinel error, format string, args ...any) error {
	return &JSONError{p.String(), fmt.Sprintf(format, args...), sentinel}
}

// want returns the error for a value that is something else.
func (p *jsonPlace) want(what string, n *jsondoc.Node) error {
	found := n.Kind.String()
	switch n.Kind {
	case jsondoc.Object, jsondoc.Array:
	default:
		if len(n.Raw) <= 40 {
			found = string(n.Raw)
		}
	}
	return p.fail(dict.ErrInvalid, "expected %s, found %s", what, found)
}

// members checks that an object has the members, and no others and none twice;
// one with a question mark may be left out.
func (p *jsonPlace) members(n *jsondoc.Node, names ...string) error {
	if n.Kind != jsondoc.Object {
		return p.want("an object", n)
	}
	var seen []string
	for i := range n.Children {
		key := n.Children[i].Key
		switch {
		case !slices.Contains(names, key) && !slices.Contains(names, key+"?"):
			return p.at(jsondoc.Name(key)).fail(dict.ErrInvalid, "is not known here, want %s", listOf(names))
		case slices.Contains(seen, key):
			return p.at(key).fail(dict.ErrInvalid, "is there twice")
		}
		seen = append(seen, key)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "?") && !slices.Contains(seen, name) {
			return p.fail(dict.ErrInvalid, "has no member %q", name)
		}
	}
	return nil
}

func listOf(names []string) string {
	text := strings.Join(names, ", ")
	return strings.ReplaceAll(text, "?", "")
}

// term reads a whole statement.
func (p *jsonPlace) term(n *jsondoc.Node) (Term, error) {
	if m := n.Only("match"); m != nil {
		return p.at("match").match(m)
	}
	d := n.Only("dict")
	if d == nil {
		return nil, p.want(`an object with the one member "dict", or "match" with a dict on its left`, n)
	}
	p = p.at("dict")
	op := ""
	if o := d.Member("op"); o != nil {
		op, _ = o.Text()
	}
	if op == "flush" {
		f := &Flush{}
		if err := p.members(d, "op", "table?", "key"); err != nil {
			return nil, err
		}
		return f, p.row(d, &f.Table, &f.Key, 1)
	}
	verb := slices.Index(verbText[:], op)
	if verb < 0 {
		return nil, p.fail(dict.ErrInvalid, `expected "op" to be "set", "add", "sub" or "flush" in a statement`)
	}
	a := &Assign{Verb: Verb(verb)}
	if err := p.members(d, "op", "table?", "key", "field", "type?", "value"); err != nil {
		return nil, err
	}
	if err := p.lookup(d, &a.Lookup, 1); err != nil {
		return nil, err
	}
	value := d.Member("value")
	p = p.at("value")
	if value.Kind != jsondoc.Object || value.Only("range") != nil || value.Only("prefix") != nil {
		return a, p.operand(value, &a.Value, a.Type)
	}
	k := KeyExpr{}
	err := p.key(value, &k, 0)
	a.Source, a.Nested = k.Selector, k.Nested
	return a, err
}

func (p *jsonPlace) match(n *jsondoc.Node) (*Match, error) {
	if err := p.members(n, "op", "left", "right?"); err != nil {
		return nil, err
	}
	m := &Match{}
	text, _ := n.Member("op").Text()
	op := slices.Index(opText[:], text)
	if op < 0 && text != "in" {
		return nil, p.at("op").want("==, !=, <, <=, >, >=, exists or missing", n.Member("op"))
	}
	m.Op = Op(max(op, 0))
	left := n.Member("left").Only("dict")
	if left == nil {
		return nil, p.at("left").want(`an object with the one member "dict"`, n.Member("left"))
	}
	at := p.at("left").at("dict")
	if err := at.members(left, "table?", "key", "field", "type?"); err != nil {
		return nil, err
	}
	if err := at.lookup(left, &m.Lookup, 1); err != nil {
		return nil, err
	}
	right := n.Member("right")
	p = p.at("right")
	switch {
	case m.Op == Exists || m.Op == Missing:
		if right != nil {
			return nil, p.fail(dict.ErrInvalid, "stands beside the operator %s, which takes no value", m.Op)
		}
		return m, nil
	case right == nil:
		return nil, p.fail(dict.ErrInvalid, "expected a value")
	}
	set := right.Only("set")
	if set == nil {
		m.Items = make([]Operand, 1)
		return m, p.operand(right, &m.Items[0], m.Type)
	}
	p = p.at("set")
	if set.Kind != jsondoc.Array {
		return nil, p.want("an array of values", set)
	}
	m.Set, m.Items = true, make([]Operand, len(set.Children))
	for i := range set.Children {
		if err := p.at(fmt.Sprintf("[%d]", i)).operand(&set.Children[i], &m.Items[i], m.Type); err != nil {
			return nil, err
		}
	}
	return m, nil
}
