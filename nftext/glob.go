// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"
	"math/bits"

	"nftdict/dict"
)

// Glob is a compiled string pattern: a sequence of tokens, each of which
// matches one byte of a class, or any run of bytes (a star). It works on
// bytes: a character outside ASCII is as many tokens as it has bytes, and that
// many question marks.
type Glob struct {
	tokens []Token
}

// Token is one position of a Glob.
type Token struct {
	Star  bool      // any run of bytes, also an empty one; Class is unused
	Class [4]uint64 // bit b is set if the byte b matches
}

// CompileGlob compiles the text of a pattern:
//
//   - any run of bytes, also an empty one
//     ?        any one byte
//     [a-z_]   one byte of the class; ASCII only
//     [!a-z]   one byte that is not of the class
//     \c       the character c itself, also within a class
//
// The error wraps dict.ErrInvalid, or dict.ErrTooLong for more than MaxTokens
// tokens.
func CompileGlob(text string) (*Glob, error) {
	fail := func(sentinel error, format string, args ...any) (*Glob, error) {
		return nil, fmt.Errorf("pattern %s: %w: %s", dict.Quote(text), sentinel, fmt.Sprintf(format, args...))
	}
	g := &Glob{}
	for i := 0; i < len(text); {
		var t Token
		switch c := text[i]; c {
		case '*':
			t.Star = true
			i++
		case '?':
			t.Class = [4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
			i++
		case '[':
			n, err := t.class(text[i:])
			if err != nil {
				return fail(dict.ErrInvalid, "%v", err)
			}
			i += n
		case '\\':
			if i++; i == len(text) {
				return fail(dict.ErrInvalid, "ends in a backslash, write \\\\ for the character itself")
			}
			fallthrough
		default:
			t.add(text[i])
			i++
		}
		if n := len(g.tokens); t.Star && n > 0 && g.tokens[n-1].Star {
			continue
		}
		if len(g.tokens) == MaxTokens {
			return fail(dict.ErrTooLong, "more than %d positions", MaxTokens)
		}
		g.tokens = append(g.tokens, t)
	}
	return g, nil
}

// class reads a class in brackets from the start of text and returns its
// length.
func (t *Token) class(text string) (int, error) {
	i, negate := 1, false
	if len(text) > 1 && text[1] == '!' {
		i, negate = 2, true
	}
	if len(text) > i && text[i] == '^' {
		return 0, fmt.Errorf("[^ begins no class, write [! for all but these or \\^ for the character itself")
	}
	// next returns one character of the class, and whether it was escaped.
	next := func() (c byte, err error) {
		if i < len(text) && text[i] == '\\' {
			i++
		}
		if i >= len(text) {
			return 0, fmt.Errorf("[ without ], write \\[ for the character itself")
		}
		if c = text[i]; c >= 0x80 {
			return 0, fmt.Errorf("a class holds ASCII only")
		}
		i++
		return c, nil
	}
	for empty := true; ; empty = false {
		if i < len(text) && text[i] == ']' {
			if empty {
				return 0, fmt.Errorf("empty class, write \\] for the character itself")
			}
			break
		}
		lo, err := next()
		if err != nil {
			return 0, err
		}
		hi := lo
		if i+1 < len(text) && text[i] == '-' && text[i+1] != ']' {
			i++
			if hi, err = next(); err != nil {
				return 0, err
			}
		}
		if lo > hi {
			return 0, fmt.Errorf("range %c-%c is the wrong way round", lo, hi)
		}
		for c := int(lo); c <= int(hi); c++ {
			t.add(byte(c))
		}
	}
	if negate {
		for w := range t.Class {
			t.Class[w] = ^t.Class[w]
		}
	}
	return i + 1, nil
}

func (t *Token) add(c byte) { t.Class[c>>6] |= 1 << (c & 63) }

// Has reports whether the byte c matches a token that is no star.
func (t *Token) Has(c byte) bool { return t.Class[c>>6]>>(c&63)&1 != 0 }

// Tokens returns the glob's tokens; no two stars stand together. The caller
// must not change them.
func (g *Glob) Tokens() []Token { return g.tokens }

// Literal returns the one string that matches, false if there may be more or
// none.
func (g *Glob) Literal() (string, bool) {
	s := make([]byte, len(g.tokens))
	for i, t := range g.tokens {
		ones := 0
		for w, word := range t.Class {
			if n := bits.OnesCount64(word); n > 0 {
				ones += n
				s[i] = byte(w<<6 + bits.TrailingZeros64(word))
			}
		}
		if t.Star || ones != 1 {
			return "", false
		}
	}
	return string(s), true
}

// Match reports whether the whole of s matches. It is the reference for
// backends: at most len(s) times len(Tokens) steps, since only the last star
// is ever given more bytes.
func (g *Glob) Match(s string) bool {
	star, from := -1, 0 // the last star, and where in s its run ends
	t, i := 0, 0
	for i < len(s) {
		switch {
		case t < len(g.tokens) && g.tokens[t].Star:
			star, from = t, i
			t++
		case t < len(g.tokens) && g.tokens[t].Has(s[i]):
			t++
			i++
		case star >= 0:
			from++
			t, i = star+1, from
		default:
			return false
		}
	}
	return t == len(g.tokens) || t == len(g.tokens)-1 && g.tokens[t].Star
}
