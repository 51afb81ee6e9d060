// SPDX-License-Identifier: MIT

package cli

import (
	"errors"
	"fmt"

	"nftdict/dict"
	"nftdict/nftext/codec"
	"nftdict/nftext/front"
)

// lazyCodec is the codec of rules, opened when the first term needs it: nft
// commands without dict terms work where there are no dictionaries.
type lazyCodec struct {
	open  func() (*Backend, error)
	codec front.Codec // finds terms only, until tried
	tried bool
	err   error // of open
}

func newLazyCodec(open func() (*Backend, error)) *lazyCodec {
	return &lazyCodec{open: open, codec: codec.New(nil, nil)}
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
	l.codec = codec.New(b.Store, b.Compiler)
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

// Finder implements front.Codec.
func (l *lazyCodec) Finder() front.Finder { return l.codec.Finder() }

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
