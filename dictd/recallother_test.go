// SPDX-License-Identifier: MIT

package dictd

import (
	"slices"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

// Of tables that users add it is seen that they are written, of others not.
func TestOtherTables(t *testing.T) {
	store := dicttest.NewStandard(t)
	o := newOtherTables(store)
	add := func(name string) {
		t.Helper()
		if err := store.AddTable(dict.Table{Name: name, Key: dict.KeyInt, Limit: 10, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}); err != nil {
			t.Fatal(err)
		}
	}
	put := func(table string, key dict.Key, field string, v dict.Value) {
		t.Helper()
		if err := store.Put(table, dict.Row{Key: key, Cells: []dict.Cell{{Field: field, Value: v}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, got []string, err error, names ...string) {
		t.Helper()
		if slices.Sort(got); err != nil || !slices.Equal(got, names) {
			t.Errorf("%s: %q, %v; want %q", what, got, err, names)
		}
	}
	look := func(what string, names ...string) {
		t.Helper()
		o.listed = time.Time{}
		got, err := o.look()
		want(what, got, err, names...)
	}
	hear := func(what, heard string, names ...string) {
		t.Helper()
		got, err := o.hear(map[string]map[dict.Key]struct{}{heard: nil})
		want(what, got, err, names...)
	}
	add("blocked")
	look("the first look")
	put("blocked", dict.IntKey(1), "n", dict.IntValue(1))
	look("a row", "blocked")
	look("nothing")
	add("more")
	hear("a table that has come", "more", "more")
	hear("what rules count", "more")
	put("more", dict.IntKey(1), "n", dict.IntValue(1))
	hear("one of ours", dict.Hosts)
	hear("another", "more", "more")
	put("blocked", dict.IntKey(1), "n", dict.IntValue(2))
	hear("any", "", "blocked", "more") // this store counts for all tables together
	if err := store.DeleteTable("more"); err != nil {
		t.Fatal(err)
	}
	hear("one that has gone", "more", "more")
	look("it has gone", "blocked")
}
