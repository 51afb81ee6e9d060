// SPDX-License-Identifier: MIT

package nftext

import (
	"errors"
	"fmt"

	"nftdict/dict"
)

// DefaultTable is the open table that a term without TABLE means.
const DefaultTable = "None"

// Schema finds tables by name in any spelling and returns them in normal form;
// every dict.Store is one. A table that is not there is an error that wraps
// dict.ErrNotExist.
type Schema interface {
	Table(name string) (dict.Table, error)
}

// Bind checks a term against the schema. The result is a *Condition, *Write,
// *Drop or *Load. The error names table, key and field and wraps a sentinel of package
// dict, ErrType where the types are at fault.
func Bind(t Term, schema Schema) (Bound, error) {
	b := binder{schema}
	switch t := t.(type) {
	case *Match:
		return b.match(t)
	case *Assign:
		return b.assign(t)
	case *Value:
		return b.value(t)
	case *Flush:
		table, key, err := b.row(&t.Table, &t.Key)
		if err != nil {
			return nil, err
		}
		return &Drop{Table: table, Key: key, term: t}, nil
	}
	return nil, fmt.Errorf("dict term %T: %w", t, dict.ErrInvalid)
}

type binder struct{ schema Schema }

// row resolves `[TABLE] KEY`.
func (b binder) row(name *string, key *KeyExpr) (dict.Table, KeyRef, error) {
	t, err := b.table(*name)
	if err != nil {
		return dict.Table{}, KeyRef{}, about(name, err)
	}
	ref, err := b.key(&t, key)
	if err != nil {
		return dict.Table{}, KeyRef{}, &dict.At{Op: "dict", Table: t.Name, Err: err}
	}
	return t, ref, nil
}

func (b binder) table(name string) (dict.Table, error) {
	omitted := name == ""
	if omitted {
		name = DefaultTable
	}
	t, err := b.schema.Table(name)
	switch {
	case err == nil:
		return t, nil
	case !errors.Is(err, dict.ErrNotExist):
		return t, err
	case omitted:
		return t, fmt.Errorf("dict: no table is named, and the open table %s, which that means, %w", DefaultTable, dict.ErrNotExist)
	}
	return t, fmt.Errorf("dict: table %s: %w", dict.Quote(name), dict.ErrNotExist)
}

// key resolves what yields the key of a row of t.
func (b binder) key(t *dict.Table, k *KeyExpr) (KeyRef, error) {
	if k.Nested == nil {
		if !k.Selector.Fits(t.Key) {
			return KeyRef{}, about(k, fmt.Errorf("key %s: %w: it yields %s, the keys are %s%s",
				k.Selector, dict.ErrType, k.Selector.Key(), t.Key, keyRemedy(t.Key)))
		}
		return KeyRef{Selector: k.Selector}, nil
	}
	ref, declared, err := b.lookup(k.Nested)
	if err != nil {
		return KeyRef{}, err
	}
	if ref.Type = keyValue(t.Key, declared); ref.Type == 0 {
		err := fmt.Errorf("key dict %s: %w: it yields %s, the keys are %s%s", k.Nested, dict.ErrType, declared, t.Key, keyRemedy(t.Key))
		if declared == 0 {
			err = fmt.Errorf("key dict %s: %w: table %s is open, write int or int64 behind the field", k.Nested, dict.ErrType, ref.Table.Name)
		}
		return KeyRef{}, about(&k.Nested.Field, err)
	}
	ref.restrictDefault()
	return KeyRef{Nested: ref}, nil
}

// keyValue returns the type that values have to be of to be keys of type k,
// where the field is declared as t: 0 if they cannot be, or if that is not
// known of an open table's field (t is 0).
func keyValue(k dict.KeyType, t dict.Type) dict.Type {
	var want dict.Type
	switch k {
	case dict.KeyString:
		want = dict.String
	case dict.KeyEther:
		want = dict.Ether
	case dict.KeyIPv4:
		want = dict.IPv4
	case dict.KeyIPv6:
		want = dict.IPv6
	case dict.KeyAddress:
		if want = dict.Address; want.Accepts(t) {
			want = t
		}
	case dict.KeyMark, dict.KeyInt:
		if t == dict.Int || t == dict.Int64 {
			want = t
		}
	}
	if t == want || t == 0 || t == dict.Address && t.Accepts(want) {
		return want
	}
	return 0
}

// keyRemedy says which selectors yield keys of type t.
func keyRemedy(t dict.KeyType) string {
	text := ""
	for _, s := range Selectors() {
		if s.Fits(t) {
			if text != "" {
				text += ", "
			}
			text += s.String()
		}
	}
	if t == dict.KeyString {
		text = "the word dict and a string field of another table"
	}
	return ", as of " + text
}

// lookup resolves all but the type of a Lookup. It returns the type as
// written, else as declared, 0 if neither is: then the table is open.
func (b binder) lookup(l *Lookup) (*Ref, dict.Type, error) {
	table, key, err := b.row(&l.Table, &l.Key)
	if err != nil {
		return nil, 0, err
	}
	fail := func(err error) (*Ref, dict.Type, error) {
		return nil, 0, fieldError(&table, l, err)
	}
	ref := &Ref{Table: table, Key: key}
	i := table.Index(l.Field)
	switch {
	case i >= 0:
		f := table.Fields[i]
		ref.Field, ref.Type, ref.Default = f.Name, f.Type, f.Default
	case !table.Open:
		return fail(fmt.Errorf("%w%s", dict.ErrNotExist, suggest(&table, l.Field)))
	default:
		if ref.Field, err = dict.CheckName(l.Field); err != nil {
			return fail(err)
		}
	}
	if l.Type == 0 {
		return ref, ref.Type, nil
	}
	if ref.Type != 0 && ref.Type != l.Type && !ref.Type.Accepts(l.Type) {
		return fail(fmt.Errorf("%w: it is %s, not %s", dict.ErrType, ref.Type, l.Type))
	}
	return ref, l.Type, nil
}

// restrictDefault drops a default that is not of the type asked for.
func (r *Ref) restrictDefault() {
	if !r.Default.IsZero() && r.Type != r.Default.Type() && !r.Type.Accepts(r.Default.Type()) {
		r.Default = dict.Value{}
	}
}

// fieldError returns err as one about the field of a lookup, or about the part
// that it is already about.
func fieldError(t *dict.Table, l *Lookup, err error) error {
	return &dict.At{Op: "dict", Table: t.Name, Key: l.Key.String(), Field: l.Field, Err: about(&l.Field, err)}
}
