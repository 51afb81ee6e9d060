// SPDX-License-Identifier: MIT

package dict

import (
	"fmt"
	"strings"
)

// MaxName is the longest name of a table or field, in bytes.
const MaxName = 63

// Name returns the canonical form of a table's or field's name: '-' becomes
// '_', so that quota-exceeded and quota_exceeded are one name. Names compare
// by this form.
func Name(s string) string {
	if strings.IndexByte(s, '-') < 0 {
		return s
	}
	return strings.ReplaceAll(s, "-", "_")
}

// CheckName returns the canonical form, or an error that wraps ErrInvalid or
// ErrTooLong. A name is a letter or '_' followed by letters, digits, '_', '-'
// and '.', ASCII only, at most MaxName bytes.
func CheckName(s string) (string, error) {
	if len(s) > MaxName {
		return "", fmt.Errorf("name %s: %w: %d bytes, at most %d", brief(s), ErrTooLong, len(s), MaxName)
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		rest := c >= '0' && c <= '9' || c == '-' || c == '.'
		if !letter && (i == 0 || !rest) {
			return "", fmt.Errorf("name %s: %w: want a letter, then letters, digits, '_', '-' or '.'", Quote(s), ErrInvalid)
		}
	}
	if s == "" {
		return "", fmt.Errorf("name %s: %w: empty", Quote(s), ErrInvalid)
	}
	return Name(s), nil
}
