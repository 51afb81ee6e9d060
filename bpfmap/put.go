// SPDX-License-Identifier: MIT

package bpfmap

import (
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Put implements dict.Store.
func (s *Store) Put(table string, rows ...dict.Row) error {
	t, err := s.table("set", table)
	if err != nil {
		return err
	}
	var errs []error
	if t.schema.Open {
		if t, rows, err = s.grown(t, rows, &errs); err != nil {
			return err
		}
	}
	err = t.work(func() error {
		for len(rows) > 0 {
			n, err := t.putSome(rows, &errs)
			if err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
	if err != nil {
		return &dict.At{Op: "set", Table: t.schema.Name, Err: err}
	}
	return join(errs)
}

// putSome puts as many rows as fit one run and returns how many it took; what
// was refused it adds to errs.
func (t *table) putSome(rows []dict.Row, errs *[]error) (int, error) {
	var place [areaRows]int // index in rows of each request
	var full []int
	requests, cells, taken := 0, 0, 0
	for i := range rows {
		r := &rows[i]
		if requests == areaRows || cells+len(r.Cells) > areaCells && cells > 0 {
			break
		}
		taken++
		q := &t.area.Row[requests]
		n, ok := t.encode(q, cells, r)
		if !ok {
			// The slow way finds what is wrong, or what the fast one leaves out.
			checked, err := t.schema.CheckRow("set", *r)
			if err == nil {
				_, err = t.schema.Life("set", r.TTL)
			}
			if err != nil {
				*errs = append(*errs, err)
				continue
			}
			if n, ok = t.encode(q, cells, &checked); !ok {
				*errs = append(*errs, t.at("set", r.Key, "", dict.ErrInvalid))
				continue
			}
		}
		place[requests] = i
		requests++
		cells += n
	}
	if requests == 0 {
		return taken, nil
	}
	if err := t.do(requests); err != nil {
		return taken, err
	}
	for i := range requests {
		q := &t.area.Row[i]
		if q.Error == 0 {
			continue
		}
		q, err := t.again(i)
		if err != nil {
			return taken, err
		}
		switch errno := unix.Errno(-q.Error); {
		case q.Error == 0:
		case errno == unix.E2BIG:
			full = append(full, place[i])
		default:
			*errs = append(*errs, t.at("set", rows[place[i]].Key, "", explain("store", errno)))
		}
	}
	return taken, t.putFull(rows, full, errs)
}

// putFull tries the rows again that found no place, after those that expired
// made some.
func (t *table) putFull(rows []dict.Row, full []int, errs *[]error) error {
	if len(full) == 0 {
		return nil
	}
	made, err := t.makeRoom()
	if err != nil {
		return err
	}
	for _, i := range full {
		q := &t.area.Row[0]
		q.Error = -int32(unix.E2BIG)
		if made > 0 {
			r, err := t.schema.CheckRow("set", rows[i])
			if err != nil {
				return err
			}
			t.encode(q, 0, &r)
			if err := t.do(1); err != nil {
				return err
			}
			if q, err = t.again(0); err != nil {
				return err
			}
		}
		if q.Error != 0 {
			t.refuse()
			*errs = append(*errs, t.at("set", rows[i].Key, "", dict.ErrFull))
		}
	}
	return nil
}

// encode writes the request to put a row; its cells are those from first on.
// It returns how many there are, and false for whatever is not plain.
func (t *table) encode(q *writerRowReq, first int, r *dict.Row) (int, bool) {
	life, ok := t.life(r.TTL)
	if !ok || !t.address(q, r.Key) || len(r.Cells) > areaCells-first {
		return 0, false
	}
	fields := [4]uint64{}
	for i := range r.Cells {
		cell := &r.Cells[i]
		index, known := t.fields[dict.Name(cell.Field)]
		v := cell.Value
		if !known || fields[index/64]&(1<<(index%64)) != 0 {
			return 0, false
		}
		if v.IsZero() {
			return 0, false
		}
		if !t.schema.Open {
			if want := t.schema.Fields[index].Type; v.Type() != want {
				var err error
				if v, err = v.Convert(want); err != nil {
					return 0, false
				}
			}
		}
		fields[index/64] |= 1 << (index % 64)
		t.area.Cell[first+i].encode(index, v, t.secret)
	}
	q.Verb = verbPut
	q.Life = uint64(life)
	q.First, q.Count = uint32(first), uint32(len(r.Cells))
	q.Row.Row.Fields = fields
	return len(r.Cells), true
}

// address writes the row's key into a request, false if it is no key of the
// table.
func (t *table) address(q *writerRowReq, k dict.Key) bool {
	if k.Type() != t.schema.Key {
		var err error
		if k, err = k.Convert(t.schema.Key); err != nil {
			return false
		}
	}
	key := (*rawKey)(&q.Key)
	key.encode(k, t.secret)
	q.Lock = key.lock()
	if t.schema.Key == dict.KeyString {
		q.Row.Len = uint32(len(k.Str()))
		clear(q.Row.Name[copy(q.Row.Name[:], k.Str()):])
	}
	return true
}

// life returns how long a row lives that is put or renewed with ttl.
func (t *table) life(ttl time.Duration) (time.Duration, bool) {
	life, err := t.schema.Life("", ttl)
	return life, err == nil
}
