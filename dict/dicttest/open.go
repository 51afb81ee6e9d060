// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"testing"

	"nftdict/dict"
)

// openTable: fields come with their first value, and each value keeps its type.
func (x *suite) openTable(t *testing.T) {
	s := x.with(t, dict.Table{Name: "free", Key: dict.KeyString, Limit: 10, Open: true, Fields: []dict.Field{{Name: "known", Aliases: []string{"alias"}}}})
	al, bo := key("al"), key("bo")
	values := []dict.Value{
		dict.BoolValue(true), dict.IntValue(1), num(1), addr("0.0.0.1"), addr("::1"), dict.EtherValue([6]byte{5: 1}), str("1"),
		str(""), num(0), dict.IntValue(0), dict.BoolValue(false), addr("::ffff:0.0.0.1"), addr("0.0.0.1"),
	}
	for _, v := range values {
		must(t, s.Put("free", row(al, "some-field", v)))
		wantRow(t, s, "free", al, "some_field", v)
		wantRows(t, s, "free", 1)
	}
	for i := len(values) - 1; i >= 0; i-- {
		must(t, s.Put("free", row(al, "some_field", values[i])))
		wantRow(t, s, "free", al, "some_field", values[i])
	}
	must(t, s.Put("free", row(al, "alias", num(1), "b", str("x")), row(bo, "some-field", str("y"), "c", num(3))))
	wantRow(t, s, "free", al, "known", num(1), "some_field", values[0], "b", str("x"))
	wantRow(t, s, "free", bo, "some_field", str("y"), "c", num(3))

	want := dict.Table{Name: "free", Key: dict.KeyString, Limit: 10, Open: true,
		Fields: []dict.Field{{Name: "known", Aliases: []string{"alias"}}, {Name: "some_field"}, {Name: "b"}, {Name: "c"}}}
	got, err := s.Table("free")
	must(t, err)
	same(t, "schema", got, want)

	must(t, s.Delete("free", al, "b"))
	wantRow(t, s, "free", al, "known", num(1), "some_field", values[0])
	refused(t, s.Delete("free", al, "b"), dict.ErrNotExist, "free", `"al"`, `"b"`)
	must(t, s.Put("free", row(al, "b", num(2))))
	wantRow(t, s, "free", al, "known", num(1), "some_field", values[0], "b", num(2))
	must(t, s.AddFields("free", dict.Field{Name: "d", Aliases: []string{"e-f"}}))
	must(t, s.Put("free", row(bo, "e_f", num(4))))
	wantRow(t, s, "free", bo, "some_field", str("y"), "c", num(3), "d", num(4))
	refused(t, s.AddFields("free", dict.Field{Name: "typed", Type: dict.Bool}), dict.ErrInvalid, "free", `"typed"`)

	// A refused row brings no fields: neither one refused for a cell, nor for
	// want of a place, nor for more fields than a table may have.
	before := dump(t, s)
	refused(t, s.Put("free", row(al, "new", num(1), "bad name", num(1))), dict.ErrInvalid, "free", `"bad name"`)
	same(t, "state after a bad name", dump(t, s), before)
	cs := make([]dict.Cell, dict.MaxFields)
	for i := range cs {
		cs[i] = dict.Cell{Field: fmt.Sprint("many", i), Value: num(int64(i))}
	}
	refused(t, s.Put("free", dict.Row{Key: bo, Cells: cs}), dict.ErrFull, "free", `"bo"`)
	same(t, "state after too many fields", dump(t, s), before)
	for i := range 8 {
		must(t, s.Put("free", row(key(fmt.Sprint(i)))))
	}
	refused(t, s.Put("free", row(key("late"), "newer", num(1))), dict.ErrFull, "free", `"late"`)
	got, err = s.Table("free")
	must(t, err)
	if got.Index("newer") >= 0 {
		t.Error("a row refused for want of a place left its field")
	}
}
