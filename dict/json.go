// SPDX-License-Identifier: MIT

package dict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The JSON form of a value or key is plain where its type is known from
// elsewhere: true, 5, "10.0.0.1". Numbers are whole and exact, also beyond
// 2^53. Where the type is not known it goes along: {"type":"int","value":5}.

// typedJSON is a value or key with its type.
type typedJSON struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// MarshalJSON returns the value with its type, null for no value.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(typedJSON{v.typ.String(), v.appendJSON(nil)})
}

// UnmarshalJSON reads what MarshalJSON writes. The error wraps ErrInvalid,
// ErrType, ErrRange or ErrTooLong.
func (v *Value) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		*v = Value{}
		return nil
	}
	raw, word, err := readTyped(data)
	if err != nil {
		return err
	}
	t, err := ParseType(word)
	if err != nil {
		return err
	}
	*v, err = parseValueJSON(t, raw)
	return err
}

// MarshalJSON returns the key with its type, null for no key.
func (k Key) MarshalJSON() ([]byte, error) {
	if k.typ == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(typedJSON{k.typ.String(), k.appendJSON(nil)})
}

// UnmarshalJSON reads what MarshalJSON writes. The error wraps ErrInvalid,
// ErrType, ErrRange or ErrTooLong.
func (k *Key) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		*k = Key{}
		return nil
	}
	raw, word, err := readTyped(data)
	if err != nil {
		return err
	}
	t, err := ParseKeyType(word)
	if err != nil {
		return err
	}
	*k, err = parseKeyJSON(t, raw)
	return err
}

// appendJSON appends the plain form.
func (v Value) appendJSON(b []byte) []byte {
	switch v.typ {
	case Bool:
		return strconv.AppendBool(b, v.num != 0)
	case Int, Int64:
		return strconv.AppendInt(b, v.num, 10)
	case 0:
		return append(b, "null"...)
	}
	return appendJSONString(b, v.String())
}

// appendJSON appends the plain form.
func (k Key) appendJSON(b []byte) []byte {
	switch k.typ {
	case KeyCtID, KeyMark, KeyInt:
		return strconv.AppendInt(b, k.num, 10)
	case 0:
		return append(b, "null"...)
	}
	return appendJSONString(b, k.String())
}

// parseValueJSON reads the plain form of a value of type t.
func parseValueJSON(t Type, data []byte) (Value, error) {
	kind, text, err := scalarJSON(data)
	if err != nil {
		return Value{}, err
	}
	want := "a string"
	switch t {
	case Bool:
		want = "true or false"
	case Int, Int64:
		want = "a number"
	}
	if kind != want {
		return Value{}, fmt.Errorf("%s %s: %w: want %s", t, brief(string(data)), ErrType, want)
	}
	return ParseValue(t, text)
}

// parseKeyJSON reads the plain form of a key of type t.
func parseKeyJSON(t KeyType, data []byte) (Key, error) {
	kind, text, err := scalarJSON(data)
	if err != nil {
		return Key{}, err
	}
	want := "a string"
	if t == KeyCtID || t == KeyMark || t == KeyInt {
		want = "a number"
	}
	if kind != want {
		return Key{}, fmt.Errorf("%s %s: %w: want %s", t, brief(string(data)), ErrType, want)
	}
	return ParseKey(t, text)
}

// scalarJSON returns what kind of JSON value data is, in words, and its text.
func scalarJSON(data []byte) (kind, text string, err error) {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return "", "", fmt.Errorf("%w: no value", ErrInvalid)
	case data[0] == '"':
		err := unmarshal(data, &text)
		if err == nil && strings.ContainsRune(text, utf8.RuneError) && !bytes.ContainsRune(data, utf8.RuneError) && !bytes.Contains(bytes.ToLower(data), []byte(`\ufffd`)) {
			err = fmt.Errorf("%s: %w: half a surrogate pair", brief(string(data)), ErrInvalid)
		}
		return "a string", text, err
	case data[0] == 't' || data[0] == 'f':
		return "true or false", string(data), nil
	case data[0] == '-' || data[0] >= '0' && data[0] <= '9':
		return "a number", string(data), nil
	}
	return "", "", fmt.Errorf("%s: %w: want true, false, a number or a string", brief(string(data)), ErrType)
}

// readTyped takes {"type":...,"value":...} apart.
func readTyped(data []byte) (raw json.RawMessage, word string, err error) {
	var t typedJSON
	if err := unmarshal(data, &t); err != nil {
		return nil, "", err
	}
	return t.Value, t.Type, nil
}

// unmarshal is json.Unmarshal that takes no unknown members and no bytes that
// are not UTF-8, which encoding/json would replace. The error wraps ErrInvalid.
func unmarshal(data []byte, to any) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("json %s: %w: not UTF-8", brief(string(data)), ErrInvalid)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil && len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		err = errors.New("more than one value")
	}
	if err != nil {
		return fmt.Errorf("json %s: %w: %w", brief(string(data)), ErrInvalid, err)
	}
	return nil
}

func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

// appendJSONString appends s, which is UTF-8, as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string into a buffer: cannot fail
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
