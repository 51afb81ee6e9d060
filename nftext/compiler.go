// SPDX-License-Identifier: MIT

package nftext

// Target is where a compiled term will stand.
type Target struct {
	Family uint8 // NFPROTO_* of the rule's table
	Table  string
	Chain  string
	Check  bool // the kernel only looks at the rule and keeps nothing; so does the backend

	// Class and Register say what a *Load puts where: NFT_REG_* or NFT_REG32_*.
	// They are 0 for other terms.
	Class    Class
	Register uint32
}

// Compiler turns bound terms into expressions of an nft rule. A backend has
// one.
type Compiler interface {
	// Compile returns the expressions of a term. What the backend cannot do is
	// dict.ErrNotSupported, by name and with what would do instead.
	Compile(Target, Bound) (*Code, error)
	// Decompile looks whether a term of this backend begins at elems[0] of a
	// dumped rule. Found.N is 0 if none does.
	Decompile(family uint8, elems []Element) Found
}

// Found is a compiled term in a dumped rule.
type Found struct {
	Text string // canonical; it parses, by ParseValue where Class is not 0: it is what was compiled
	N    int    // how many elements it spans

	// Class and Register are those of a value, else 0. The register is the one
	// that the kernel names, NFT_REG_1 to NFT_REG_4 where it begins one of them.
	Class    Class
	Register uint32
}

// Code is a compiled term.
type Code struct {
	// Exprs are NFTA_LIST_ELEM attributes, one after the other, ready for
	// NFTA_RULE_EXPRESSIONS. They may hold file descriptors of this process:
	// whoever sends the message keeps the Code open until the kernel answered,
	// and sends it from this process.
	Exprs []byte
	// Release closes what the expressions refer to. Never nil.
	Release func() error
}

// Element is one expression of a dumped rule.
type Element struct {
	Name string // NFTA_EXPR_NAME
	Data []byte // NFTA_EXPR_DATA, attributes; nil if the expression has none
}
