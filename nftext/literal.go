// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"strings"

	"nftdict/dict"
)

// form tells how an unquoted value is written.
type form uint8

const (
	formSingle form = iota
	formPrefix      // lo is the address, hi the number of bits
	formRange       // lo and hi
)

// literal is what an unquoted value looks like before its type is known.
type literal struct {
	// kind is Int64 for any number, Bool for true and false, IPv4, IPv6 or
	// Ether, and String for all that is none of these.
	kind   dict.Type
	form   form
	lo, hi string
}

// readLiteral looks at the text of an unquoted value.
func readLiteral(text string) literal {
	if k := kindOf(text); k != dict.String {
		return literal{kind: k, lo: text}
	}
	if addr, bits, ok := strings.Cut(text, "/"); ok {
		if k := kindOf(addr); (k == dict.IPv4 || k == dict.IPv6) && kindOf(bits) == dict.Int64 {
			return literal{kind: k, form: formPrefix, lo: addr, hi: bits}
		}
	}
	// A minus sign may open either side: the dash of a range is never first.
	if i := strings.IndexByte(text, '-'); i >= 0 {
		if i == 0 {
			i = 1 + strings.IndexByte(text[1:], '-')
		}
		lo, hi := text[:i], text[min(i+1, len(text)):]
		if k := kindOf(lo); i > 0 && k != dict.String && k != dict.Bool && kindOf(hi) == k {
			return literal{kind: k, form: formRange, lo: lo, hi: hi}
		}
	}
	return literal{kind: dict.String, lo: text}
}

// kindOf tells what a single value looks like.
func kindOf(text string) dict.Type {
	switch {
	case text == "true" || text == "false":
		return dict.Bool
	case isNumber(text):
		return dict.Int64
	}
	for _, t := range []dict.Type{dict.IPv4, dict.IPv6, dict.Ether} {
		if _, err := dict.ParseValue(t, text); err == nil {
			return t
		}
	}
	return dict.String
}

// isNumber reports whether text is a number of any size.
func isNumber(text string) bool {
	_, err := dict.ParseValue(dict.Int64, text)
	return err == nil || errors.Is(err, dict.ErrRange)
}
