// SPDX-License-Identifier: MIT

package cli

import (
	"nftdict/nftext/codec"
	"nftdict/nftext/front"
)

// FromJSON implements front.JSONCodec.
func (l *lazyCodec) FromJSON(object []byte) (front.Span, error) {
	return codec.New(nil, nil).FromJSON(object)
}

// ValueFromJSON implements front.JSONCodec.
func (l *lazyCodec) ValueFromJSON(object []byte, use front.Use) (front.Span, error) {
	return codec.New(lazySchema{l}, nil).ValueFromJSON(object, use)
}

// ToJSON implements front.JSONCodec.
func (l *lazyCodec) ToJSON(kind front.Kind, text string) ([]byte, error) {
	return codec.New(nil, nil).ToJSON(kind, text)
}
