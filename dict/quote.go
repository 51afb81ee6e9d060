// SPDX-License-Identifier: MIT

package dict

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote returns s in double quotes: '"' and '\' escaped by a backslash, what
// does not print as \xNN for each byte. Unquote reads it back.
func Quote(s string) string { return string(appendQuote(make([]byte, 0, len(s)+2), s)) }

func appendQuote(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == utf8.RuneError && n == 1, !unicode.IsPrint(r):
			for j := i; j < i+n; j++ {
				b = append(b, '\\', 'x', hexDigits[s[j]>>4], hexDigits[s[j]&15])
			}
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return append(b, '"')
}

// Unquote returns what a quoted string stands for. Text that does not begin
// with a double quote stands for itself. The error wraps ErrInvalid.
func Unquote(text string) (string, error) {
	if !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("string %s: %w: %s", brief(text), ErrInvalid, why)
	}
	if len(text) < 2 || text[len(text)-1] != '"' {
		return bad("no closing quote")
	}
	body := text[1 : len(text)-1]
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == '"' {
			return bad("quote inside")
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		i++
		switch {
		case i == len(body):
			return bad("no closing quote")
		case body[i] == 'x':
			v, err := hex.DecodeString(body[i+1 : min(i+3, len(body))])
			if err != nil || len(v) != 1 {
				return bad(`want two hex digits after \x`)
			}
			b.WriteByte(v[0])
			i += 2
		default:
			b.WriteByte(body[i])
		}
	}
	return b.String(), nil
}

// brief quotes text for an error: the first bytes of what is long, cut between
// runes, and three dots.
func brief(s string) string {
	const most = 48
	if len(s) <= MaxString {
		return Quote(s)
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return Quote(s[:n]) + "..."
}

// checkString refuses what no string value or key may be.
func checkString(s string) error {
	switch {
	case len(s) > MaxString:
		return fmt.Errorf("string %s: %w: %d bytes, at most %d", brief(s), ErrTooLong, len(s), MaxString)
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("string %s: %w: holds a NUL byte", Quote(s), ErrInvalid)
	case !utf8.ValidString(s):
		return fmt.Errorf("string %s: %w: not UTF-8", Quote(s), ErrInvalid)
	}
	return nil
}
