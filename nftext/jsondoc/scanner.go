// SPDX-License-Identifier: MIT

package jsondoc

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds how deep arrays and objects may stand in each other.
const MaxDepth = 512

// ErrSyntax is text that is no JSON.
var ErrSyntax = errors.New("no JSON")

// scanner reads the pieces of JSON text. Its methods that take something leave
// the position right behind it.
type scanner struct {
	src []byte
	pos int
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: expected %s at offset %d", ErrSyntax, what, s.pos)
}

// space skips white space and returns the byte behind it, 0 at the end.
func (s *scanner) space() byte {
	for ; s.pos < len(s.src); s.pos++ {
		switch c := s.src[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// list takes an array or object, whose opening bracket the position is at: each
// is called at each value, and takes it; key is the name in quotes of a member.
func (s *scanner) list(each func(key []byte) error) error {
	object := s.src[s.pos] == '{'
	closing := byte(']')
	if object {
		closing = '}'
	}
	s.pos++
	if s.space() == closing {
		s.pos++
		return nil
	}
	for {
		var key []byte
		if object {
			if s.space() != '"' {
				return s.fail("a name in quotes")
			}
			start := s.pos
			if err := s.text(); err != nil {
				return err
			}
			key = s.src[start:s.pos]
			if s.space() != ':' {
				return s.fail("a colon")
			}
			s.pos++
		}
		s.space()
		if err := each(key); err != nil {
			return err
		}
		switch s.space() {
		case ',':
			s.pos++
			s.space()
		case closing:
			s.pos++
			return nil
		default:
			return s.fail("a comma or a closing bracket")
		}
	}
}

// scalar takes a string, number, true, false or null.
func (s *scanner) scalar() error {
	switch c := s.space(); {
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if len(s.src)-s.pos >= len(word) && string(s.src[s.pos:s.pos+len(word)]) == word {
			s.pos += len(word)
			return nil
		}
	}
	return s.fail("a value")
}

// text takes a string, whose quote the position is at.
func (s *scanner) text() error {
	start := s.pos + 1
	ascii := true
	for i := start; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(s.src[start:i]) {
				return s.fail("UTF-8")
			}
			s.pos = i + 1
			return nil
		case c < ' ':
			s.pos = i
			return s.fail("no control character")
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '\\':
			n := escape(s.src[i:])
			if n == 0 {
				s.pos = i
				return s.fail("an escape")
			}
			i += n - 1
		}
	}
	s.pos = len(s.src)
	return s.fail("a closing quote")
}

// escape returns the length of the escape that b begins with, 0 if it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := unit(b); ok {
			return 6
		}
	}
	return 0
}

// unit returns the 16 bits of an escape with a u.
func unit(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number takes a number, whose first byte the position is at.
func (s *scanner) number() error {
	if s.src[s.pos] == '-' {
		s.pos++
	}
	if first := s.pos; s.digits() == 0 || s.src[first] == '0' && s.pos > first+1 {
		return s.fail("a number")
	}
	if s.at(".") {
		s.pos++
		if s.digits() == 0 {
			return s.fail("a digit")
		}
	}
	if s.at("eE") {
		s.pos++
		if s.at("+-") {
			s.pos++
		}
		if s.digits() == 0 {
			return s.fail("a digit")
		}
	}
	return nil
}

// digits takes digits and returns how many.
func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos] >= '0' && s.src[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// at reports whether one of the bytes of set stands at the position.
func (s *scanner) at(set string) bool {
	if s.pos == len(s.src) {
		return false
	}
	for i := range len(set) {
		if s.src[s.pos] == set[i] {
			return true
		}
	}
	return false
}
