// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"
	"strings"
)

// SyntaxError is text that is no dict term where one was begun.
type SyntaxError struct {
	Offset int    // bytes from the start of the text
	Line   int    // from 1
	Column int    // from 1, in bytes
	Text   string // what was expected, what was found, what would do
	Err    error  // dict.ErrInvalid, dict.ErrTooLong or dict.ErrNotSupported
}

// Error prints line and column first.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Text)
}

// Unwrap returns the sentinel.
func (e *SyntaxError) Unwrap() error { return e.Err }

// newSyntaxError places an error at an offset of src.
func newSyntaxError(src string, offset int, sentinel error, text string) *SyntaxError {
	before := src[:offset]
	return &SyntaxError{
		Offset: offset,
		Line:   1 + strings.Count(before, "\n"),
		Column: offset - strings.LastIndexByte(before, '\n'),
		Text:   text,
		Err:    sentinel,
	}
}
