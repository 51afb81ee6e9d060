// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"testing"
	"time"

	"nftdict/dict"
)

// begun returns the table by which children say that they have begun.
func begun() dict.Table {
	return dict.Table{Name: "begun", Key: dict.KeyInt, Limit: 1000, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}
}

func begin(t *testing.T, s dict.Store, o order) {
	t.Helper()
	must(t, s.Put("begun", row(dict.IntKey(uint32(o.Round)))))
}

// twinKeys is how many rows the children write.
const twinKeys = 16

// childFresh writes rows that are always new, until it is killed.
func childFresh(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := int64(o.Round)*1e9, time.Now().Add(childLife); time.Now().Before(end); n++ {
		k := uint32(n % twinKeys)
		s.Delete("twins", dict.IntKey(k))
		must(t, s.Put("twins", twin(k, n)))
	}
}

// childMerge writes over rows, singly and in batches, until it is killed.
func childMerge(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := int64(o.Round)*1e9, time.Now().Add(childLife); time.Now().Before(end); n++ {
		must(t, s.Put("twins", twin(uint32(n%twinKeys), n)))
		var batch []dict.Row
		for k := range uint32(twinKeys) {
			batch = append(batch, twin(k, n))
		}
		must(t, s.Put("twins", batch...))
	}
}

// typed returns a row of an open table in which each value says its type.
func typed(k uint32, n int) dict.Row {
	types := []dict.Type{dict.Bool, dict.Int, dict.Int64, dict.IPv4, dict.IPv6, dict.Ether, dict.String}
	typ := types[n%len(types)]
	return row(dict.IntKey(k), "v", samples()[typ][0], "type", str(typ.String()), "w", samples()[typ][1])
}

// checkTyped returns an error unless the row is one that typed made.
func checkTyped(r dict.Row) error {
	v, _ := r.Get("v")
	typ, _ := r.Get("type")
	w, _ := r.Get("w")
	if len(r.Cells) != 3 || v.Type() != w.Type() || v.Type().String() != typ.Str() {
		return fmt.Errorf("row %s is not whole: %v", r.Key.Text(), r.Cells)
	}
	return nil
}

// childRetype gives fields of an open table one type after the other, until
// it is killed.
func childRetype(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := 0, time.Now().Add(childLife); time.Now().Before(end); n++ {
		must(t, s.Put("typed", typed(uint32(n%3), n)))
	}
}

// childAdmin adds, fills and deletes tables until it is killed.
func childAdmin(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for n, end := 0, time.Now().Add(childLife); time.Now().Before(end); n++ {
		s.DeleteTable("brittle")
		must(t, s.AddTable(brittle()))
		must(t, s.AddFields("brittle", dict.Field{Name: "late", Type: dict.String}))
		must(t, s.Put("brittle", row(dict.IntKey(1), "n", dict.IntValue(1), "late", str("l"))))
		must(t, s.Put("free", row(dict.IntKey(1), fmt.Sprintf("f%d", n%100), num(1))))
	}
}

// brittle returns the schema of the table that childAdmin adds and deletes.
func brittle() dict.Table {
	return dict.Table{Name: "brittle", Key: dict.KeyInt, Limit: 10, Fields: []dict.Field{
		{Name: "n", Type: dict.Int}, {Name: "d", Type: dict.Int, Default: dict.IntValue(1)},
	}}
}

// childShare does the child's part of processes and ends by itself.
func childShare(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	must(t, s.AddTable(dict.Table{Name: "childs", Key: dict.KeyInt, Limit: 10, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}))
	must(t, s.AddFields("people", dict.Field{Name: "childs-field", Type: dict.Int, Aliases: []string{"cf"}}))
	must(t, s.Put("childs", row(dict.IntKey(1), "n", dict.IntValue(7))))
	must(t, s.Put("people", row(key("shared"), "childs_field", dict.IntValue(7))))
	for n := range int64(500) {
		must(t, s.Put("people", row(key("shared"), "quota", num(n+1))))
	}
	for i := range uint32(3) {
		refused(t, s.Put("tiny", row(dict.IntKey(100+i))), dict.ErrFull, "tiny")
	}
	r, err := s.Get("people", key("before"))
	must(t, err)
	same(t, "row written before the child was born", r.Cells, cells("groups", str("parent")))
}
