// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"iter"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Get implements dict.Store.
func (s *Store) Get(name string, key dict.Key) (row dict.Row, err error) {
	err = s.with("get", name, func(t *table) error {
		k, err := t.schema.CheckKey("get", key)
		if err != nil {
			return err
		}
		found := false
		row, found, err = s.get(t, k)
		if err == nil && !found {
			return t.at("get", k, "", &refusal{errno: unix.ENOENT})
		}
		if err != nil {
			return t.at("get", k, "", err)
		}
		return nil
	})
	if err != nil {
		return dict.Row{}, err
	}
	return row, nil
}

// get asks for a row.
func (s *Store) get(t *table, key dict.Key) (row dict.Row, found bool, err error) {
	b := newBuilder()
	b.of(t)
	at := b.nest(attrRow)
	b.key(key)
	b.end(at)
	err = s.pool.use(func(c *conn) error {
		d := decoder{s, t}
		return c.do(cmdRowGet, b.buf, func(b []byte) error {
			return d.eachRow(b, func(r dict.Row) error {
				row, found = r, true
				return nil
			})
		})
	})
	return row, found, err
}

// Rows implements dict.Store. The module tells every row once that is there
// from the beginning to the end, also where it says that others changed.
func (s *Store) Rows(name string) iter.Seq2[dict.Row, error] {
	return func(yield func(dict.Row, error) bool) {
		told, stopped := false, false
		err := s.with("list", name, func(t *table) error {
			b := newBuilder()
			b.of(t)
			d := decoder{s, t}
			err := s.pool.use(func(c *conn) error {
				_, err := c.dump(cmdRowGet, b.buf, func(b []byte) error {
					return d.eachRow(b, func(r dict.Row) error {
						told = true
						if !yield(r, nil) {
							stopped = true
							return errStopped
						}
						return nil
					})
				})
				return err
			})
			if err == nil || stopped {
				return nil
			}
			err = &dict.At{Op: "list", Table: t.schema.Name, Err: err}
			if told {
				// It cannot be begun again: the caller has had rows.
				yield(dict.Row{}, err)
				stopped = true
				return nil
			}
			return err
		})
		if err != nil && !stopped {
			yield(dict.Row{}, err)
		}
	}
}

// errStopped ends a listing that the caller has seen enough of.
var errStopped = errors.New("the caller has seen enough")
