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

// Compile implements front.Codec.
func (c *codec) Compile(t front.Target, text string) (*front.Code, error) {
	bound, _, err := bind(text, t.Class != 0, c.schema)
	if err != nil {
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
	term, _, err := parse(found.Text, found.Class != 0)
	if err != nil {
		return front.Found{}, false
	}
	return front.Found{
		Text: found.Text, Kind: kind(term), Elements: found.N,
		Class: front.Class(found.Class), Register: found.Register,
	}, true
}

func kind(t nftext.Term) front.Kind {
	switch t.Kind() {
	case nftext.KindStatement:
		return front.Statement
	case nftext.KindValue:
		return front.Value
	}
	return front.Match
}

// parse reads a text that is a term and nothing more.
func parse(text string, value bool) (nftext.Term, *nftext.Places, error) {
	read := nftext.ParsePlaces
	if value {
		read = nftext.ParseValuePlaces
	}
	term, places, n, err := read(text)
	if err != nil {
		return nil, nil, place(err)
	}
	if n != len(text) {
		return nil, nil, &front.TextError{Offset: n, End: len(text), Err: fmt.Errorf("%s behind a dict term: %w", dict.Quote(text[n:]), dict.ErrInvalid)}
	}
	return term, places, nil
}

// bind parses a text and binds it. An error tells its place in text, if it is
// about a part of it.
func bind(text string, value bool, schema nftext.Schema) (nftext.Bound, *nftext.Places, error) {
	term, places, err := parse(text, value)
	if err != nil {
		return nil, nil, err
	}
	bound, err := nftext.Bind(term, schema)
	return bound, places, locate(err, places)
}

// locate returns err with its place among the places, if it has one.
func locate(err error, places *nftext.Places) error {
	if at, ok := places.Of(err); err != nil && ok {
		return &front.TextError{Offset: at.Offset, End: at.End, Err: err}
	}
	return err
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
