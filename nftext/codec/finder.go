// SPDX-License-Identifier: MIT

package codec

import (
	"errors"

	"nftdict/nftext"
	"nftdict/nftext/front"
)

// Finder implements front.Codec.
func (c *codec) Finder() front.Finder { return &finder{schema: c.schema} }

// finder is what finds terms in the texts of a run of nft.
type finder struct {
	text   nftext.Finder
	schema nftext.Schema
}

// Find implements front.Finder. It asks the schema only where a value stands,
// whose class is that of the field.
func (f *finder) Find(src []byte, include func(string) error) ([]front.Span, error) {
	found, err := f.text.Find(string(src), include)
	if err != nil {
		return nil, place(err)
	}
	spans := make([]front.Span, len(found))
	for i, s := range found {
		spans[i] = front.Span{Start: s.Start, End: s.End, Kind: kind(s.Term)}
		if s.Variables {
			spans[i].Text = s.Term.String()
		}
		if spans[i].Kind != front.Value {
			continue
		}
		if err := f.value(&spans[i], &s, string(src[s.Start:s.End])); err != nil {
			return nil, err
		}
	}
	return spans, nil
}

// value completes the span of a value. Its errors are about src.
func (f *finder) value(to *front.Span, s *nftext.Span, text string) error {
	class, err := classOf(text, s.Use, f.schema)
	if e, ok := errors.AsType[*front.TextError](err); ok {
		return &front.TextError{Offset: s.Start + e.Offset, End: s.Start + e.End, Err: e.Err}
	}
	if err != nil {
		return &front.TextError{Offset: s.Start, End: s.End, Err: err}
	}
	to.Statement, to.Class, to.Place = s.Statement, front.Class(class), places[s.Use]
	return nil
}

// classOf returns what nft takes a value for.
func classOf(text string, use nftext.Use, schema nftext.Schema) (nftext.Class, error) {
	bound, places, err := bind(text, true, schema)
	if err != nil {
		return 0, err
	}
	class, err := bound.(*nftext.Load).Class(use)
	return class, locate(err, places)
}

// places tells the places of the uses, which nftext and front count alike.
var places = [...]front.Place{
	nftext.UseMatch:   front.Condition,
	nftext.UseKey:     front.Key,
	nftext.UseNumber:  front.Argument,
	nftext.UsePort:    front.Argument,
	nftext.UseAddress: front.Argument,
	nftext.UseElement: front.Argument,
	nftext.UseListed:  front.Listed,
	nftext.UseBits:    front.Key,
	nftext.UseLink:    front.Argument,
}
