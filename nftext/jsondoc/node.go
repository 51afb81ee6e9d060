// SPDX-License-Identifier: MIT

package jsondoc

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind tells what a Node is, by the first byte of its text.
type Kind byte

// The kinds of values.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
)

// String returns the kind with an article, as error messages name it.
func (k Kind) String() string {
	switch k {
	case Object:
		return "an object"
	case Array:
		return "an array"
	case String:
		return "a string"
	case Number:
		return "a number"
	}
	return "true, false or null"
}

// Node is a value within a text.
type Node struct {
	Kind       Kind
	Start, End int    // in the text that Parse was given
	Raw        []byte // that text; aliases it
	Key        string // where it is the member of an object
	Children   []Node // of an Array or Object
}

// Parse returns the one value that src is, white space around it aside. The
// error wraps ErrSyntax.
func Parse(src []byte) (Node, error) {
	s := scanner{src: src}
	n, err := s.node(0)
	if err == nil {
		if s.space(); s.pos < len(src) {
			err = s.fail("the end")
		}
	}
	return n, err
}

func (s *scanner) node(depth int) (n Node, err error) {
	c := s.space()
	n.Start = s.pos
	switch c {
	case '{', '[':
		n.Kind = Kind(c)
		if depth == MaxDepth {
			return n, s.fail("fewer arrays and objects in each other")
		}
		err = s.list(func(key []byte) error {
			child, err := s.node(depth + 1)
			if key != nil {
				child.Key = unquote(key)
			}
			n.Children = append(n.Children, child)
			return err
		})
	default:
		err = s.scalar()
		switch n.Kind = Kind(c); n.Kind {
		case String, True, False, Null:
		default:
			n.Kind = Number
		}
	}
	n.End = s.pos
	n.Raw = s.src[n.Start:n.End]
	return n, err
}

// Text returns the text of a String. It is false for another kind, and for half
// a surrogate pair, which is no text.
func (n *Node) Text() (string, bool) {
	if n.Kind != String {
		return "", false
	}
	text := unquote(n.Raw)
	whole := !bytes.ContainsRune([]byte(text), utf8.RuneError) || bytes.ContainsRune(n.Raw, utf8.RuneError) ||
		bytes.Contains(bytes.ToLower(n.Raw), []byte(`\ufffd`))
	return text, whole
}

// Member returns the last member of that name of an Object, as nft takes it, or
// nil.
func (n *Node) Member(name string) *Node {
	if n.Kind != Object {
		return nil
	}
	for i := len(n.Children) - 1; i >= 0; i-- {
		if n.Children[i].Key == name {
			return &n.Children[i]
		}
	}
	return nil
}

// Only returns the one member of an Object that has one, if it is of that name,
// else nil.
func (n *Node) Only(name string) *Node {
	if n.Kind != Object || len(n.Children) != 1 || n.Children[0].Key != name {
		return nil
	}
	return &n.Children[0]
}

// unescape returns what the well-formed escape at the start of b means and its
// length.
func unescape(b []byte) (rune, int) {
	switch b[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, _ := unit(b)
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if low, ok := unit(b[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	}
	return rune(b[1]), 2
}

// Quote appends text as a JSON string to b.
func Quote(b []byte, text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // never fails
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
