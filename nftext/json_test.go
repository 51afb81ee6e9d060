// SPDX-License-Identifier: MIT

package nftext_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nftdict/nftext"
)

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`dict sessions ct id application long_string NETFLIX`:        `{"match": {"op": "==", "left": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "application", "type": "long_string"}}, "right": "NETFLIX"}}`,
		`dict ct id x != "two words"`:                                `{"match": {"op": "!=", "left": {"dict": {"key": {"ct": {"key": "id"}}, "field": "x"}}, "right": "two words"}}`,
		`dict hosts ip saddr quota_exceeded bool true`:               `{"match": {"op": "==", "left": {"dict": {"table": "hosts", "key": {"payload": {"protocol": "ip", "field": "saddr"}}, "field": "quota_exceeded", "type": "bool"}}, "right": true}}`,
		`dict values iif i >= -5`:                                    `{"match": {"op": ">=", "left": {"dict": {"table": "values", "key": {"meta": {"key": "iif"}}, "field": "i"}}, "right": -5}}`,
		`dict values mark i 5-10`:                                    `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "i"}}, "right": {"range": [5, 10]}}}`,
		`dict values mark i { -5--1, 0x1f, 99999999999999999999 }`:   `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "i"}}, "right": {"set": [{"range": [-5, -1]}, "0x1f", "99999999999999999999"]}}}`,
		`dict values mark a 10.0.0.0/8`:                              `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "a"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}`,
		`dict values mark a fe80::1-fe80::9`:                         `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "a"}}, "right": {"range": ["fe80::1", "fe80::9"]}}}`,
		`dict values mark s "10.0.0.1"`:                              `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "s"}}, "right": "\"10.0.0.1\""}}`,
		`dict values mark s long_string 10.0.0.1`:                    `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "s", "type": "long_string"}}, "right": "10.0.0.1"}}`,
		`dict values mark s { "5", "true", drop, "@x", "a\*\"b" }`:   `{"match": {"op": "==", "left": {"dict": {"table": "values", "key": {"meta": {"key": "mark"}}, "field": "s"}}, "right": {"set": ["\"5\"", "\"true\"", "drop", "\"@x\"", "a\\*\\\"b"]}}}`,
		`dict users dict sessions ct id username string q exists`:    `{"match": {"op": "exists", "left": {"dict": {"table": "users", "key": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "username", "type": "long_string"}}, "field": "q"}}}}`,
		`dict hosts ip saddr mac_address ether_addr set ether saddr`: `{"dict": {"op": "set", "table": "hosts", "key": {"payload": {"protocol": "ip", "field": "saddr"}}, "field": "mac_address", "type": "ether_addr", "value": {"payload": {"protocol": "ether", "field": "saddr"}}}}`,
		`dict users dict sessions ct id username q sub meta length`:  `{"dict": {"op": "sub", "table": "users", "key": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "username"}}, "field": "q", "value": {"meta": {"key": "length"}}}}`,
		`dict hosts ip saddr username set dict sessions ct id u`:     `{"dict": {"op": "set", "table": "hosts", "key": {"payload": {"protocol": "ip", "field": "saddr"}}, "field": "username", "value": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "u"}}}}`,
		`dict values ct mark i add 5`:                                `{"dict": {"op": "add", "table": "values", "key": {"ct": {"key": "mark"}}, "field": "i", "value": 5}}`,
		`dict sessions ct id flush`:                                  `{"dict": {"op": "flush", "table": "sessions", "key": {"ct": {"key": "id"}}}}`,
		`dict ct id flush`:                                           `{"dict": {"op": "flush", "key": {"ct": {"key": "id"}}}}`,
	} {
		term, n, err := nftext.Parse(text)
		if err != nil || n != len(text) {
			t.Fatalf("%s: %v", text, err)
		}
		if got := string(nftext.JSON(term)); got != want {
			t.Errorf("%s:\n\thave %s\n\twant %s", text, got, want)
		}
		checkJSON(t, term)
	}
}

// TestJSONOfRules takes every term of testdata to JSON and back.
func TestJSONOfRules(t *testing.T) {
	for _, l := range readRules(t) {
		if term, _, err := nftext.Parse(l.rule); err == nil {
			checkJSON(t, term)
		}
	}
}

// checkJSON fails unless the JSON of a term is valid and reads to an equal one.
func checkJSON(t *testing.T, term nftext.Term) {
	t.Helper()
	object := nftext.JSON(term)
	if !json.Valid(object) {
		t.Fatalf("%s: %s is no JSON", term, object)
	}
	var again nftext.Term
	var err error
	if term.Kind() == nftext.KindValue {
		again, err = nftext.ParseJSONValue(object)
	} else {
		again, err = nftext.ParseJSON(object)
	}
	if err != nil {
		t.Fatalf("%s: %s: %v", term, object, err)
	}
	if diff := cmp.Diff(term, again); diff != "" {
		t.Fatalf("%s: %s (-written +read):\n%s", term, object, diff)
	}
}

