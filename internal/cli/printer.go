// SPDX-License-Identifier: MIT

package cli

import (
	"bufio"
	"encoding/json"
	"io"

	"nftdict/dict"
)

// printer writes a listing: statements that -f reads, or with -j one object
//
//	{"dict":[{"table":{...}},{"row":{"table":"users","key":...,"cells":{...}}}]}
type printer struct {
	w     *bufio.Writer
	json  bool
	items int
	buf   []byte // of the item at hand, kept for the next one
}

// printer returns a printer of this run's form on Stdout.
func (c *ctl) printer() *printer {
	return &printer{w: bufio.NewWriter(c.Stdout), json: c.json}
}

// table prints a schema.
func (p *printer) table(t *dict.Table) error {
	if !p.json {
		p.buf = append(dict.AppendTableBlock(p.buf[:0], *t), '\n')
		return p.write()
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	p.buf = append(append(append(p.buf[:0], `{"table":`...), b...), '}')
	return p.write()
}

// row prints a row of t.
func (p *printer) row(t *dict.Table, r dict.Row) error {
	if p.json {
		p.buf = append(appendRowJSON(append(p.buf[:0], `{"row":{`...), t, r), '}')
	} else {
		p.buf = append(dict.AppendRow(p.buf[:0], t, r), '\n')
	}
	return p.write()
}

// write writes the item at hand.
func (p *printer) write() error {
	if p.json {
		before := ",\n"
		if p.items == 0 {
			before = `{"dict":[` + "\n"
		}
		if _, err := p.w.WriteString(before); err != nil {
			return err
		}
	}
	p.items++
	_, err := p.w.Write(p.buf)
	return err
}

// end writes what is left.
func (p *printer) end() error {
	if p.json {
		if p.items == 0 {
			io.WriteString(p.w, `{"dict":[`)
		}
		io.WriteString(p.w, "\n]}\n") // an error stays until Flush
	}
	return p.w.Flush()
}

// appendRowJSON appends a row with its table's name, but for the brace before it.
func appendRowJSON(b []byte, t *dict.Table, r dict.Row) []byte {
	name, _ := json.Marshal(t.Name) // a string: cannot fail
	b = append(append(append(b, `"table":`...), name...), ',')
	start := len(b)
	b = t.AppendRowJSON(b, r)
	return append(b[:start], b[start+1:]...)
}
