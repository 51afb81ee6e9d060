// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"

	"nftdict/dict"
)

// texts are what one run of nft reads. Its methods are called from one goroutine
// at a time.
type texts struct {
	terms   *terms
	finder  Finder
	options options
}

func newTexts(t *terms, codec Codec, o options) *texts {
	return &texts{terms: t, finder: codec.Finder(), options: o}
}

// hide returns src, the text called name, with placeholders in place of its
// terms, and whether there was one. An error about src is a *diagnosis.
func (x *texts) hide(name string, src []byte) (out []byte, changed bool, err error) {
	if !bytes.Contains(src, []byte("dict")) {
		return src, false, nil
	}
	spans, err := x.finder.Find(src, nil)
	if option := x.options.refused(); err == nil && len(spans) > 0 && option != "" {
		err = &TextError{
			Offset: spans[0].Start, End: spans[0].End,
			Err: fmt.Errorf("dict terms cannot be combined with %s yet: %w", option, dict.ErrNotSupported),
		}
	}
	if err == nil {
		out, changed, err = x.terms.hide(name, src, spans)
	}
	var at *TextError
	if errors.As(err, &at) {
		return nil, false, &diagnosis{diagnose(name, src, at)}
	}
	return out, changed, err
}
