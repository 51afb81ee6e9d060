// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext"
	"nftdict/nftext/codec"
	"nftdict/nftext/front"
)

// lazyCodec is the codec of rules, opened when the first term needs it: nft
// commands without dict terms work where there are no dictionaries.
type lazyCodec struct {
	open   func() (*Backend, error)
	codec  front.Codec // nil until tried
	schema nftext.Schema
	tried  bool
	err    error // of open
}

func newLazyCodec(open func() (*Backend, error)) *lazyCodec {
	return &lazyCodec{open: open}
}

// ready opens the backend, once.
func (l *lazyCodec) ready() error {
	if l.tried {
		return l.err
	}
	l.tried = true
	b, err := l.open()
	if err == nil && b.Compiler == nil {
		err = fmt.Errorf("backend %s: rules: %w", b.Kind, dict.ErrNotSupported)
	}
	if err != nil {
		l.err = err
		return err
	}
	l.schema, l.codec = b.Store, codec.New(b.Store, b.Compiler)
	return nil
}

// failed returns why a listing may have missed dict rules. Where dictionaries
// are not supported there are none.
func (l *lazyCodec) failed() error {
	if errors.Is(l.err, dict.ErrNotSupported) {
		return nil
	}
	return l.err
}

// Finder implements front.Codec. It opens the backend where a value stands,
// which is what its field is.
func (l *lazyCodec) Finder() front.Finder { return codec.New(lazySchema{l}, nil).Finder() }

// lazySchema is the schema of a lazyCodec.
type lazySchema struct{ *lazyCodec }

// Table implements nftext.Schema.
func (l lazySchema) Table(name string) (dict.Table, error) {
	if err := l.ready(); err != nil {
		return dict.Table{}, err
	}
	return l.schema.Table(name)
}

// Compile implements front.Codec.
func (l *lazyCodec) Compile(t front.Target, term string) (*front.Code, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	return l.codec.Compile(t, term)
}

// Decompile implements front.Codec.
func (l *lazyCodec) Decompile(family uint8, elems []front.Element) (front.Found, bool) {
	if err := l.ready(); err != nil {
		return front.Found{}, false
	}
	return l.codec.Decompile(family, elems)
}