func TestParseJSON(t *testing.T) {
	match := func(lookup, rest string) string {
		return `{"match": {"left": {"dict": {` + lookup + `}}, ` + rest + `}}`
	}
	const ctID = `"key":{"ct":{"key":"id"}}`
	for object, want := range map[string]string{
		// other spellings
		match(`"field":"s",`+ctID+`,"table":"t"`, `"right":{"set":["a"]},"op":"in"`):                        `dict t ct id s { "a" }`,
		match(`"field":"s",`+ctID+`,"table":"t","type":"string"`, `"op":"==","right":5`):                    `dict t ct id s long_string "5"`,
		match(`"field":"s",`+ctID+`,"table":"t","type":"long_string"`, `"op":"==","right":true`):            `dict t ct id s long_string "true"`,
		match(`"field":"a",`+ctID+`,"table":"t"`, `"op":"==","right":"10.0.0.0/8"`):                         `dict t ct id a 10.0.0.0/8`,
		match(`"field":"a",`+ctID+`,"table":"t"`, `"op":"==","right":"\u0031"`):                             `dict t ct id a 1`,
		match(`"field":"s",`+ctID+`,"table":"t"`, `"op":"==","right":""`):                                   `dict t ct id s ""`,
		match(`"field":"s",`+ctID+`,"table":"t"`, `"op":"==","right":"<&>\u00e4"`):                          `dict t ct id s "<&>ä"`,
		match(`"field":"i","key":{"meta":{"key":"iif"}},"table":"t"`, `"op":"<","right":"5"`):               `dict t iif i < 5`,
		match(`"field":"i","key":{"payload":{"field":"saddr","protocol":"ip6"}}`, `"op":"<","right":"::5"`): `dict ip6 saddr i < ::5`,
		// refused
		`[]`:                                  `expected an object with the one member "dict", or "match" with a dict on its left, found an array`,
		`{"match": 5}`:                        `match: expected an object, found 5`,
		`{"dict": {"op": "set"}, "x": 1}`:     `expected an object with the one member "dict"`,
		`{"dict": {"op": "get"}}`:             `dict: expected "op" to be "set", "add", "sub" or "flush"`,
		`{"dict": {` + ctID + `}}`:            `dict: expected "op" to be`,
		`{"dict": {"op": "flush"}}`:           `dict: has no member "key"`,
		`{"dict": {"op": "flush", "key": 5}}`: `dict.key: expected an expression of ct id, ct mark,`,
		`{"dict": {"op": "flush", "key": {"ct": {"key": "id", "dir": "original"}}}}`:                                                                      `dict.key.ct.dir: is not known here, want key`,
		`{"dict": {"op": "flush", "key": {"ct": {"key": "zone"}}}}`:                                                                                       `found "ct zone"`,
		`{"dict": {"op": "flush", "key": {"ct": {"key": {}}}}}`:                                                                                           `dict.key: expected an expression of`,
		`{"dict": {"op": "flush", ` + ctID + `, "field": "f"}}`:                                                                                           `dict.field: is not known here, want op, table, key`,
		`{"dict": {"op": "flush", "op": "flush", ` + ctID + `}}`:                                                                                          `dict.op: is there twice`,
		`{"dict": {"op": "flush", ` + ctID + `, "table": 5}}`:                                                                                             `dict.table: expected a name, found 5`,
		`{"dict": {"op": "flush", ` + ctID + `, "table": "a b"}}`:                                                                                         `dict.table: `,
		`{"dict": {"op": "flush", ` + ctID + `, "table": "iif"}}`:                                                                                         `iif ct id flush`,
		`{"dict": {"op": "set", ` + ctID + `, "field": "f"}}`:                                                                                             `dict: has no member "value"`,
		`{"dict": {"op": "set", ` + ctID + `, "field": "f", "value": {"ct": {"key": "zone"}}}}`:                                                           `dict.value: expected an expression of`,
		`{"dict": {"op": "set", ` + ctID + `, "field": "f", "value": [1]}}`:                                                                               `dict.value: expected a string, a number, true or false, found an array`,
		`{"dict": {"op": "set", ` + ctID + `, "field": "f", "value": null}}`:                                                                              `dict.value: expected a string, a number, true or false, found null`,
		match(`"field":"s"`, `"op":"==","right":5`):                                                                                                       `match.left.dict: has no member "key"`,
		match(`"field":"s",`+ctID, `"right":5`):                                                                                                           `match: has no member "op"`,
		match(`"field":"s",`+ctID, `"op":"&","right":5`):                                                                                                  `match.op: expected ==`,
		match(`"field":"s",`+ctID, `"op":"=="`):                                                                                                           `match.right: expected a value`,
		match(`"field":"s",`+ctID, `"op":"exists","right":5`):                                                                                             `match.right: stands beside the operator exists`,
		match(`"field":"s",`+ctID+`,"type":"text"`, `"op":"==","right":5`):                                                                                `match.left.dict.type: expected one of the words for types, such as long_string, found "text"`,
		match(`"field":"exists",`+ctID, `"op":"==","right":5`):                                                                                            `in "dict ct id exists 5"`,
		match(`"field":"s",`+ctID, `"op":"==","right":1.5`):                                                                                               `match.right: expected a whole number, found 1.5`,
		match(`"field":"s",`+ctID, `"op":"==","right":"@apps"`):                                                                                           `match.right: named set "@apps": not supported here`,
		match(`"field":"s",`+ctID, `"op":"==","right":"\ud800"`):                                                                                          `match.right: expected text`,
		match(`"field":"s",`+ctID, `"op":"==","right":"a\u0000"`):                                                                                         `control character`,
		match(`"field":"s",`+ctID, `"op":"==","right":"a\"b"`):                                                                                            `expected a dict term`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"range":[1]}`):                                                                                     `match.right.range: expected an array of two values`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"range":[1,"x"]}`):                                                                                 `match.right.range: expected two numbers`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"prefix":{"addr":"10.0.0.0"}}`):                                                                    `match.right.prefix: has no member "len"`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"prefix":{"addr":"10.0.0.0-10.0.0.1","len":8}}`):                                                   `match.right.prefix: expected two numbers`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"set":5}`):                                                                                         `match.right.set: expected an array of values, found 5`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"set":[]}`):                                                                                        `expected a value`,
		match(`"field":"s",`+ctID, `"op":"==","right":{"set":[1,{"set":[1]}]}`):                                                                           `match.right.set[1]: expected a string`,
		match(`"field":"s",`+ctID, `"op":"<","right":{"set":[1]}`):                                                                                        `expected one value behind <`,
		match(`"field":"s","key":`+strings.Repeat(`{"dict":{"field":"s","key":`, 3)+`{"ct":{"key":"id"}}`+strings.Repeat(`}}`, 3), `"op":"==","right":5`): `more than 3 lookups`,
		`{"dict": {"op": "flush", ` + ctID + `}} x`:                                                                                                       `expected the end at offset`,
	} {
		term, err := nftext.ParseJSON([]byte(object))
		switch {
		case strings.HasPrefix(want, "dict ") && err != nil:
			t.Errorf("%s: %v", object, err)
		case strings.HasPrefix(want, "dict ") && term.String() != want:
			t.Errorf("%s: have %s, want %s", object, term, want)
		case strings.HasPrefix(want, "dict "):
			checkJSON(t, term)
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%s: have %v, want %s", object, err, want)
		}
		if _, ok := errors.AsType[*nftext.JSONError](err); err != nil && !ok {
			t.Errorf("%s: %T", object, err)
		}
	}
}

