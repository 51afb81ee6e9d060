// SPDX-License-Identifier: MIT

package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

// sameTables compares tables by what they hold.
var sameTables = cmp.Comparer(func(a, b dict.Value) bool { return a == b })

func TestParseTable(t *testing.T) {
	words := "key address limit 500 timeout 5m field vendor string alias maker field colour bool default true field level int64 default -3"
	got, err := parseTable("printers", strings.Fields(words))
	if err != nil {
		t.Fatal(err)
	}
	want := dict.Table{Name: "printers", Key: dict.KeyAddress, Limit: 500, Timeout: 5 * time.Minute, Fields: []dict.Field{
		{Name: "vendor", Type: dict.String, Aliases: []string{"maker"}},
		{Name: "colour", Type: dict.Bool, Default: dict.BoolValue(true)},
		{Name: "level", Type: dict.Int64, Default: dict.Int64Value(-3)},
	}}
	if diff := cmp.Diff(want, got, sameTables); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got, err := parseTable("s", []string{"key", "ct_id", "open", "bound"}); err != nil || !got.Open || !got.Bound {
		t.Errorf("open, bound: %+v, %v", got, err)
	}
}

func TestParseTableErrors(t *testing.T) {
	for words, want := range map[string]string{
		"key":                                "key's value is missing",
		"key colour":                         `key type "colour"`,
		"limit 0":                            `limit "0": want a number`,
		"limit many":                         `limit "many"`,
		"timeout 1500ms":                     "want a span",
		"timeout -5s":                        "want a span",
		"default 5":                          "behind a field",
		"alias a field b int":                "behind a field",
		"field a":                            `field "a": TYPE is missing`,
		"field a number":                     `table "t": field "a": type "number"`,
		"field a int default five":           `table "t": field "a": int "five"`,
		"field a int default 99999999999999": "out of range",
		"primary":                            `"primary": want key`,
		"bound open shut":                    `"shut": want key`,
	} {
		_, err := parseTable("t", strings.Fields(words))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
}

func TestMissingFields(t *testing.T) {
	old, err := dict.Table{Name: "t", Key: dict.KeyMark, Timeout: time.Minute, Fields: []dict.Field{
		{Name: "a", Type: dict.Int, Default: dict.IntValue(1), Aliases: []string{"b"}},
		{Name: "c", Type: dict.String},
	}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"key mark timeout 1m":              "",
		"key mark":                         "error: exists already: its timeout is 1m, not 0s",
		"field a int":                      "",
		"field a int default 1 alias b":    "",
		"field B int":                      "B", // names are not folded
		"field b int":                      "",
		"field d bool field e int":         "d e",
		"field c string field d bool":      "d",
		"limit 7":                          "",
		"key int":                          "error: exists already: its key is mark, not int",
		"timeout 2m":                       "error: exists already: its timeout is 1m, not 2m",
		"open":                             "error: exists already: its open is false, not true",
		"bound":                            "error: exists already: its bound is false, not true",
		"field a int64":                    `error: field "a": exists already: its type is int, not int64`,
		"field a int default 2":            `error: field "a": exists already: its default is 1, not 2`,
		"field c string default x":         `error: field "c": exists already: its default is none, not "x"`,
		"field c string alias z":           `error: field "c": exists already, without the alias "z"`,
		"field d bool field c int alias z": `error: field "c": exists already: its type is long_string, not int`,
	} {
		add, err := parseTable("t", strings.Fields(words))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		lacks, err := missingFields(&old, &add)
		for _, f := range lacks {
			got = append(got, f.Name)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = "error: " + err.Error()
		}
		if text != want {
			t.Errorf("%q: %q, want %q", words, text, want)
		}
	}
}
