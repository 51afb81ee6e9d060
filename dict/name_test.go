// SPDX-License-Identifier: MIT

package dict_test

import (
	"errors"
	"strings"
	"testing"

	"nftdict/dict"
)

func TestCheckName(t *testing.T) {
	max := strings.Repeat("n", dict.MaxName)
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"quota-exceeded", "quota_exceeded", nil},
		{"quota_exceeded", "quota_exceeded", nil},
		{"_a", "_a", nil},
		{"A.b-c9", "A.b_c9", nil},
		{max, max, nil},
		{max + "n", `name "` + max + `n": too long: 64 bytes, at most 63`, dict.ErrTooLong},
		{strings.Repeat("é", 500), `name "` + strings.Repeat("é", 24) + `"...: too long: 1000 bytes, at most 63`, dict.ErrTooLong},
		{"", `name "": invalid: empty`, dict.ErrInvalid},
		{"-a", `name "-a": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"9a", `name "9a": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{".a", `name ".a": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a b", `name "a b": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a/b", `name "a/b": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"é", `name "é": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a\x00", `name "a\x00": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a@", `name "a@": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a`", "name \"a`\": invalid: want a letter, then letters, digits, '_', '-' or '.'", dict.ErrInvalid},
		{"a{", `name "a{": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
		{"a[", `name "a[": invalid: want a letter, then letters, digits, '_', '-' or '.'`, dict.ErrInvalid},
	} {
		got, err := dict.CheckName(c.name)
		if err != nil {
			if got != "" {
				t.Errorf("%q: an error and a name", c.name)
			}
			got = err.Error()
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q:\n got %s\nwant %s (%v)", c.name, got, c.want, c.err)
		}
	}
}

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"":                    `""`,
		"NETFLIX":             `"NETFLIX"`,
		`a "b" \`:             `"a \"b\" \\"`,
		"\n\t\x7f\x00":        `"\x0a\x09\x7f\x00"`,
		"é\u00a0\u202e\ufffd": `"é\xc2\xa0\xe2\x80\xae` + "\ufffd" + `"`,
		"\xff\xc3":            `"\xff\xc3"`,
		"*?[a-z]; # {}":       `"*?[a-z]; # {}"`,
	} {
		if got := dict.Quote(s); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

func TestUnquote(t *testing.T) {
	for text, want := range map[string]string{
		"":           "",
		"plain\\":    "plain\\",
		`"\q\"\\"`:   `q"\`,
		`"\x41\xe9"`: "A\xe9",
	} {
		if got, err := dict.Unquote(text); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		`"`:      `string "\"": invalid: no closing quote`,
		`"a`:     `string "\"a": invalid: no closing quote`,
		`"\"`:    `string "\"\\\"": invalid: no closing quote`,
		`"a"b"`:  `string "\"a\"b\"": invalid: quote inside`,
		`"\x"`:   `string "\"\\x\"": invalid: want two hex digits after \x`,
		`"\x4"`:  `string "\"\\x4\"": invalid: want two hex digits after \x`,
		`"\x 1"`: `string "\"\\x 1\"": invalid: want two hex digits after \x`,
		`"\x1_"`: `string "\"\\x1_\"": invalid: want two hex digits after \x`,
		`"\x+1"`: `string "\"\\x+1\"": invalid: want two hex digits after \x`,
		"\"\n":   `string "\"\x0a": invalid: no closing quote`,
	} {
		if got, err := dict.Unquote(text); !errors.Is(err, dict.ErrInvalid) || err.Error() != want {
			t.Errorf("%s: got %q, %v, want %s", text, got, err, want)
		}
	}
}

func TestAt(t *testing.T) {
	for _, c := range []struct {
		at   dict.At
		want string
	}{
		{dict.At{Err: dict.ErrFull}, "table is full"},
		{dict.At{Op: "set", Err: dict.ErrFull}, "set: table is full"},
		{dict.At{Op: "set", Table: "sessions", Key: "5", Field: "aplication", Err: dict.ErrNotExist}, `set sessions 5: field "aplication": does not exist`},
		{dict.At{Table: "sessions", Err: dict.ErrNotExist}, "sessions: does not exist"},
		{dict.At{Field: "f", Err: dict.ErrNotExist}, `field "f": does not exist`},
		{dict.At{Op: "get", Table: "a b\n", Err: dict.ErrNotExist}, `get "a b\x0a": does not exist`},
		{dict.At{Op: "table add", Err: &dict.At{Op: "table", Table: "t", Err: dict.ErrExist}}, "table add: table t: exists already"},
	} {
		if got := c.at.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		if c.at.Unwrap() != c.at.Err {
			t.Errorf("%s: does not unwrap", c.want)
		}
	}
}
