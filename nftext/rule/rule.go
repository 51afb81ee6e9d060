// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"
	"strings"

	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Rule is a list of statements: conditions, of which the first that does not
// hold ends the rule, and actions. It can be put into any number of chains.
type Rule struct {
	statements []Statement
	comment    string
}

// New returns a rule of statements. Without any it does nothing.
func New(statements ...Statement) Rule {
	return Rule{statements: append([]Statement(nil), statements...)}
}

// And returns r with more statements behind it; r stays.
func (r Rule) And(statements ...Statement) Rule {
	r.statements = append(append([]Statement(nil), r.statements...), statements...)
	return r
}

// Comment returns r with a comment of at most 127 bytes, which listings show.
func (r Rule) Comment(text string) Rule {
	r.comment = text
	return r
}

// String returns the rule as nft writes it.
func (r Rule) String() string {
	words := make([]string, 0, len(r.statements)+1)
	for _, s := range r.statements {
		if s != nil && s.String() != "" {
			words = append(words, s.String())
		}
	}
	if r.comment != "" {
		words = append(words, "comment "+quote(r.comment))
	}
	return strings.Join(words, " ")
}

// maxComment is what nft allows a comment to have.
const maxComment = 127

// userData returns the comment as nft stores it: type 0, length, text with NUL.
func (r Rule) userData() ([]byte, error) {
	if r.comment == "" {
		return nil, nil
	}
	if len(r.comment) > maxComment || strings.ContainsAny(r.comment, "\x00\"\n") {
		return nil, fmt.Errorf("comment %s: %w: at most %d bytes, no quotes or line ends", dict.Quote(r.comment), dict.ErrInvalid, maxComment)
	}
	return append(append([]byte{0, byte(len(r.comment) + 1)}, r.comment...), 0), nil
}

// Statement is a condition or an action of a rule. It says what it is as nft
// writes it. Expr makes one of other expressions.
type Statement interface {
	fmt.Stringer
	build(*builder) error
}

// remedied is a Statement that knows what would do where the kernel refuses it.
type remedied interface{ remedy() string }

// statement is a Statement of a text and a function.
type statement struct {
	text string
	make func(*builder) error
	help string
}

// String returns the text.
func (s statement) String() string { return s.text }

func (s statement) build(b *builder) error { return s.make(b) }

func (s statement) remedy() string { return s.help }

// Expr returns a statement of expressions of google/nftables, with the text
// that stands for it in errors. They use registers as they like: no statement
// expects another's to be left alone.
func Expr(text string, exprs ...expr.Any) Statement {
	return statement{text: text, make: func(b *builder) error {
		for _, e := range exprs {
			b.add(e)
		}
		return nil
	}}
}

// Encoded returns a statement of expressions that are encoded: NFTA_LIST_ELEM
// attributes, one after the other, as an nftext.Code has them.
func Encoded(text string, exprs []byte) Statement {
	return statement{text: text, make: func(b *builder) error {
		b.exprs = append(b.exprs, exprs...)
		return nil
	}}
}

// quote puts text into nft's quotes.
func quote(text string) string { return `"` + text + `"` }
