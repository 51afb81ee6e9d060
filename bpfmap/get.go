// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"fmt"
	"iter"
	"unsafe"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Get implements dict.Store.
func (s *Store) Get(table string, key dict.Key) (dict.Row, error) {
	t, err := s.table("get", table)
	if err != nil {
		return dict.Row{}, err
	}
	if key, err = t.schema.CheckKey("get", key); err != nil {
		return dict.Row{}, err
	}
	var row dict.Row
	err = t.work(func() error {
		q := &t.area.Row[0]
		t.address(q, key)
		q.Verb = verbGet
		if err := t.do(1); err != nil {
			return err
		}
		q, err := t.again(0)
		if err != nil {
			return err
		}
		if err := answer(q); err != nil {
			return err
		}
		row, err = t.decode(q, key)
		return err
	})
	if err != nil {
		return dict.Row{}, t.at("get", key, "", err)
	}
	return row, nil
}

// answer returns what the writer says to a request.
func answer(q *writerRowReq) error {
	switch errno := unix.Errno(-q.Error); {
	case q.Error == 0:
		return nil
	case errno == unix.ENOENT:
		return dict.ErrNotExist
	default:
		return explain("writer", errno)
	}
}

// decode returns the row that an answered request holds, cells in the order of
// the schema.
func (t *table) decode(q *writerRowReq, key dict.Key) (dict.Row, error) {
	row := dict.Row{Key: key, TTL: left(q.Row.Row.Word)}
	if q.Count > 0 {
		row.Cells = make([]dict.Cell, 0, q.Count)
	}
	for i := range q.Count {
		c := &t.area.Cell[q.First+i]
		if int(c.Field) >= len(t.schema.Fields) {
			continue // newer than the schema we know
		}
		v, err := c.decode()
		if err != nil {
			return dict.Row{}, err
		}
		row.Cells = append(row.Cells, dict.Cell{Field: t.schema.Fields[c.Field].Name, Value: v})
	}
	return row, nil
}

// Rows implements dict.Store.
func (s *Store) Rows(table string) iter.Seq2[dict.Row, error] {
	return func(yield func(dict.Row, error) bool) {
		t, err := s.table("list", table)
		if err != nil {
			yield(dict.Row{}, err)
			return
		}
		fail := func(err error) { yield(dict.Row{}, &dict.At{Op: "list", Table: t.schema.Name, Err: err}) }
		var b *batch
		for {
			var keys []dict.Key
			var raw []byte
			err := t.work(func() (err error) {
				if b == nil {
					b = newBatch(t.maps.rows, areaRows)
				}
				keys, raw, err = t.keys(b)
				return err
			})
			if err != nil {
				fail(err)
				return
			}
			if len(keys) == 0 {
				return
			}
			for len(keys) > 0 {
				var rows []dict.Row
				n := 0
				err := t.work(func() (err error) {
					rows, n, err = t.getSome(keys, raw)
					return err
				})
				if err != nil {
					fail(err)
					return
				}
				for _, r := range rows {
					if !yield(r, nil) {
						return
					}
				}
				keys, raw = keys[n:], raw[n*keySize:]
			}
		}
	}
}

// keys returns the keys of the next rows alive, decoded and raw, keySize bytes
// each. None is the end.
func (t *table) keys(b *batch) ([]dict.Key, []byte, error) {
	for {
		n, err := b.next()
		if n == 0 || err != nil {
			return nil, nil, err
		}
		keys := make([]dict.Key, 0, n)
		raw := make([]byte, 0, n*keySize)
		now := tick()
		for i := range n {
			if !isAlive(binary.NativeEndian.Uint64(b.value(i)), now) {
				continue
			}
			k, err := decodeKey(t.schema.Key, b.key(i), nameOf(b.value(i)))
			if err != nil {
				return nil, nil, fmt.Errorf("stored key: %w", err)
			}
			keys = append(keys, k)
			var r rawKey
			copy(r[:], b.key(i))
			raw = append(raw, r[:]...)
		}
		if len(keys) > 0 {
			return keys, raw, nil
		}
	}
}

// nameOf returns the key's text from the value of a row, "" where keys are no
// strings.
func nameOf(value []byte) string {
	const size, begin = unsafe.Offsetof(writerNamedRow{}.Len), unsafe.Offsetof(writerNamedRow{}.Name)
	if len(value) < int(unsafe.Sizeof(writerNamedRow{})) {
		return ""
	}
	n := min(binary.NativeEndian.Uint32(value[size:]), dict.MaxString)
	return string(value[begin : begin+uintptr(n)])
}

// getSome reads rows, as many as fit the area, and returns those still there
// and how many keys it went through.
func (t *table) getSome(keys []dict.Key, raw []byte) ([]dict.Row, int, error) {
	n := min(len(keys), areaRows)
	for i := range n {
		q := &t.area.Row[i]
		copy(q.Key[:], raw[i*keySize:])
		q.Lock = (*rawKey)(&q.Key).lock()
		q.Verb = verbGet
	}
	if err := t.do(n); err != nil {
		return nil, 0, err
	}
	rows := make([]dict.Row, 0, n)
	for i := range n {
		q := &t.area.Row[i]
		switch errno := unix.Errno(-q.Error); {
		case q.Error == 0:
			row, err := t.decode(q, keys[i])
			if err != nil {
				return nil, 0, err
			}
			rows = append(rows, row)
		case errno == unix.ENOENT:
		case errno == unix.ENOSPC && i > 0:
			return rows, i, nil
		case isAgain(errno) && i > 0:
			return rows, i, nil
		case isAgain(errno):
			q, err := t.again(0)
			if err != nil {
				return nil, 0, err
			}
			if q.Error == 0 {
				row, err := t.decode(q, keys[0])
				return append(rows, row), 1, err
			}
			if err := answer(q); err != dict.ErrNotExist {
				return nil, 0, err
			}
			return rows, 1, nil
		default:
			return nil, 0, answer(q)
		}
	}
	return rows, n, nil
}
