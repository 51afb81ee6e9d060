// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"nftdict/dict"
)

// diagnosis is an error about the user's text, in the form nft prints such.
type diagnosis struct{ text string }

// Error returns the lines to print, the last newline left out.
func (d *diagnosis) Error() string { return strings.TrimSuffix(d.text, "\n") }

// hideText is terms.hide with the errors of the front end: a *diagnosis.
func hideText(t *terms, codec Codec, o options, name string, text []byte) ([]byte, bool, error) {
	out, changed, err := t.hide(codec, name, text)
	if option := o.refused(); err == nil && changed && option != "" {
		span := &TextError{Err: fmt.Errorf("dict terms cannot be combined with %s yet: %w", option, dict.ErrNotSupported)}
		if spans, _ := codec.Finder().Find(text, nil); len(spans) > 0 {
			span.Offset, span.End = spans[0].Start, spans[0].End
		}
		err = span
	}
	var at *TextError
	if errors.As(err, &at) {
		return nil, false, &diagnosis{diagnose(name, text, at)}
	}
	return out, changed, err
}

// textError returns err as an error at a place in text: all of it unless err knows
// better.
func textError(err error, text string) *TextError {
	var at *TextError
	if errors.As(err, &at) {
		return at
	}
	return &TextError{End: len(text), Err: err}
}

// diagnose returns a message in nft's form about a place in src, the text called
// name; commands given as arguments have no name.
func diagnose(name string, src []byte, at *TextError) string {
	off := min(max(at.Offset, 0), len(src))
	start := bytes.LastIndexByte(src[:off], '\n') + 1
	line := src[start:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	from := off - start
	to := min(max(at.End-start, from+1), max(len(line), from+1))
	var b strings.Builder
	if name != "" {
		fmt.Fprintf(&b, "%s:%d:%d-%d: ", name, bytes.Count(src[:off], []byte("\n"))+1, from+1, to)
	}
	fmt.Fprintf(&b, "Error: %v\n%s\n", at, line)
	for _, c := range line[:from] {
		if c != '\t' {
			c = ' '
		}
		b.WriteByte(c)
	}
	b.WriteString(strings.Repeat("^", to-from) + "\n")
	return b.String()
}
