// SPDX-License-Identifier: MIT

package genl

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// requestSize is how long a request with rows may get before it is sent; the
// last row may exceed it. The kernel takes some 200 kB.
const requestSize = 64 << 10

// writeOp is a way to write rows, as errors name it.
type writeOp string

const (
	opRowSet writeOp = "set"
	opRowAdd writeOp = "add"
)

// putting is a Put or an Add under way.
type putting struct {
	op    writeOp
	store *Store
	table *table
	fresh bool // the table was asked for after the call began
	rows  []dict.Row
	errs  []placedError
	b     *builder
	sent  []int // of each row in the request under construction, its position in rows
}

// placedError is the error of one of many rows.
type placedError struct {
	row int
	err error
}

// Put implements dict.Store.
func (s *Store) Put(name string, rows ...dict.Row) error { return s.write(opRowSet, name, rows) }

// Add implements dict.Store. The error wraps dict.ErrNotSupported where the
// module is older than 1.1.
func (s *Store) Add(name string, rows ...dict.Row) error { return s.write(opRowAdd, name, rows) }

func (s *Store) write(op writeOp, name string, rows []dict.Row) error {
	t, fresh, err := s.known(name)
	if err != nil {
		return &dict.At{Op: string(op), Table: name, Err: err}
	}
	p := putting{op: op, store: s, table: t, fresh: fresh, rows: rows}
	err = s.pool.use(func(c *conn) error {
		p.b = &c.rows
		p.begin()
		for i := range rows {
			if len(p.sent) == maxRows || len(p.b.buf) >= requestSize {
				if err := p.send(c); err != nil {
					return err
				}
			}
			if err := p.add(i); err != nil {
				return err
			}
		}
		return p.send(c)
	})
	if err != nil {
		if _, ok := errors.AsType[*dict.At](err); !ok {
			err = &dict.At{Op: string(op), Table: p.table.schema.Name, Err: err}
		}
		return err
	}
	return p.refused()
}

// begin starts a request.
func (p *putting) begin() {
	p.b.reset()
	p.b.of(p.table)
	p.sent = p.sent[:0]
}

// add appends a row to the request, or notes why it cannot. The error is that
// of asking for the table.
func (p *putting) add(i int) error {
	if p.op == opRowSet && p.b.row(p.table, &p.rows[i]) {
		p.sent = append(p.sent, i)
		return nil
	}
	// The slow way finds what is wrong, or what the fast one leaves out.
	r, err := p.check(p.rows[i])
	if err != nil && !p.fresh {
		if err := p.refresh(); err != nil {
			return err
		}
		return p.again(append(p.sent, i))
	}
	if err != nil {
		p.errs = append(p.errs, placedError{i, err})
		return nil
	}
	p.b.checked(p.table, &r)
	p.sent = append(p.sent, i)
	return nil
}

// check returns a row as the table takes it.
func (p *putting) check(r dict.Row) (dict.Row, error) {
	if p.op == opRowAdd {
		return p.table.schema.CheckAmounts(string(p.op), r)
	}
	return p.table.schema.CheckRow(string(p.op), r)
}

// command is what the module is asked to do.
func (p *putting) command() uint8 {
	if p.op == opRowAdd {
		return cmdRowAdd
	}
	return cmdRowPut
}

// refresh asks for the table as it is now.
func (p *putting) refresh() (err error) {
	p.fresh = true
	t, err := p.store.ask(p.table.schema.Name)
	if err != nil {
		return &dict.At{Op: string(p.op), Table: p.table.schema.Name, Err: err}
	}
	p.table = t
	return nil
}

// again begins the request once more, after a refresh.
func (p *putting) again(rows []int) error {
	rows = slices.Clone(rows)
	p.begin()
	for _, i := range rows {
		if err := p.add(i); err != nil {
			return err
		}
	}
	return nil
}

