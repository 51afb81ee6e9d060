// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"nftdict/nftext/jsondoc"
)

// JSONCodec is the part of a Codec for nft -j. Its methods know the form of a
// term as an object; where such objects stand in nft's documents the front end
// knows.
type JSONCodec interface {
	// FromJSON returns the match or statement that an object says, of which the
	// Span has Kind and Text. A malformed object is a *PathError.
	FromJSON(object []byte) (Span, error)

	// ValueFromJSON returns the Value that an object says, of which the Span also
	// has Class and Place.
	ValueFromJSON(object []byte, use Use) (Span, error)

	// ToJSON returns a term as an object. It may be called at any time.
	ToJSON(kind Kind, text string) ([]byte, error)
}

// Use is what nft does with a Value.
type Use uint8

const (
	UseCompared Use = iota // or looked up, in a match
	UseComputed            // or looked up within a statement; also behind the first of a concatenation
	UseNumber              // written to a mark or priority
	UsePort                // written to what takes 16 bits
	UseAddress             // written to what takes an address
	UseElement             // added to a set
	UseListed              // part of a concatenation, the key of a map in braces within a statement
	UseBits                // computed with: and, or, xor, shifts
	UseLink                // written to what takes a MAC address
	useConstant            // where nft takes none
)

// PathError is an error about a member of an object.
type PathError struct {
	Path string // from the object on, such as match.left.dict.field; "" is the object
	Err  error
}

// Error returns the text of the error alone.
func (e *PathError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *PathError) Unwrap() error { return e.Err }

// isJSON reports whether nft -j reads a text as JSON; else it is commands.
func isJSON(src []byte) bool {
	src = bytes.TrimLeft(src, " \t\r\n")
	return len(src) > 0 && (src[0] == '{' || src[0] == '[')
}

// isExpressions reports whether a value is the list of a rule's statements.
func isExpressions(at *jsondoc.Path) bool { return at.Member("expr") && at.Up.Member("rule") }

// jsonEdit replaces src[start:end] of a document.
type jsonEdit struct {
	start, end int
	text       []byte
}

// splice returns src with edits, which are in order and do not overlap.
func splice(src []byte, edits []jsonEdit) []byte {
	if len(edits) == 0 {
		return src
	}
	size := len(src)
	for _, e := range edits {
		size += len(e.text)
	}
	out, at := make([]byte, 0, size), 0
	for _, e := range edits {
		out = append(append(out, src[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, src[at:]...)
}

// appendPlaceholderJSON appends what stands for a term in a list of statements.
func (t *terms) appendPlaceholderJSON(b []byte, e *term) []byte {
	if e.kind == Statement || t.opaque {
		return append(b, `{"quota": "`+e.token+`"}`...)
	}
	return append(b, `{"match": {"op": "==", "left": {"meta": {"key": "ibrname"}}, "right": "`+e.token+`"}}`...)
}

// json returns the carrier as nft reads it in JSON. base is the table's for
// numbers.
func (c carrier) json(base uint32) string {
	word, rest, _ := strings.Cut(c.text(base), " ")
	switch word {
	case "numgen":
		var mode string
		var mod, offset uint32
		if n, err := fmt.Sscanf(rest, "%s mod %d offset %d", &mode, &mod, &offset); n == 3 && err == nil {
			return fmt.Sprintf(`{"numgen": {"mode": %q, "mod": %d, "offset": %d}}`, mode, mod, offset)
		}
	case "ct":
		direction, key, directed := strings.Cut(rest, " ")
		if !directed {
			return fmt.Sprintf(`{"ct": {"key": %q}}`, rest)
		}
		return fmt.Sprintf(`{"ct": {"key": %q, "dir": %q}}`, key, direction)
	case "meta", "rt":
		return fmt.Sprintf(`{%q: {"key": %q}}`, word, rest)
	case "ether":
		return fmt.Sprintf(`{"payload": {"protocol": "ether", "field": %q}}`, rest)
	}
	var offset, size int
	_, _ = fmt.Sscanf(word, "@th,%d,%d", &offset, &size)
	return fmt.Sprintf(`{"payload": {"base": "th", "offset": %d, "len": %d}}`, offset, size)
}

// sameJSON reports whether two values are the same but for spacing and the order
// of members. Numbers are the same in 32 bits: nft prints some with a sign and
// reads them without.
func sameJSON(a, b *jsondoc.Node) bool {
	if a.Kind != b.Kind || len(a.Children) != len(b.Children) {
		return false
	}
	switch a.Kind {
	case jsondoc.Object:
		for i := range a.Children {
			other := b.Member(a.Children[i].Key)
			if other == nil || !sameJSON(&a.Children[i], other) {
				return false
			}
		}
		return true
	case jsondoc.Array:
		for i := range a.Children {
			if !sameJSON(&a.Children[i], &b.Children[i]) {
				return false
			}
		}
		return true
	case jsondoc.String:
		x, _ := a.Text()
		y, _ := b.Text()
		return x == y
	case jsondoc.Number:
		var x, y int64
		_, errX := fmt.Sscan(string(a.Raw), &x)
		_, errY := fmt.Sscan(string(b.Raw), &y)
		if errX == nil && errY == nil {
			return uint32(x) == uint32(y)
		}
	}
	return bytes.Equal(a.Raw, b.Raw)
}

// within calls f for n and all that is in it, until f is false.
func within(n *jsondoc.Node, f func(*jsondoc.Node) bool) bool {
	if !f(n) {
		return false
	}
	for i := range n.Children {
		if !within(&n.Children[i], f) {
			return false
		}
	}
	return true
}

// pathOf returns the path of an error about the object at path.
func pathOf(path string, err error) string {
	var at *PathError
	if errors.As(err, &at) && at.Path != "" {
		return path + "." + at.Path
	}
	return path
}
