// SPDX-License-Identifier: MIT

package bpfmap

import (
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Delete implements dict.Store.
func (s *Store) Delete(table string, key dict.Key, fields ...string) error {
	t, err := s.table("delete", table)
	if err != nil {
		return err
	}
	if key, err = t.schema.CheckKey("delete", key); err != nil {
		return err
	}
	var indexes []int
	for _, name := range fields {
		i, ok := t.fields[dict.Name(name)]
		if !ok {
			return t.at("delete", key, name, dict.ErrNotExist)
		}
		indexes = append(indexes, i)
	}
	var field string
	err = t.work(func() error {
		q := &t.area.Row[0]
		t.address(q, key)
		q.Verb = verbDelete
		if len(indexes) > 0 {
			q.Verb = verbUnset
			q.First, q.Count = 0, uint32(min(len(indexes), areaCells))
			for i, index := range indexes[:q.Count] {
				t.area.Cell[i].Field, t.area.Cell[i].State = uint32(index), 0
			}
		}
		if err := t.do(1); err != nil {
			return err
		}
		q, err := t.again(0)
		if err != nil {
			return err
		}
		if q.Error == -int32(unix.ENOENT) && q.Verb == verbUnset {
			for i := range q.Count {
				if t.area.Cell[i].State != 0 { // the writer marks the one it missed
					field = fields[i]
				}
			}
		}
		return answer(q)
	})
	if err != nil {
		return t.at("delete", key, field, err)
	}
	return nil
}

// Renew implements dict.Store.
func (s *Store) Renew(table string, ttl time.Duration, keys ...dict.Key) (int, error) {
	t, err := s.table("renew", table)
	if err != nil {
		return 0, err
	}
	life, err := t.schema.Life("renew", ttl)
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		if _, err := t.schema.CheckKey("renew", k); err != nil {
			return 0, err
		}
	}
	renewed := 0
	err = t.work(func() error {
		for len(keys) > 0 {
			n := min(len(keys), areaRows)
			for i, k := range keys[:n] {
				q := &t.area.Row[i]
				t.address(q, k)
				q.Verb, q.Life = verbRenew, uint64(life)
			}
			if err := t.do(n); err != nil {
				return err
			}
			for i := range n {
				q, err := t.again(i)
				if err != nil {
					return err
				}
				switch err := answer(q); err {
				case nil:
					renewed++
				case dict.ErrNotExist:
				default:
					return err
				}
			}
			keys = keys[n:]
		}
		return nil
	})
	if err != nil {
		return renewed, &dict.At{Op: "renew", Table: t.schema.Name, Err: err}
	}
	return renewed, nil
}
