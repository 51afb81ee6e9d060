// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// diagnosis is an error about the user's text, in the form nft prints such.
type diagnosis struct{ text string }

// Error returns the lines to print, the last newline left out.
func (d *diagnosis) Error() string { return strings.TrimSuffix(d.text, "\n") }

// textError returns the failure of a term as an error at a place in the term as
// the user spelled it: all of it unless the failure knows better.
func (e *term) textError() *TextError {
	var at *TextError
	if errors.As(e.failure, &at) && e.spelled == "" {
		return at
	}
	return &TextError{End: len(e.shown()), Err: e.failure}
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
