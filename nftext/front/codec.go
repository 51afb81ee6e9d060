// SPDX-License-Identifier: MIT

package front

// Codec is what the front end must know of dict terms: where they stand in nft
// text, what they compile to, and how they look in a dump. Its methods are
// called from one goroutine at a time.
type Codec interface {
	// Find returns the dict terms of src, nft text, in order and without
	// overlap. A term ends before the whitespace that follows it. Comments and
	// quoted strings hold no terms. A malformed term is a *TextError whose
	// offsets count from the start of src.
	Find(src []byte) ([]Span, error)

	// Compile turns one term into nf_tables expressions for a rule at t. An error
	// becomes nft's message at that term; a *TextError, whose offsets count from
	// the start of term, moves the caret within it.
	Compile(t Target, term string) (*Code, error)

	// Decompile reports whether the rule elements elems begin with a compiled
	// term: its canonical text, its kind, and how many elements (at least one)
	// it takes. The elements alias a receive buffer and must not be kept.
	Decompile(family uint8, elems []Element) (term string, kind Kind, n int, ok bool)
}

// Kind tells what a term is to nft.
type Kind uint8

const (
	Match     Kind = iota // a condition: the rule ends where it does not hold
	Statement             // an action, such as set or flush
)

// String returns the kind as error messages name it.
func (k Kind) String() string {
	if k == Statement {
		return "statement"
	}
	return "match"
}

// Span is one term in a text: src[Start:End].
type Span struct {
	Start, End int
	Kind       Kind
}

// Target is the place of a rule. Family is NFPROTO_*. Chain is empty for a
// chain that has no name (nft's `jump { ... }`).
type Target struct {
	Family uint8
	Table  string
	Chain  string
	Check  bool // nft -c: the kernel keeps nothing of the rule
}

// Code is a compiled term.
type Code struct {
	// Exprs is a sequence of NFTA_LIST_ELEM attributes, each padded to four
	// bytes. File descriptors in it are resolved in this process.
	Exprs []byte

	// Close, which may be nil, releases what Exprs refers to. It is called once,
	// after the kernel has answered.
	Close func() error
}

// Element is one expression of a rule, as the kernel dumps it.
type Element struct {
	Name string // such as "cmp"
	Data []byte // payload of NFTA_EXPR_DATA
	Raw  []byte // the whole NFTA_LIST_ELEM attribute, header included, unpadded
}

// TextError is an error at a place in a text: the bytes [Offset, End). An End
// not above Offset means unknown.
type TextError struct {
	Offset, End int
	Err         error
}

// Error returns the text of the error alone: the place is for the caret.
func (e *TextError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *TextError) Unwrap() error { return e.Err }
