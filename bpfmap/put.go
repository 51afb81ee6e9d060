// SPDX-License-Identifier: MIT

package bpfmap

import (
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// writeOp is a way to write rows, as errors name it.
type writeOp string

const (
	opSet writeOp = "set"
	opAdd writeOp = "add"
)

// Put implements dict.Store.
func (s *Store) Put(table string, rows ...dict.Row) error { return s.write(opSet, table, rows) }

// Add implements dict.Store.
func (s *Store) Add(table string, rows ...dict.Row) error { return s.write(opAdd, table, rows) }

// check returns the row as the table takes it.
func (op writeOp) check(t *table, r dict.Row) (dict.Row, error) {
	if op == opAdd {
		return t.schema.CheckAmounts(string(op), r)
	}
	return t.schema.CheckRow(string(op), r)
}

// verb is what the writer is to do.
func (op writeOp) verb() uint32 {
	if op == opAdd {
		return verbAdd
	}
	return verbPut
}

// write puts rows or adds to them.
func (s *Store) write(op writeOp, table string, rows []dict.Row) error {
	t, err := s.table(string(op), table)
	if err != nil {
		return err
	}
	var errs []error
	if t.schema.Open {
		if t, rows, err = s.grown(op, t, rows, &errs); err != nil {
			return err
		}
	}
	err = t.work(func() error {
		for len(rows) > 0 {
			n, err := t.writeSome(op, rows, &errs)
			if err != nil {
				return err
			}
			rows = rows[n:]
		}
		return nil
	})
	if err != nil {
		return &dict.At{Op: string(op), Table: t.schema.Name, Err: err}
	}
	return join(errs)
}

// writeSome writes as many rows as fit one run and returns how many it took;
// what was refused it adds to errs.
func (t *table) writeSome(op writeOp, rows []dict.Row, errs *[]error) (int, error) {
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
		n, ok := t.encode(op, q, cells, r)
		if !ok {
			// The slow way finds what is wrong, or what the fast one leaves out.
			checked, err := op.check(t, *r)
			if err == nil {
				_, err = t.schema.Life(string(op), r.TTL)
			}
			if err != nil {
				*errs = append(*errs, err)
				continue
			}
			if n, ok = t.encode(op, q, cells, &checked); !ok {
				*errs = append(*errs, t.at(string(op), r.Key, "", dict.ErrInvalid))
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
			*errs = append(*errs, t.at(string(op), rows[place[i]].Key, "", explain("store", errno)))
		}
	}
	return taken, t.writeFull(op, rows, full, errs)
}

// writeFull tries the rows again that found no place, after those that expired
// made some.
func (t *table) writeFull(op writeOp, rows []dict.Row, full []int, errs *[]error) error {
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
			r, err := op.check(t, rows[i])
			if err != nil {
				return err
			}
			t.encode(op, q, 0, &r)
			if err := t.do(1); err != nil {
				return err
			}
			if q, err = t.again(0); err != nil {
				return err
			}
		}
		if q.Error != 0 {
			t.refuse()
			*errs = append(*errs, t.at(string(op), rows[i].Key, "", dict.ErrFull))
		}
	}
	return nil
}

// encode writes the request to write a row; its cells are those from first on.
// It returns how many there are, and false for whatever is not plain.
func (t *table) encode(op writeOp, q *writerRowReq, first int, r *dict.Row) (int, bool) {
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
		if op == opSet {
			t.area.Cell[first+i].encode(index, v, t.secret)
		} else if !t.area.Cell[first+i].encodeAmount(index, v, t.schema.Fields[index].Default) {
			return 0, false
		}
	}
	q.Verb = op.verb()
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
