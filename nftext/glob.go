// SPDX-License-Identifier: MIT

package nftext

// Glob is a compiled string pattern: a sequence of tokens, each of which
// matches one byte of a class, or any run of bytes (a star).
type Glob struct {
	tokens []Token
}

// Token is one position of a Glob.
type Token struct {
	Star  bool      // any run of bytes, also an empty one; Class is unused
	Class [4]uint64 // bit b is set if the byte b matches
}

// Tokens returns the glob's tokens; no two stars stand together. The caller
// must not change them.
func (g *Glob) Tokens() []Token { return g.tokens }
