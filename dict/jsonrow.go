// SPDX-License-Identifier: MIT

package dict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// rowJSON is a row: {"key":5,"ttl":60,"cells":{"application":"NETFLIX"}}.
// ttl is in seconds and left out for a row without end.
type rowJSON struct {
	Key   json.RawMessage `json:"key"`
	TTL   int64           `json:"ttl"`
	Cells json.RawMessage `json:"cells"`
}

// MarshalJSON returns the row for a reader without the schema: the key with
// its type, and each value too unless JSON itself tells its type (true and
// false are bool, a string is long_string). Cells keep their order.
func (r Row) MarshalJSON() ([]byte, error) {
	k, err := r.Key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return appendRowJSON(nil, k, r, nil), nil
}

// UnmarshalJSON reads what MarshalJSON writes. The error names the field and
// wraps ErrInvalid, ErrType, ErrRange or ErrTooLong.
func (r *Row) UnmarshalJSON(data []byte) error {
	row, err := parseRowJSON(data, func(raw []byte) (k Key, err error) { return k, k.UnmarshalJSON(raw) }, nil)
	if err == nil {
		*r = row
	}
	return err
}

// AppendRowJSON appends the row for a reader who has the schema: key and
// values plain, in an Open table values as Row.MarshalJSON writes them.
func (t *Table) AppendRowJSON(b []byte, r Row) []byte {
	return appendRowJSON(b, r.Key.appendJSON(nil), r, t)
}

// ParseRowJSON reads what AppendRowJSON writes; it takes values with their
// type everywhere. The row is as Put takes it, checked by CheckRow. The error
// names the table, key and field and wraps ErrNotExist, ErrInvalid, ErrType,
// ErrRange or ErrTooLong.
func (t *Table) ParseRowJSON(data []byte) (Row, error) {
	r, err := parseRowJSON(data, func(raw []byte) (Key, error) { return parseKeyJSON(t.Key, raw) }, t)
	if err != nil {
		return Row{}, &At{Op: "row", Table: t.Name, Err: err}
	}
	return t.CheckRow("row", r)
}

// appendRowJSON appends a row; a nil table is one without a schema.
func appendRowJSON(b, key []byte, r Row, t *Table) []byte {
	b = append(append(b, `{"key":`...), key...)
	if r.TTL != 0 {
		b = append(b, `,"ttl":`...)
		b = strconv.AppendInt(b, int64(r.TTL/time.Second), 10)
	}
	b = append(b, `,"cells":{`...)
	for i, c := range r.Cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, c.Field), ':')
		plain := t != nil && !t.Open || c.Value.typ == Bool || c.Value.typ == String || c.Value.typ == 0
		if plain {
			b = c.Value.appendJSON(b)
			continue
		}
		b = append(append(append(b, `{"type":"`...), c.Value.typ.String()...), `","value":`...)
		b = append(c.Value.appendJSON(b), '}')
	}
	return append(b, "}}"...)
}

// parseRowJSON reads a row; a nil table is one without a schema.
func parseRowJSON(data []byte, key func([]byte) (Key, error), t *Table) (Row, error) {
	var j rowJSON
	if err := unmarshal(data, &j); err != nil {
		return Row{}, err
	}
	var r Row
	var err error
	if len(j.Key) == 0 {
		return Row{}, fmt.Errorf("row: %w: no key", ErrInvalid)
	}
	if r.Key, err = key(j.Key); err != nil {
		return Row{}, err
	}
	if j.TTL < 0 || j.TTL > int64(MaxTTL/time.Second) {
		return Row{}, fmt.Errorf("ttl %d: %w: want 0 to %d seconds", j.TTL, ErrRange, int64(MaxTTL/time.Second))
	}
	r.TTL = time.Duration(j.TTL) * time.Second
	if len(j.Cells) == 0 {
		return r, nil
	}
	d := json.NewDecoder(bytes.NewReader(j.Cells))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return Row{}, fmt.Errorf("cells %s: %w: want an object", brief(string(j.Cells)), ErrInvalid)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return Row{}, fmt.Errorf("cells: %w: %w", ErrInvalid, err)
		}
		field, _ := name.(string)
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return Row{}, fmt.Errorf("cells: %w: %w", ErrInvalid, err)
		}
		v, err := parseCellJSON(t, field, raw)
		if err != nil {
			return Row{}, &At{Key: r.Key.Text(), Field: field, Err: err}
		}
		r.Cells = append(r.Cells, Cell{Field: field, Value: v})
	}
	return r, nil
}

// parseCellJSON reads one value, with its type or plain.
func parseCellJSON(t *Table, field string, raw []byte) (Value, error) {
	switch {
	case isNull(raw):
		return Value{}, nil
	case raw[0] == '{':
		var v Value
		err := v.UnmarshalJSON(raw)
		return v, err
	case t != nil && !t.Open:
		i := t.Index(field)
		if i < 0 {
			return Value{}, ErrNotExist
		}
		return parseValueJSON(t.Fields[i].Type, raw)
	case raw[0] == '"':
		return parseValueJSON(String, raw)
	case raw[0] == 't' || raw[0] == 'f':
		return parseValueJSON(Bool, raw)
	}
	return Value{}, fmt.Errorf(`value %s: %w: want {"type":"int","value":5}`, brief(string(raw)), ErrType)
}
