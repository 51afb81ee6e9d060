// SPDX-License-Identifier: MIT

package front

import "strings"

// word is one word of a text: src[start:end].
type word struct{ start, end int }

// truths returns the words among names that nft compares with a Bool, which stands
// at src[start:end] in an expression that begins behind from: in the braces that
// follow the expression. In a concatenation they are those
// at the value's own place.
func truths(src []byte, from, start, end int, names ...string) []word {
	s := scan{src: src[:start], at: from}
	place := 0 // of the value in a concatenation
	for t := s.next(); t != ""; t = s.next() {
		switch {
		case t == ".":
			place++
		case t == "set", t == "to", t == "mod", t == "(", t == "{", t == "}", t == ":", s.named(t):
			place = 0
		}
	}
	s = scan{src: src, at: end, names: names}
	for joined := false; ; {
		t := s.next()
		switch {
		case t == ".":
			joined = true
		case t == "{":
			return s.elements(place)
		case t == "vmap", t == "map", t == "==", t == "!=", t == "eq", t == "ne": // and braces
		case !joined, t == "", t == "\n", t == ";", t == "}", s.named(t), t[0] == '$':
			return nil
		}
	}
}

// statementEnd returns where the statement with a value that ends at src[end] ends,
// or its last expression.
func statementEnd(src []byte, end int) int {
	s := scan{src: src, at: end}
	for joined := false; ; {
		at := s.at
		switch t := s.next(); {
		case t == "", t == "}", t == ";", t == "\n":
			return at
		case t == "{":
			for t != "}" && t != "" {
				t = s.next()
			}
			return s.at
		case s.named(t), t[0] == '$':
			return s.at
		case t == "vmap", t == "map", t == "==", t == "!=", t == "eq", t == "ne", t == ":":
		case t == ".":
			joined = true
		case !joined:
			return at
		}
	}
}

// elements returns the words that are at a place of the elements of a set or map
// whose opening brace is taken.
func (s *scan) elements(place int) (list []word) {
	for at := 0; ; {
		switch t := s.next(); {
		case t == "", t == "}", t == "{":
			return list
		case t == ".":
			at++
		case t[0] == ':' && !strings.HasPrefix(t, "::"): // what a map has for the element
			at = place + 1
		case t == ",":
			at = 0
		case at == place && s.is(t) > 0:
			if list = append(list, s.word(t)); len(t) > s.is(t) {
				at = place + 1
			}
		}
	}
}

// scan reads nft text word by word, as far as truths needs it.
type scan struct {
	src   []byte
	at    int
	names []string
}

// next returns the next word: "\n" at the end of a line, "" at the end of the text.
// Quoted words are with their quotes.
func (s *scan) next() string {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == ' ', c == '\t', c == '\r', c == '\\' && s.at+1 < len(s.src) && s.src[s.at+1] == '\n':
			s.at++
			if c == '\\' {
				s.at++
			}
			continue
		case c == '#':
			for s.at < len(s.src) && s.src[s.at] != '\n' {
				s.at++
			}
			continue
		}
		break
	}
	if s.at == len(s.src) {
		return ""
	}
	start, first := s.at, s.src[s.at]
	s.at++
	switch {
	case first == '"':
		for s.at < len(s.src) && s.src[s.at] != '"' {
			s.at++
		}
		s.at = min(s.at+1, len(s.src))
	case first == '=' || first == '!':
		if s.at < len(s.src) && s.src[s.at] == '=' {
			s.at++
		}
	case strings.IndexByte("\n;{}(),.", first) < 0:
		for s.at < len(s.src) && strings.IndexByte(wordEnds, s.src[s.at]) < 0 {
			s.at++
		}
		// An address may hold colons; the last one is between an element and its value.
		if s.at > start+1 && s.src[s.at-1] == ':' {
			s.at--
		}
	}
	return string(s.src[start:s.at])
}

const wordEnds = " \t\r\n;{}(),#\"=!"

// named reports whether a word is a named set or map, and no @th,0,16.
func (s *scan) named(t string) bool {
	return t[0] == '@' && (s.at == len(s.src) || s.src[s.at] != ',')
}

// is returns the length of the name that a word is, or is before a colon, 0 if none.
func (s *scan) is(t string) int {
	for _, n := range s.names {
		if t == n || strings.HasPrefix(t, n+":") {
			return len(n)
		}
	}
	return 0
}

// word returns where the name stands in the word that next has returned.
func (s *scan) word(t string) word {
	start := s.at - len(t)
	return word{start, start + s.is(t)}
}
