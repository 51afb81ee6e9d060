// SPDX-License-Identifier: MIT

package jsondoc

import (
	"strconv"
	"strings"
)

// Path is the way from a document to a value within it. A nil Path is the
// document itself.
type Path struct {
	Up    *Path
	Key   string // name of a member; "" in an array
	Index int    // place in an array, from 0; -1 in an object
}

// String returns the way as programs write it: nftables[3].add.rule.expr[0].
func (p *Path) String() string {
	if p == nil {
		return ""
	}
	up := p.Up.String()
	switch {
	case p.Index >= 0:
		return up + "[" + strconv.Itoa(p.Index) + "]"
	case up == "":
		return Name(p.Key)
	}
	return up + "." + Name(p.Key)
}

// Name returns the name of a member as a path shows it: in quotes unless it is
// a word.
func Name(key string) string {
	for _, c := range key {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return strconv.Quote(key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// Member reports whether the value is a member of that name, of an object.
func (p *Path) Member(name string) bool { return p != nil && p.Index < 0 && p.Key == name }

// Walk goes over src, any number of JSON values one after the other. It calls
// want for every array and object, outermost first, and take with the bounds of
// those for which want says so, which are not looked into any further. The Path is
// valid during the call. The error is take's, or wraps ErrSyntax: src is not
// JSON, and nothing of it should have been done.
func Walk(src []byte, want func(at *Path) bool, take func(at *Path, start, end int) error) error {
	w := walker{scanner{src: src}, want, take}
	for w.space() != 0 {
		if err := w.value(nil, 0); err != nil {
			return err
		}
	}
	if w.pos < len(src) { // a zero byte
		return w.fail("a value")
	}
	return nil
}

type walker struct {
	scanner
	want func(*Path) bool
	take func(*Path, int, int) error
}

// value takes the value at the position.
func (w *walker) value(at *Path, depth int) error {
	if c := w.space(); c != '{' && c != '[' {
		return w.scalar()
	}
	if depth == MaxDepth {
		return w.fail("fewer arrays and objects in each other")
	}
	start, taken := w.pos, w.want(at)
	next := &Path{Up: at, Index: -1}
	array := w.src[w.pos] == '['
	err := w.list(func(key []byte) error {
		if taken {
			return w.skip(depth + 1)
		}
		if array {
			next.Index++
		} else {
			next.Key = unquote(key)
		}
		return w.value(next, depth+1)
	})
	if err != nil || !taken {
		return err
	}
	return w.take(at, start, w.pos)
}

// skip takes the value at the position without a look.
func (w *walker) skip(depth int) error {
	if c := w.space(); c != '{' && c != '[' {
		return w.scalar()
	}
	if depth == MaxDepth {
		return w.fail("fewer arrays and objects in each other")
	}
	return w.list(func([]byte) error { return w.skip(depth + 1) })
}

// unquote returns the text of a well-formed string. A half of a surrogate pair
// becomes U+FFFD.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	plain := true
	for _, c := range inner {
		if c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return string(inner)
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			b.WriteByte(inner[i])
			continue
		}
		r, n := unescape(inner[i:])
		b.WriteRune(r)
		i += n - 1
	}
	return b.String()
}
