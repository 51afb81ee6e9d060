// SPDX-License-Identifier: MIT

package dicttest

import (
	"testing"
	"time"

	"nftdict/dict"
)

// again: closing loses nothing.
func (x *suite) again(t *testing.T) {
	s := x.with(t, mixed(), people(), dict.Table{Name: "free", Key: dict.KeyInt, Limit: 1, Open: true})
	must(t, s.Put("people", dict.Row{Key: key("al"), Cells: cells("quota", num(1), "groups", str("g")), TTL: time.Hour}))
	must(t, s.Put("free", row(dict.IntKey(1), "f", num(1), "g", str("x"))))
	refused(t, s.Put("free", row(dict.IntKey(2))), dict.ErrFull)
	before, address := dump(t, s), x.address(s)
	must(t, s.Close())
	for range 2 {
		s, err := x.reopen(address)
		must(t, err)
		same(t, "state after reopening", dump(t, s), before)
		checkLeft(t, s, "people", key("al"), time.Hour, patience)
		must(t, s.Put("people", row(key("al"), "quota", num(2))))
		must(t, s.Put("people", dict.Row{Key: key("al"), Cells: cells("quota", num(1)), TTL: time.Hour}))
		refused(t, s.AddTable(people()), dict.ErrExist, "people")
		must(t, s.Close())
	}
}

// handles: what one handle does the other sees at once, schema and rows, and
// the end of one is not the end of the other.
func (x *suite) handles(t *testing.T) {
	a := x.with(t, people())
	b, err := x.reopen(x.address(a))
	must(t, err)
	closed := false
	defer func() {
		if !closed {
			b.Close()
		}
	}()
	al := key("al")
	must(t, a.Put("people", row(al, "age", dict.IntValue(1))))
	wantRow(t, b, "people", al, "age", dict.IntValue(1))
	must(t, b.AddFields("people", dict.Field{Name: "x-y", Type: dict.Bool, Aliases: []string{"z"}}))
	must(t, a.Put("people", row(al, "z", dict.BoolValue(true))))
	wantRow(t, b, "people", al, "age", dict.IntValue(1), "x_y", dict.BoolValue(true))
	must(t, b.Delete("people", al, "age"))
	wantRow(t, a, "people", al, "x_y", dict.BoolValue(true))

	must(t, b.AddTable(dict.Table{Name: "free", Key: dict.KeyInt, Open: true}))
	must(t, a.Put("free", row(dict.IntKey(1), "f", num(1))))
	must(t, b.Put("free", row(dict.IntKey(1), "g", str("x"))))
	for _, s := range []dict.Store{a, b} {
		wantRow(t, s, "free", dict.IntKey(1), "f", num(1), "g", str("x"))
	}

	// The other handle replaces a table by one of the same name.
	must(t, b.DeleteTable("people"))
	refused(t, a.Put("people", row(al, "age", dict.IntValue(1))), dict.ErrNotExist, "people")
	must(t, b.AddTable(dict.Table{Name: "people", Key: dict.KeyInt, Fields: []dict.Field{{Name: "age", Type: dict.String}}}))
	refused(t, a.Put("people", row(al, "age", dict.IntValue(1))), dict.ErrType, "people")
	must(t, a.Put("people", row(dict.IntKey(5), "age", str("old"))))
	wantRow(t, b, "people", dict.IntKey(5), "age", str("old"))

	closed = true
	must(t, b.Close())
	wantRow(t, a, "people", dict.IntKey(5), "age", str("old"))
	must(t, a.Put("people", row(dict.IntKey(6), "age", str("new"))))
}
