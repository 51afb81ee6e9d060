// SPDX-License-Identifier: MIT

package codec

import (
	"errors"

	"nftdict/nftext"
	"nftdict/nftext/front"
)

// FromJSON implements front.JSONCodec.
func (*codec) FromJSON(object []byte) (front.Span, error) {
	t, err := nftext.ParseJSON(object)
	if err != nil {
		return front.Span{}, member(err)
	}
	return front.Span{Text: t.String(), Kind: kind(t)}, nil
}

// ValueFromJSON implements front.JSONCodec.
func (c *codec) ValueFromJSON(object []byte, use front.Use) (front.Span, error) {
	v, err := nftext.ParseJSONValue(object)
	if err != nil {
		return front.Span{}, member(err)
	}
	text := v.String()
	class, err := classOf(text, nftext.Use(use), c.schema)
	if err != nil {
		if e, ok := errors.AsType[*front.TextError](err); ok { // a place in text that nobody wrote
			err = e.Err
		}
		return front.Span{}, err
	}
	return front.Span{Text: text, Kind: front.Value, Class: front.Class(class), Place: places[use]}, nil
}

// ToJSON implements front.JSONCodec.
func (*codec) ToJSON(kind front.Kind, text string) ([]byte, error) {
	t, _, err := parse(text, kind == front.Value)
	if err != nil {
		return nil, err
	}
	return nftext.JSON(t), nil
}

// member makes a front.PathError of a nftext.JSONError.
func member(err error) error {
	if e, ok := errors.AsType[*nftext.JSONError](err); ok {
		return &front.PathError{Path: e.Path, Err: &cause{e.Text, e.Err}}
	}
	return err
}
