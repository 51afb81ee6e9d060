// SPDX-License-Identifier: MIT

package front

// Codec is what the front end must know of dict terms: where they stand in nft
// text, what they compile to, and how they look in a dump. Its methods are
// called from one goroutine at a time.
type Codec interface {
	// Finder returns what finds terms in the texts of one run of nft.
	Finder() Finder

	// Compile turns one term into nf_tables expressions for a rule at t. An error
	// becomes nft's message at that term; a *TextError, whose offsets count from
	// the start of term, moves the caret within it.
	Compile(t Target, term string) (*Code, error)

	// Decompile reports whether the rule elements elems begin with a compiled
	// term. The elements alias a receive buffer and must not be kept.
	Decompile(family uint8, elems []Element) (Found, bool)

	JSONCodec
}

// Finder finds the terms of nft text. It knows what the texts before have
// defined.
type Finder interface {
	// Find returns the dict terms of src, nft text, in order and without
	// overlap. A term ends before the whitespace that follows it. Comments and
	// quoted strings hold no terms. A malformed term is a *TextError whose
	// offsets count from the start of src.
	//
	// include, if not nil, is called where src includes a file or a pattern of
	// files, and calls Find for the text of each before it returns. Its error ends
	// Find, as an error at that place.
	Find(src []byte, include func(pattern string) error) ([]Span, error)
}

// Found is a compiled term among the elements of a rule.
type Found struct {
	Text     string // canonical
	Kind     Kind
	Elements int // how many it takes, at least one

	// Class and Register are those of a Value: the register as the kernel names
	// it, NFT_REG_1 to NFT_REG_4 where it begins one of them.
	Class    Class
	Register uint32
}

// Kind tells what a term is to nft.
type Kind uint8

const (
	Match     Kind = iota // a condition: the rule ends where it does not hold
	Statement             // an action, such as set or flush
	Value                 // an expression, whose value nft works with
)

// String returns the kind as error messages name it.
func (k Kind) String() string {
	switch k {
	case Statement:
		return "statement"
	case Value:
		return "value"
	}
	return "match"
}

// Class is what nft takes a Value for. The zero Class is none.
type Class uint8

// The classes. Numbers are in the machine's byte order or, as nft reads them
// from packets, in the network's.
const (
	Integer   Class = 1 + iota // 4 bytes, the machine's order
	Integer16                  // 2 bytes, the network's order
	Integer64                  // 8 bytes, the network's order
	IPv4                       // 4 bytes
	IPv6                       // 16 bytes
	Name                       // 16 bytes, of nft's type ifname
	Bool                       // 1 byte, of nft's type boolean
	Ether                      // 6 bytes, of nft's type ether_addr
)

// Place tells what nft takes where a Value stands.
type Place uint8

const (
	Condition Place = iota // what a match may begin with
	Argument               // what a statement takes, alone: any number of the width
	Key                    // what a statement takes, in a map or concatenation: types count
	Listed                 // likewise, in a concatenation that is the key of a map in braces
)

// Span is one term in a text: src[Start:End].
type Span struct {
	Start, End int
	Kind       Kind
	Text       string // what Compile gets, with variables replaced; "" where it is src[Start:End]

	// Statement is where the match or statement begins that a Value stands in.
	Statement int
	Class     Class // of a Value
	Place     Place // of a Value
}

// Target is the place of a rule. Family is NFPROTO_*. Chain is empty for a
// chain that has no name (nft's `jump { ... }`).
type Target struct {
	Family uint8
	Table  string
	Chain  string
	Check  bool // nft -c: the kernel keeps nothing of the rule

	// Class and Register say what a Value puts where: the register as in nft's
	// own message. They are 0 for other terms.
	Class    Class
	Register uint32
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
