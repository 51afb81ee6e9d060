// SPDX-License-Identifier: MIT

package genl

import (
	"time"

	"nftdict/dict"
)

// Delete implements dict.Store.
func (s *Store) Delete(name string, key dict.Key, fields ...string) error {
	return s.with("delete", name, func(t *table) error {
		k, err := t.schema.CheckKey("delete", key)
		if err != nil {
			return err
		}
		b := newBuilder()
		b.of(t)
		row := b.nest(attrRow)
		b.key(k)
		for _, f := range fields {
			index, ok := t.fields[dict.Name(f)]
			if !ok {
				return t.at("delete", k, f, dict.ErrNotExist)
			}
			cell := b.nest(rowCell)
			b.uint32(cellField, uint32(index))
			b.end(cell)
		}
		b.end(row)
		_, refused, err := s.answer(cmdRowDel, b)
		if err == nil && refused != nil {
			err = refused
		}
		if err != nil {
			return t.at("delete", k, s.missing(t, k, fields, refused), err)
		}
		return nil
	})
}

// missing returns which of the fields a row lacks of which the module refused
// to delete them, "" if it lacks none or is not there.
func (s *Store) missing(t *table, key dict.Key, fields []string, refused *refusal) string {
	if refused == nil || len(fields) == 0 {
		return ""
	}
	row, found, err := s.get(t, key)
	if !found || err != nil {
		return ""
	}
	for _, f := range fields {
		if _, ok := row.Get(t.schema.Fields[t.fields[dict.Name(f)]].Name); !ok {
			return f
		}
	}
	return ""
}

// answer sends a request about rows and returns how many it dealt with and the
// last refusal of one, if there was any.
func (s *Store) answer(command uint8, b *builder) (count int, refused *refusal, err error) {
	err = s.pool.use(func(c *conn) error {
		return c.do(command, b.buf, func(b []byte) error {
			err := each(b, func(a attr) error {
				if a.typ != attrCount {
					return nil
				}
				n, err := a.uint32()
				count += int(n)
				return err
			})
			if err != nil {
				return err
			}
			return eachRefusal(b, func(_ uint32, r *refusal) error {
				refused = r
				return nil
			})
		})
	})
	return count, refused, err
}

// Renew implements dict.Store.
func (s *Store) Renew(name string, ttl time.Duration, keys ...dict.Key) (renewed int, err error) {
	err = s.with("renew", name, func(t *table) error {
		// A row of a Bound table lives as long as its connection: the lease that
		// Life tells of is not needed.
		if _, err := t.schema.Life("renew", ttl); err != nil {
			return err
		}
		for _, k := range keys {
			if _, err := t.schema.CheckKey("renew", k); err != nil {
				return err
			}
		}
		b := newBuilder()
		for len(keys) > 0 {
			b.reset()
			b.of(t)
			n := 0
			for ; n < len(keys) && n < maxRows && len(b.buf) < requestSize; n++ {
				k, err := t.schema.CheckKey("renew", keys[n])
				if err != nil {
					return err
				}
				row := b.nest(attrRow)
				b.key(k)
				b.ttl(ttl)
				b.end(row)
			}
			count, refused, err := s.answer(cmdRowRenew, b)
			renewed += count
			if err == nil && refused != nil {
				err = refused
			}
			if err != nil {
				return &dict.At{Op: "renew", Table: t.schema.Name, Err: err}
			}
			keys = keys[n:]
		}
		return nil
	})
	return renewed, err
}

// Flush implements dict.Flusher.
func (s *Store) Flush(name string) (n int, err error) {
	err = s.with("flush", name, func(t *table) error {
		b := newBuilder()
		b.of(t)
		count, _, err := s.answer(cmdFlush, b)
		n = count
		if err != nil {
			return &dict.At{Op: "flush", Table: t.schema.Name, Err: err}
		}
		return nil
	})
	return n, err
}