func TestJSONOfValues(t *testing.T) {
	const object = `{"dict": {"table": "users", "key": {"dict": {"table": "sessions", "key": {"ct": {"key": "id"}}, "field": "username"}}, "field": "mark", "type": "int"}}`
	v, err := nftext.ParseJSONValue([]byte(object))
	if err != nil || v.String() != "dict users dict sessions ct id username mark int" || string(nftext.JSON(v)) != object {
		t.Errorf("%v, %v, %s", v, err, nftext.JSON(v))
	}
	for object, want := range map[string]string{
		`{"dict": {"field": "x"}}`: `dict: has no member "key"`,
		`{"dict": {"op": "set", "key": {"ct": {"key": "id"}}, "field": "x"}}`:      `dict.op: is not known here`,
		`{"dict": {"table": "t", "key": {"ct": {"key": "id"}}, "field": "flush"}}`: `found "dict t ct id flush exists"`,
		`{"dict": {"table": "t", "key": {"ct": {"key": "id"}}}}`:                   `has no member "field"`,
		`{"dict": 5}`: `dict: expected an object, found 5`,
		`{"ct": 5}`:   `expected an object with the one member "dict"`,
		`{`:           `no JSON`,
	} {
		if v, err := nftext.ParseJSONValue([]byte(object)); v != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, %v, want %s", object, v, err, want)
		}
	}
}

// FuzzJSON takes text to JSON and back, and JSON to text and back.
func FuzzJSON(f *testing.F) {
	for _, l := range readRules(f) {
		f.Add(l.rule)
		if term, _, err := nftext.Parse(l.rule); err == nil {
			f.Add(string(nftext.JSON(term)))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if term, _, err := nftext.Parse(text); err == nil {
			checkJSON(t, term)
		}
		if term, err := nftext.ParseJSON([]byte(text)); err == nil {
			checkRoundTrip(t, term)
			checkJSON(t, term)
		}
		if v, err := nftext.ParseJSONValue([]byte(text)); err == nil {
			if again, err := nftext.ParseJSONValue(nftext.JSON(v)); err != nil || !cmp.Equal(v, again) {
				t.Fatalf("%s: %v, %v", v, again, err)
			}
		}
	})
}
