// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"testing"

	"nftdict/dict"
)

// limit: a full table refuses new rows, by name and counted, and nothing else.
func (x *suite) limit(t *testing.T) {
	tab := people()
	tab.Limit = 3
	s := x.with(t, tab)
	figures := func(rows int, refused uint64) {
		t.Helper()
		st, err := s.Stats("people")
		must(t, err)
		same(t, "figures", st, dict.Stats{Rows: rows, Limit: 3, Refused: refused})
	}
	figures(0, 0)
	for _, k := range []string{"a", "b"} {
		must(t, s.Put("people", row(key(k), "quota", num(1))))
	}
	err := s.Put("people", row(key("c"), "quota", num(1)), row(key("d"), "quota", num(1)), row(key("a"), "quota", num(2)), row(key("e"), "age", dict.IntValue(1), "groups", str("g")))
	refused(t, err, dict.ErrFull, "people", `"d"`, `"e"`)
	var at *dict.At
	if !errors.As(err, &at) || at.Table != "people" || at.Key != `"d"` {
		t.Errorf("the first cause is %+v, want table people, key \"d\"", at)
	}
	figures(3, 2)
	wantRow(t, s, "people", key("a"), "quota", num(2))
	wantRow(t, s, "people", key("c"), "quota", num(1))
	wantNone(t, s, "people", key("d"))
	wantNone(t, s, "people", key("e"))

	must(t, s.Put("people", row(key("b"), "groups", str("g"), "age", dict.IntValue(1))))
	refused(t, s.Put("people", row(key("d"), "nosuch", num(1))), dict.ErrNotExist)
	figures(3, 2)
	must(t, s.Delete("people", key("a"), "quota"))
	refused(t, s.Put("people", row(key("d"))), dict.ErrFull, "people", `"d"`)
	figures(3, 3)
	must(t, s.Delete("people", key("a")))
	must(t, s.Put("people", row(key("d"), "quota", num(4))))
	wantRow(t, s, "people", key("d"), "quota", num(4))
	figures(3, 3)

	one := dict.Table{Name: "one", Key: dict.KeyInt, Limit: 1, Fields: []dict.Field{{Name: "s", Type: dict.String}, {Name: "n", Type: dict.Int}}}
	must(t, s.AddTable(one))
	for i := range 200 {
		k := dict.IntKey(uint32(i))
		must(t, s.Put("one", row(k, "s", str(fmt.Sprint(i)), "n", dict.IntValue(int32(i)))))
		refused(t, s.Put("one", row(dict.IntKey(1000), "s", str("no"))), dict.ErrFull)
		wantRow(t, s, "one", k, "s", str(fmt.Sprint(i)), "n", dict.IntValue(int32(i)))
		must(t, s.Delete("one", k))
	}

	big := dict.Table{Name: "wide", Key: dict.KeyInt, Limit: 20}
	var all []dict.Cell
	for i := range 100 {
		f := dict.Field{Name: fmt.Sprint("f", i), Type: dict.Types()[i%len(dict.Types())]}
		big.Fields = append(big.Fields, f)
		all = append(all, dict.Cell{Field: f.Name, Value: samples()[f.Type][i%2]})
	}
	must(t, s.AddTable(big))
	for i := range 20 {
		must(t, s.Put("wide", dict.Row{Key: dict.IntKey(uint32(i)), Cells: all}))
	}
	for i := range 20 {
		r, err := s.Get("wide", dict.IntKey(uint32(i)))
		must(t, err)
		same(t, "a row of 100 cells", r.Cells, all)
	}
}