// send sends the request and begins the next.
func (p *putting) send(c *conn) error {
	if len(p.sent) == 0 {
		return nil
	}
	err := c.tell(p.command(), p.b.buf, func(b []byte) error {
		return eachRefusal(b, func(i uint32, r *refusal) error {
			if int(i) >= len(p.sent) {
				return errAnswer("refusal of a row that was not sent")
			}
			row := p.sent[i]
			p.errs = append(p.errs, placedError{row, p.table.at(string(p.op), p.rows[row].Key, "", r)})
			return nil
		})
	})
	r, ok := errors.AsType[*refusal](err)
	if ok && r.errno == unix.ESTALE {
		// Nothing of the request was done: the table is another one by now. It may
		// come to be another one yet again.
		if err := p.refresh(); err != nil {
			return err
		}
		if err := p.again(p.sent); err != nil {
			return err
		}
		return p.send(c)
	}
	if ok && r.errno == unix.EOPNOTSUPP && p.op == opRowAdd {
		return errOlder("add to numbers", "1.1")
	}
	if err != nil {
		return err
	}
	p.begin()
	return nil
}

// refused joins the errors of rows in the order of the rows.
func (p *putting) refused() error {
	slices.SortStableFunc(p.errs, func(a, b placedError) int { return cmp.Compare(a.row, b.row) })
	errs := make([]error, len(p.errs))
	for i, e := range p.errs {
		errs[i] = e.err
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// row appends a row as it was given, false (and nothing) for whatever is not
// plain.
func (b *builder) row(t *table, r *dict.Row) bool {
	start := len(b.buf)
	if b.plain(t, r) {
		return true
	}
	b.buf = b.buf[:start]
	return false
}

func (b *builder) plain(t *table, r *dict.Row) bool {
	if r.Key.Type() != t.schema.Key || r.TTL < 0 || r.TTL > dict.MaxTTL || r.TTL%time.Second != 0 {
		return false
	}
	at := b.nest(attrRow)
	b.key(r.Key)
	b.ttl(r.TTL)
	var seen [dict.MaxFields / 64]uint64
	for i := range r.Cells {
		c := &r.Cells[i]
		index, ok := b.places.of(t, c.Field)
		if !ok || c.Value.IsZero() || seen[index/64]&(1<<(index%64)) != 0 {
			return false
		}
		seen[index/64] |= 1 << (index % 64)
		v := c.Value
		if want := t.schema.Fields[index].Type; !t.schema.Open && v.Type() != want {
			var err error
			if v, err = v.Convert(want); err != nil {
				return false
			}
		}
		b.cell(uint32(index), v)
	}
	b.end(at)
	return true
}

// checked appends a row that CheckRow returned. Fields that an open table has
// not yet go by their names.
func (b *builder) checked(t *table, r *dict.Row) {
	at := b.nest(attrRow)
	b.key(r.Key)
	b.ttl(r.TTL)
	for _, c := range r.Cells {
		cell := b.nest(rowCell)
		if index, ok := t.fields[c.Field]; ok {
			b.uint32(cellField, uint32(index))
		} else {
			b.text(cellName, c.Field)
		}
		b.value(c.Value)
		b.end(cell)
	}
	b.end(at)
}

func (b *builder) ttl(d time.Duration) {
	if d > 0 {
		b.uint32(rowTTL, uint32(d/time.Second))
	}
}

// eachRefusal calls f for every refused row of an answer.
func eachRefusal(b []byte, f func(index uint32, r *refusal) error) error {
	return each(b, func(a attr) error {
		if a.typ != attrRefusal {
			return nil
		}
		var index, errno uint32
		r := &refusal{}
		err := each(a.data, func(a attr) (err error) {
			switch a.typ {
			case refusalIndex:
				index, err = a.uint32()
			case refusalError:
				errno, err = a.uint32()
			case refusalMessage:
				r.text = a.text()
			}
			return err
		})
		if err != nil {
			return err
		}
		r.errno = unix.Errno(errno)
		return f(index, r)
	})
}
