// SPDX-License-Identifier: MIT

package vendor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanName makes a name of a file fit for a dictionary: valid UTF-8, single
// blanks, nothing that a terminal obeys, no more than MaxName bytes.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimLeft(strings.Join(strings.Fields(s), " "), "# ") // what follows a # is a comment
	if len(s) > MaxName {
		cut := MaxName
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = strings.TrimSpace(s[:cut])
	}
	return s
}

// isNobody reports whether a name says that the maker is not told.
func isNobody(name string) bool {
	return strings.EqualFold(name, "Private") || strings.EqualFold(name, "IEEE Registration Authority")
}
