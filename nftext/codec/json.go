// SPDX-License-Identifier: MIT

package codec

import (
	"errors"
	"fmt"

	"nftdict/dict"
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
func (*codec) ValueFromJSON(object []byte, _ front.Use) (front.Span, error) {
	v, err := nftext.ParseJSONValue(object)
	if err == nil {
		err = fmt.Errorf("value %s: %w, compare it in the term", v, dict.ErrNotSupported)
	}
	return front.Span{}, member(err)
}

// ToJSON implements front.JSONCodec.
func (*codec) ToJSON(_ front.Kind, text string) ([]byte, error) {
	t, n, err := nftext.Parse(text)
	if err != nil {
		return nil, err
	}
	if n != len(text) {
		return nil, fmt.Errorf("%s behind a dict term: %w", dict.Quote(text[n:]), dict.ErrInvalid)
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
