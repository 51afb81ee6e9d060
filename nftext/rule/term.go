// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
)

// Dict is a dict term, a condition or a statement on dictionaries, as text:
//
//	Dict(`dict sessions ct id application "NETFLIX"`)
//	Dict("dict users dict sessions ct id username quota_remaining sub meta length")
//
// The batch's Schema and Compiler make expressions of it when the rule is
// added. What the backend cannot do is dict.ErrNotSupported.
func Dict(text string) Statement {
	return statement{text: canonical(text), make: func(b *builder) error {
		term, n, err := nftext.Parse(text)
		if err != nil {
			return err
		}
		if n != len(text) {
			return fmt.Errorf("%s behind a dict term: %w", dict.Quote(text[n:]), dict.ErrInvalid)
		}
		return b.term(term)
	}}
}

// canonical returns the text as terms print, if it is one.
func canonical(text string) string {
	if term, n, err := nftext.Parse(text); err == nil && n == len(text) {
		return term.String()
	}
	return text
}

// Term is Dict for a term that is parsed already.
func Term(t nftext.Term) Statement {
	return statement{text: t.String(), make: func(b *builder) error { return b.term(t) }}
}

// Bound is Dict for a term that is bound already; the batch needs no Schema.
func Bound(t nftext.Bound) Statement {
	return statement{text: t.Term().String(), make: func(b *builder) error { return b.compile(nftext.Target{}, t) }}
}

func (b *builder) term(t nftext.Term) error {
	if t.Kind() != nftext.KindMatch && t.Kind() != nftext.KindStatement {
		return fmt.Errorf("%w: it is a value, neither a condition nor a statement: use DictKey", dict.ErrInvalid)
	}
	bound, err := b.bind(t)
	if err != nil {
		return err
	}
	return b.compile(nftext.Target{}, bound)
}

func (b *builder) bind(t nftext.Term) (nftext.Bound, error) {
	schema := b.batch.options.Schema
	if schema == nil {
		return nil, fmt.Errorf("%w: the batch has no Schema", dict.ErrInvalid)
	}
	return nftext.Bind(t, schema)
}

// compile appends the expressions of a term; the target says in which register
// a value goes.
func (b *builder) compile(t nftext.Target, bound nftext.Bound) error {
	compiler := b.batch.options.Compiler
	if compiler == nil {
		return fmt.Errorf("%w: the batch has no Compiler", dict.ErrInvalid)
	}
	t.Family, t.Table, t.Chain = b.family, b.chain.Table.Name, b.chain.Name
	code, err := compiler.Compile(t, bound)
	if err != nil {
		return err
	}
	b.codes = append(b.codes, code)
	b.exprs = append(b.exprs, code.Exprs...)
	return nil
}
