// SPDX-License-Identifier: MIT

package dict

import (
	"encoding/json"
	"fmt"
	"time"
)

// tableJSON is a schema. timeout is in seconds, 0 for rows without end.
type tableJSON struct {
	Name    string      `json:"name"`
	Key     KeyType     `json:"key"`
	Limit   int         `json:"limit,omitempty"`
	Timeout int64       `json:"timeout,omitempty"`
	Bound   bool        `json:"bound,omitempty"`
	Open    bool        `json:"open,omitempty"`
	Fields  []fieldJSON `json:"fields"`
}

// fieldJSON is the schema of a field. Its type is left out in open tables.
type fieldJSON struct {
	Name    string          `json:"name"`
	Type    *Type           `json:"type,omitempty"`
	Default json.RawMessage `json:"default,omitempty"`
	Aliases []string        `json:"aliases,omitempty"`
}

// MarshalJSON returns the schema, fields in order, defaults plain.
func (t Table) MarshalJSON() ([]byte, error) {
	j := tableJSON{Name: t.Name, Key: t.Key, Limit: t.Limit, Timeout: int64(t.Timeout / time.Second), Bound: t.Bound, Open: t.Open, Fields: []fieldJSON{}}
	for _, f := range t.Fields {
		jf := fieldJSON{Name: f.Name, Aliases: f.Aliases}
		if f.Type != 0 {
			jf.Type = &f.Type
		}
		if !f.Default.IsZero() {
			jf.Default = f.Default.appendJSON(nil)
		}
		j.Fields = append(j.Fields, jf)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes, checked and in canonical form
// as Normal returns it. The error wraps what Normal's does.
func (t *Table) UnmarshalJSON(data []byte) error {
	var j tableJSON
	if err := unmarshal(data, &j); err != nil {
		return err
	}
	if j.Timeout < 0 || j.Timeout > int64(MaxTTL/time.Second) {
		return &At{Op: "table", Table: j.Name, Err: fmt.Errorf("timeout %d: %w: want 0 to %d seconds", j.Timeout, ErrRange, int64(MaxTTL/time.Second))}
	}
	out := Table{Name: j.Name, Key: j.Key, Limit: j.Limit, Timeout: time.Duration(j.Timeout) * time.Second, Bound: j.Bound, Open: j.Open}
	for _, jf := range j.Fields {
		f := Field{Name: jf.Name, Aliases: jf.Aliases}
		if jf.Type != nil {
			f.Type = *jf.Type
		}
		if len(jf.Default) > 0 && !isNull(jf.Default) {
			v, err := parseValueJSON(f.Type, jf.Default)
			if err != nil {
				return &At{Op: "table", Table: j.Name, Field: jf.Name, Err: err}
			}
			f.Default = v
		}
		out.Fields = append(out.Fields, f)
	}
	n, err := out.Normal()
	if err == nil {
		*t = n
	}
	return err
}

// MarshalText returns the type's word. The error wraps ErrInvalid.
func (t Type) MarshalText() ([]byte, error) {
	if !t.Valid() {
		return nil, fmt.Errorf("%s: %w", t, ErrInvalid)
	}
	return []byte(t.String()), nil
}

// UnmarshalText is ParseType.
func (t *Type) UnmarshalText(word []byte) (err error) {
	*t, err = ParseType(string(word))
	return err
}

// MarshalText returns the key type's word. The error wraps ErrInvalid.
func (t KeyType) MarshalText() ([]byte, error) {
	if !t.Valid() {
		return nil, fmt.Errorf("%s: %w", t, ErrInvalid)
	}
	return []byte(t.String()), nil
}

// UnmarshalText is ParseKeyType.
func (t *KeyType) UnmarshalText(word []byte) (err error) {
	*t, err = ParseKeyType(string(word))
	return err
}

// String returns "set" or "deleted".
func (k ChangeKind) String() string {
	if k == Deleted {
		return "deleted"
	}
	return "set"
}

// MarshalText returns the kind's word.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's word. The error wraps ErrInvalid.
func (k *ChangeKind) UnmarshalText(word []byte) error {
	switch string(word) {
	case "set":
		*k = Set
	case "deleted":
		*k = Deleted
	default:
		return fmt.Errorf("kind of change %s: %w: want set or deleted", brief(string(word)), ErrInvalid)
	}
	return nil
}
