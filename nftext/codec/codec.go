// SPDX-License-Identifier: MIT

package codec

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/front"
)

// New returns the codec of the terms that schema, usually a dict.Store, and
// compiler understand.
func New(schema nftext.Schema, compiler nftext.Compiler) front.Codec {
	return &codec{schema, compiler}
}

type codec struct {
	schema   nftext.Schema
	compiler nftext.Compiler
}

// Finder implements front.Codec.
func (c *codec) Finder() front.Finder { return &finder{c.schema} }

// finder is what finds terms in the texts of a run of nft.
type finder struct{ schema nftext.Schema }

// Find implements front.Finder.
func (f *finder) Find(src []byte, _ func(string) error) ([]front.Span, error) {
	found, err := nftext.Find(string(src))
	if err != nil {
		return nil, place(err)
	}
	spans := make([]front.Span, len(found))
	for i, s := range found {
		spans[i] = front.Span{Start: s.Start, End: s.End, Kind: kind(s.Term)}
	}
	return spans, nil
}

// Compile implements front.Codec.
func (c *codec) Compile(t front.Target, text string) (*front.Code, error) {
	term, places, n, err := nftext.ParsePlaces(text)
	if err != nil {
		return nil, place(err)
	}
	if n != len(text) {
		return nil, &front.TextError{Offset: n, End: len(text), Err: fmt.Errorf("%s behind a dict term: %w", dict.Quote(text[n:]), dict.ErrInvalid)}
	}
	bound, err := nftext.Bind(term, c.schema)
	if err != nil {
		if at, ok := places.Of(err); ok {
			return nil, &front.TextError{Offset: at.Offset, End: at.End, Err: err}
		}
		return nil, err
	}
	target := nftext.Target{
		Family: t.Family, Table: t.Table, Chain: t.Chain, Check: t.Check,
		Class: nftext.Class(t.Class), Register: t.Register,
	}
	code, err := c.compiler.Compile(target, bound)
	if err != nil {
		return nil, err
	}
	return &front.Code{Exprs: code.Exprs, Close: code.Release}, nil
}

// Decompile implements front.Codec. What the compiler takes for its own but
// whose text is no term is left to nft.
func (c *codec) Decompile(family uint8, elems []front.Element) (front.Found, bool) {
	list := make([]nftext.Element, len(elems))
	for i, e := range elems {
		list[i] = nftext.Element{Name: e.Name, Data: e.Data}
	}
	found := c.compiler.Decompile(family, list)
	if found.N == 0 {
		return front.Found{}, false
	}
	term, end, err := nftext.Parse(found.Text)
	if err != nil || end != len(found.Text) {
		return front.Found{}, false
	}
	return front.Found{Text: found.Text, Kind: kind(term), Elements: found.N}, true
}

func kind(t nftext.Term) front.Kind {
	if t.Kind() == nftext.KindStatement {
		return front.Statement
	}
	return front.Match
}

// place makes a front.TextError of a nftext.SyntaxError.
func place(err error) error {
	if e, ok := errors.AsType[*nftext.SyntaxError](err); ok {
		return &front.TextError{Offset: e.Offset, Err: &cause{e.Text, e.Err}}
	}
	return err
}

// cause is a SyntaxError without its place.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }
