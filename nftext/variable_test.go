// SPDX-License-Identifier: MIT

package nftext_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
	"nftdict/nftext"
)

// terms finds the terms of a text and prints them, those with variables with a $
// before.
func terms(f *nftext.Finder, src string, include func(string) error) ([]string, error) {
	spans, err := f.Find(src, include)
	var have []string
	for _, s := range spans {
		mark := ""
		if s.Variables {
			mark = "$"
		}
		have = append(have, mark+s.Term.String())
	}
	return have, err
}

func TestVariables(t *testing.T) {
	const rule = "\nadd rule t c dict t ct id f "
	for _, tt := range []struct{ src, want string }{
		{"define a = NETFLIX" + rule + "$a", `$dict t ct id f "NETFLIX"`},
		{"define a = \"NETFLIX\"" + rule + "$a drop", `$dict t ct id f "NETFLIX"`},
		{"define a = NETFLIX;" + rule + "!= $a", `$dict t ct id f != "NETFLIX"`},
		{"define a = NETFLIX # comment" + rule + "$a", `$dict t ct id f "NETFLIX"`},
		{"define a = { A, B }" + rule + "$a", `$dict t ct id f { "A", "B" }`},
		{"define a = {\n A, # one\n \"B*\",\n}" + rule + "!= $a", `$dict t ct id f != { "A", "B*" }`},
		{"define a = A, B" + rule + "$a", `$dict t ct id f { "A", "B" }`},
		{"define a = { A, B }" + rule + "{ $a, C }", `$dict t ct id f { "A", "B", "C" }`},
		{"define a = A\ndefine b = { $a, { B, $a } }" + rule + "$b", `$dict t ct id f { "A", "B", "A" }`},
		{"define a = A\ndefine b = $a\nredefine a = B" + rule + "$b" + rule + "$a", `$dict t ct id f "A", $dict t ct id f "B"`},
		{"define a = 5-10" + rule + "int $a" + rule + "int < 5", "$dict t ct id f int 5-10, dict t ct id f int < 5"},
		{"define a = 5" + rule + "int <= $a", "$dict t ct id f int <= 5"},
		{"define a = 10.0.0.0/8" + rule + "{ $a, 1.1.1.1 }", "$dict t ct id f { 10.0.0.0/8, 1.1.1.1 }"},
		{"define a = -5" + rule + "int $a", "$dict t ct id f int -5"},
		{"define a = bob" + rule + "set $a", `$dict t ct id f set "bob"`},
		{"define a = bob" + rule + "long_string set $a counter", `$dict t ct id f long_string set "bob"`},
		{"define a/b-c.d_1 = x" + rule + "$a/b-c.d_1", `$dict t ct id f "x"`},
		{"define a = A; table t { define a = B; chain c { dict t ct id f $a; define a = C\n dict t ct id f $a\n}; chain d { dict t ct id f $a; } }" + rule + "$a",
			`$dict t ct id f "B", $dict t ct id f "C", $dict t ct id f "B", $dict t ct id f "A"`},
		{"table t { chain c { jump { define a = A\n dict t ct id f $a\n } } }", `$dict t ct id f "A"`},
		{"table t { define a = A; set s { type ipv4_addr; redefine a = B\n elements = { 1.2.3.4 } }; chain c { dict t ct id f $a; } }", `$dict t ct id f "B"`},
		{"add map t m { type mark : verdict; define a = A; }; define b = B" + rule + "{ $a, $b }", `$dict t ct id f { "A", "B" }`},
		{"define a = A\nct helper t h { redefine a = B; }; add counter t k { redefine a = { $a, C }\n}" + rule + "$a", `$dict t ct id f { "B", "C" }`},
		{"define dict = { dict, t }\nadd rule t c ip saddr $dict dict t ct id f x", `dict t ct id f "x"`},

		{"define a = A\nundefine a" + rule + "$a", `error 3:29: variable "a": does not exist before this`},
		{"table t { define a = A; }" + rule + "$a", `error 2:29: variable "a": does not exist before this`},
		{strings.TrimSpace(rule) + " $a\ndefine a = A", `error 1:29: variable "a"`},
		{strings.TrimSpace(rule) + " $ a", "error 1:29: expected a variable"},
		{"define a = { A, B }" + rule + "int < $a", "error 2:35: expected one value behind <, found a set"},
		{"define a = { A, B }" + rule + "set $a", "error 2:33: expected one value behind set, found a set"},
		{"define a = A . B" + rule + "$a", `error 2:29: variable "a" does not hold values: expected the end, found "."`},
		{"define a = { A : drop }" + rule + "$a", `error 2:29: variable "a" does not hold values: expected a comma`},
		{"define a = { A, $b }" + rule + "$a", `error 2:29: variable "a" does not hold values: expected a value`},
		{"define a = @apps" + rule + "$a", `error 2:29: variable "a" does not hold values: named set`},
		{"define a = {" + strings.Repeat("A, ", nftext.MaxItems) + "A}" + rule + "$a", "error 2:29: variable \"a\" does not hold values: more than 32"},
		{"define a = {" + strings.Repeat("A, ", 20) + "A}" + rule + "{ $a, $a }", "error 2:35: more than 32"},
		{bomb() + rule + "$a40", `variable "a40" does not hold values`},
	} {
		have, err := terms(new(nftext.Finder), tt.src, nil)
		text := strings.Join(have, ", ")
		if err != nil {
			text = "error " + err.Error()
		}
		if !strings.HasPrefix(text, tt.want) && !(strings.HasPrefix(tt.want, "variable") && strings.Contains(text, tt.want)) {
			t.Errorf("%s\n\thave %s\n\twant %s", tt.src, text, tt.want)
		}
	}
}

// bomb defines variables that double each other.
func bomb() string {
	var b strings.Builder
	b.WriteString("define a0 = { A, B, C, D, E, F }\n")
	for i := range 40 {
		fmt.Fprintf(&b, "define a%d = { $a%d, $a%d }\n", i+1, i, i)
	}
	return b.String()
}

// TestInclude: an included text stands where the include stands, and shares its
// variables.
func TestInclude(t *testing.T) {
	files := map[string]string{
		"vars":   "define app = NETFLIX",
		"rules":  "dict t ct id f $app drop\n",
		"chains": "define app = YOUTUBE\nchain d { include \"rules\" }",
		"deep":   "add rule t c dict t ct id f $app\ninclude \"vars\"\nadd rule t c dict t ct id f $app",
		"bad":    "add rule t c dict t ct id f = 5",
	}
	f := new(nftext.Finder)
	var have []string
	var include func(string) error
	include = func(name string) error {
		found, err := terms(f, files[name], include)
		have = append(have, found...)
		return err
	}
	for _, tt := range []struct {
		src  string
		want []string
	}{
		{"include \"vars\"\nadd rule t c dict t ct id f $app", []string{`$dict t ct id f "NETFLIX"`}},
		{"define app = A\ninclude \"deep\"", []string{`$dict t ct id f "A"`, `$dict t ct id f "NETFLIX"`}},
		{"table t { include \"chains\"\n chain e { include \"rules\"; dict t ct id f x } }\nadd rule t c dict t ct id f $app",
			[]string{`$dict t ct id f "YOUTUBE"`, `$dict t ct id f "YOUTUBE"`, `dict t ct id f "x"`, `$dict t ct id f "NETFLIX"`}},
	} {
		have = nil
		found, err := terms(f, tt.src, include)
		if err != nil {
			t.Fatalf("%s: %v", tt.src, err)
		}
		// The includer's own come last.
		if diff := cmp.Diff(tt.want, append(have, found...)); diff != "" {
			t.Errorf("%s (-want +have):\n%s", tt.src, diff)
		}
	}
	const src = "\n include \"bad\"\n"
	_, err := f.Find(src, include)
	e, ok := errors.AsType[*nftext.SyntaxError](err)
	if !ok || e.Line != 2 || !errors.Is(err, dict.ErrInvalid) {
		t.Fatalf("have %v", err)
	}
	if inner, ok := errors.AsType[*nftext.SyntaxError](e.Err); !ok || inner.Offset != strings.Index(files["bad"], "= 5") {
		t.Errorf("have %v", e.Err)
	}
	if _, err := f.Find("include \"nowhere\"; add rule t c dict t ct id f x", nil); err != nil {
		t.Errorf("left to nft: %v", err)
	}
}
