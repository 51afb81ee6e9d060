// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"

	"nftdict/dict"
)

// AddTable implements dict.Store.
func (s *Store) AddTable(t dict.Table) error {
	t, err := t.Normal()
	if err != nil {
		return &dict.At{Op: "table add", Err: err}
	}
	b := newBuilder()
	b.schema(t)
	if err := s.admin(cmdTableNew, b); err != nil {
		return &dict.At{Op: "table add", Table: t.Name, Err: err}
	}
	return nil
}

// AddFields implements dict.Store.
func (s *Store) AddFields(name string, fields ...dict.Field) error {
	// Of fields that are refused the schema tells why; the module decides.
	return s.with("field add", name, func(t *table) error {
		next, err := t.schema.With(fields...)
		if err != nil {
			return &dict.At{Op: "field add", Err: err}
		}
		added := next.Fields[len(t.schema.Fields):]
		if len(added) == 0 {
			return nil
		}
		b := newBuilder()
		b.of(t)
		b.fields(added)
		if err := s.admin(cmdFieldNew, b); err != nil {
			at := &dict.At{Op: "field add", Table: t.schema.Name, Err: err}
			if len(added) == 1 {
				at.Field = added[0].Name
			}
			return at
		}
		_, err = s.ask(name)
		return err
	})
}

// DeleteTable implements dict.Store. Whatever bears the name now is deleted.
func (s *Store) DeleteTable(name string) error {
	at := func(err error) error { return &dict.At{Op: "table delete", Table: name, Err: err} }
	if _, err := dict.CheckName(name); err != nil {
		return at(dict.ErrNotExist)
	}
	b := newBuilder()
	b.text(attrTable, dict.Name(name))
	err := s.admin(cmdTableDel, b)
	if errors.Is(err, dict.ErrBusy) && s.ns != nil {
		if rule := s.ns.held(dict.Name(name)); rule != "" {
			err = fmt.Errorf("%w: by %s", err, rule)
		}
	}
	if err != nil {
		return at(err)
	}
	return nil
}

// admin sends a request that nothing but the acknowledgement answers.
func (s *Store) admin(command uint8, b *builder) error {
	return s.pool.use(func(c *conn) error { return c.do(command, b.buf, nil) })
}

// of appends which table a request is about. Another one of the same name is
// refused as ESTALE.
func (b *builder) of(t *table) {
	b.text(attrTable, t.schema.Name)
	b.uint32(attrTableID, t.id)
}
