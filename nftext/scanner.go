// SPDX-License-Identifier: MIT

package nftext

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"nftdict/dict"
)

// scanner reads the pieces of a term from the start of src.
type scanner struct {
	src    string
	pos    int
	end    int  // behind the last piece taken, before the space that follows it
	braces bool // inside a set, where lines may end and comments stand
	cut    bool // src is only the beginning of a longer text
	tight  bool // punctuation of nft's may follow a name directly
}

// accept takes what lies before pos, and the space behind it.
func (s *scanner) accept(pos int) {
	s.pos, s.end = pos, pos
	s.space()
}

// fail returns a SyntaxError at offset.
func (s *scanner) fail(offset int, sentinel error, format string, args ...any) error {
	return newSyntaxError(s.src, offset, sentinel, fmt.Sprintf(format, args...))
}

// want returns the error for a piece that is not there: what was expected,
// and what stands in its place.
func (s *scanner) want(what string) error {
	if s.cut && s.pos == len(s.src) {
		return s.tooFar()
	}
	return s.fail(s.pos, dict.ErrInvalid, "expected %s, found %s", what, s.found())
}

// tooFar returns the error for a term that reaches the end of a cut text.
func (s *scanner) tooFar() error {
	return s.fail(0, dict.ErrTooLong, "dict term that goes on for more than %d bytes", maxSource)
}

// found describes what stands at the position.
func (s *scanner) found() string {
	rest := s.src[s.pos:]
	switch {
	case rest == "":
		return "the end"
	case rest[0] == '\n' || rest[0] == '\r':
		return "the end of the line"
	case rest[0] == '#':
		return "a comment"
	}
	n := strings.IndexAny(rest, " \t\r\n;{}\"#")
	switch {
	case n < 0:
		n = len(rest)
	case n == 0:
		n = 1
	}
	if n > 40 {
		for n = 40; n > 0 && !utf8.RuneStart(rest[n]); n-- {
		}
		return dict.Quote(rest[:n]) + "..."
	}
	return dict.Quote(rest[:n])
}

// space skips blanks and continued lines; within braces also line ends and
// comments.
func (s *scanner) space() {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t':
			s.pos++
		case c == '\\' && strings.HasPrefix(s.src[s.pos:], "\\\n"):
			s.pos += 2
		case s.braces && c == '\n':
			s.pos++
		case s.braces && c == '#':
			s.pos = lineEnd(s.src, s.pos)
		default:
			return
		}
	}
}

// lineEnd returns the offset of the end of the line that pos is in.
func lineEnd(src string, pos int) int {
	if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
		return pos + i
	}
	return len(src)
}

// word returns the word at the position without taking it, "" if none begins
// there: letters, digits, '_', '-' and '.', a letter or '_' first.
func (s *scanner) word() string {
	n := s.pos
	for n < len(s.src) && isWord(s.src[n], n > s.pos) {
		n++
	}
	return s.src[s.pos:n]
}

func isWord(c byte, inside bool) bool {
	letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
	return letter || inside && (c >= '0' && c <= '9' || c == '-' || c == '.')
}

// take takes the word if it stands at the position, and the space behind it.
func (s *scanner) take(word string) bool {
	if s.word() != word {
		return false
	}
	s.accept(s.pos + len(word))
	return true
}

// symbol takes punctuation if it stands at the position, and the space behind
// it.
func (s *scanner) symbol(text string) bool {
	if !strings.HasPrefix(s.src[s.pos:], text) {
		return false
	}
	s.accept(s.pos + len(text))
	return true
}

// at reports whether the byte c stands at the position.
func (s *scanner) at(c byte) bool { return s.pos < len(s.src) && s.src[s.pos] == c }

// name takes the name of a table or field, as written.
func (s *scanner) name(what string) (string, error) {
	w := s.word()
	if w == "" {
		return "", s.want(what)
	}
	follow := " \t\r\n\\;{}=!<>\"#"
	if s.tight {
		follow += ":,)&|"
	}
	if end := s.pos + len(w); end < len(s.src) && !strings.ContainsRune(follow, rune(s.src[end])) {
		return "", s.want(what)
	}
	if _, err := dict.CheckName(w); err != nil {
		return "", s.fail(s.pos, dict.ErrTooLong, "%s: %v", what, err)
	}
	s.accept(s.pos + len(w))
	return w, nil
}

// quoted takes a string in double quotes and returns what is between them,
// backslashes kept.
func (s *scanner) quoted() (string, error) {
	start := s.pos + 1
	for i := start; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			text := s.src[start:i]
			if !utf8.ValidString(text) {
				return "", s.fail(s.pos, dict.ErrInvalid, "string %s is not UTF-8", dict.Quote(text))
			}
			s.accept(i + 1)
			return text, nil
		case c == '\n':
			return "", s.fail(s.pos, dict.ErrInvalid, "expected a closing quote before the end of the line")
		case c < ' ' || c == 0x7f:
			return "", s.fail(i, dict.ErrInvalid, "control character 0x%02x in a string, a ? matches it", c)
		case c == '\\' && i+1 < len(s.src) && s.src[i+1] >= ' ':
			i++
		}
	}
	if s.cut {
		return "", s.tooFar()
	}
	return "", s.fail(s.pos, dict.ErrInvalid, "expected a closing quote, found the end")
}

// bare takes an unquoted value, backslashes kept.
func (s *scanner) bare() (string, error) {
	i := s.pos
	for i < len(s.src) {
		c := s.src[i]
		if c == '\\' && i+1 < len(s.src) && s.src[i+1] > ' ' && s.src[i+1] < 0x7f {
			i += 2
			continue
		}
		if !isWord(c, true) && !strings.ContainsRune("*?[]:/+%@~^", rune(c)) && !(c == '!' && i > s.pos) {
			break
		}
		i++
	}
	text := s.src[s.pos:i]
	if text == "" {
		return "", s.want("a value, in double quotes if it is more than a word")
	}
	if i < len(s.src) && !strings.ContainsRune(" \t\r\n;{},#", rune(s.src[i])) && !strings.HasPrefix(s.src[i:], "\\\n") {
		r, _ := utf8.DecodeRuneInString(s.src[i:])
		return "", s.fail(i, dict.ErrInvalid, "value %s... goes on with %q, put the whole in double quotes", dict.Quote(text), r)
	}
	s.accept(i)
	return text, nil
}
