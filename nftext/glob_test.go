// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/nftext"
)

// naive matches by trying every length of every star: obviously right, and
// slow.
func naive(tokens []nftext.Token, s string) bool {
	if len(tokens) == 0 {
		return s == ""
	}
	if tokens[0].Star {
		return naive(tokens[1:], s) || s != "" && naive(tokens, s[1:])
	}
	return s != "" && tokens[0].Has(s[0]) && naive(tokens[1:], s[1:])
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"?", "", false},
		{"?", "ü", false},
		{"??", "ü", true},
		{"ü*", "über", true},
		{"a**b", "ab", true},
		{"a*?b", "ab", false},
		{"[a-c]", "b", true},
		{"[a-c]", "d", false},
		{"[!a-c]", "d", true},
		{"[!a-c]", "", false},
		{"[-a]", "-", true},
		{"[a-]", "-", true},
		{"[a!]", "!", true},
		{`[\]]`, "]", true},
		{`[\!a]`, "!", true},
		{`[\^]`, "^", true},
		{`[a\-z]`, "-", true},
		{`[a\-z]`, "m", false},
		{"[[]", "[", true},
		{"]", "]", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`\a`, "a", true},
		{`\\`, `\`, true},
		{"*.netflix.com", ".netflix.com", true},
		{"*a*b*c", "xaxbxbxc", true},
		{"*ab", "aab", true},
	} {
		g, err := nftext.CompileGlob(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
		} else if have := g.Match(c.s); have != c.want {
			t.Errorf("%s on %q: have %v, want %v", c.pattern, c.s, have, c.want)
		}
	}
}

func TestGlobLiteral(t *testing.T) {
	for pattern, want := range map[string]string{"": "", "abc": "abc", `\*\?\[\\`: `*?[\`, "[a]b": "ab", "Müller": "Müller"} {
		g, err := nftext.CompileGlob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := g.Literal(); !ok || s != want {
			t.Errorf("%s: have %q %v, want %q", pattern, s, ok, want)
		}
	}
	for _, pattern := range []string{"*", "a?", "[ab]", "[!a]"} {
		g, err := nftext.CompileGlob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := g.Literal(); ok {
			t.Errorf("%s: is the literal %q", pattern, s)
		}
	}
}

func TestGlobLimit(t *testing.T) {
	if _, err := nftext.CompileGlob(strings.Repeat("*?", nftext.MaxTokens/2)); err != nil {
		t.Error(err)
	}
	if _, err := nftext.CompileGlob(strings.Repeat("*", 1000)); err != nil {
		t.Errorf("stars in a row: %v", err)
	}
	if _, err := nftext.CompileGlob(strings.Repeat("?", nftext.MaxTokens+1)); !errors.Is(err, dict.ErrTooLong) {
		t.Errorf("have %v, want %v", err, dict.ErrTooLong)
	}
}

// TestGlobWorst would not end in a matcher that backtracks to every star.
func TestGlobWorst(t *testing.T) {
	g, err := nftext.CompileGlob(strings.Repeat("*a", 63) + "*b")
	if err != nil {
		t.Fatal(err)
	}
	if g.Match(strings.Repeat("a", dict.MaxString)) {
		t.Error("matches")
	}
}

// TestGlobProperty compares with naive, and with path.Match where both know
// the pattern.
func TestGlobProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"*", "?", "a", "b", "[ab]", "[!a]", "[a-b]", `\*`, "c"}
	for range 20000 {
		var pattern, s strings.Builder
		for range r.IntN(8) {
			pattern.WriteString(pieces[r.IntN(len(pieces))])
		}
		for range r.IntN(8) {
			s.WriteByte("abc*"[r.IntN(4)])
		}
		g, err := nftext.CompileGlob(pattern.String())
		if err != nil {
			t.Fatal(err)
		}
		have := g.Match(s.String())
		if want := naive(g.Tokens(), s.String()); have != want {
			t.Fatalf("%s on %q: have %v, naive says %v", pattern.String(), s.String(), have, want)
		}
		if want, err := path.Match(strings.ReplaceAll(pattern.String(), "[!", "[^"), s.String()); err == nil && have != want {
			t.Fatalf("%s on %q: have %v, path.Match says %v", pattern.String(), s.String(), have, want)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("*a[!b-c]?\\*", "xxadx*")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		g, err := nftext.CompileGlob(pattern)
		if err != nil {
			return
		}
		if len(g.Tokens()) > nftext.MaxTokens {
			t.Fatalf("%d tokens", len(g.Tokens()))
		}
		stars := 0
		for i, tok := range g.Tokens() {
			if tok.Star {
				if stars++; i > 0 && g.Tokens()[i-1].Star {
					t.Fatal("two stars stand together")
				}
			}
		}
		if lit, ok := g.Literal(); ok && !g.Match(lit) {
			t.Fatalf("%q does not match its literal %q", pattern, lit)
		}
		if len(s) > 16 || stars > 4 {
			return // naive would take too long
		}
		if have, want := g.Match(s), naive(g.Tokens(), s); have != want {
			t.Fatalf("%q on %q: have %v, want %v", pattern, s, have, want)
		}
	})
}
