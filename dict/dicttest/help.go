// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nftdict/dict"
)

// patience is how long anything may take that has no reason to take long.
const patience = 10 * time.Second

// str is dict.MustString.
func str(s string) dict.Value { return dict.MustString(s) }

// num is dict.Int64Value.
func num(n int64) dict.Value { return dict.Int64Value(n) }

// key returns a string key.
func key(s string) dict.Key {
	k, err := dict.StringKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

// cells pairs names and values.
func cells(pairs ...any) []dict.Cell {
	var out []dict.Cell
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, dict.Cell{Field: pairs[i].(string), Value: pairs[i+1].(dict.Value)})
	}
	return out
}

// row returns a row without a TTL.
func row(k dict.Key, pairs ...any) dict.Row { return dict.Row{Key: k, Cells: cells(pairs...)} }

// people returns the schema of a small table that most tests use.
func people() dict.Table {
	return dict.Table{Name: "people", Key: dict.KeyString, Limit: 100, Fields: []dict.Field{
		{Name: "quota", Type: dict.Int64},
		{Name: "age", Type: dict.Int},
		{Name: "groups", Type: dict.String, Aliases: []string{"user_group", "grp"}},
		{Name: "quota_exceeded", Type: dict.Bool, Default: dict.BoolValue(false)},
		{Name: "address", Type: dict.Address},
		{Name: "address4", Type: dict.IPv4},
	}}
}

// with opens a store that holds the tables.
func (x *suite) with(t testing.TB, tables ...dict.Table) dict.Store {
	t.Helper()
	s := x.open(t)
	for _, tab := range tables {
		must(t, s.AddTable(tab))
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// compare holds the options under which schemas, rows and dumps are compared.
func compare() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b dict.Value) bool { return a == b }),
		cmp.Comparer(func(a, b dict.Key) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// wantRow checks what Get and Rows say of a row, its cells in the order given.
func wantRow(t testing.TB, s dict.Store, table string, k dict.Key, pairs ...any) {
	t.Helper()
	r, err := s.Get(table, k)
	must(t, err)
	same(t, fmt.Sprintf("get %s %s", table, k.Text()), r.Cells, cells(pairs...))
	if tab, err := s.Table(table); err != nil {
		t.Fatal(err)
	} else if k, _ = k.Convert(tab.Key); r.Key != k {
		t.Fatalf("get %s %s: the row's key is %s %s", table, k.Text(), r.Key.Type(), r.Key.Text())
	}
	seen := 0
	for r, err := range s.Rows(table) {
		must(t, err)
		if r.Key == k {
			same(t, fmt.Sprintf("list %s %s", table, k.Text()), r.Cells, cells(pairs...))
			seen++
		}
	}
	if seen != 1 {
		t.Fatalf("list %s: saw %s %d times, want once", table, k.Text(), seen)
	}
}

// wantNone checks that Get and Rows know nothing of a row.
func wantNone(t testing.TB, s dict.Store, table string, k dict.Key) {
	t.Helper()
	r, err := s.Get(table, k)
	if !errors.Is(err, dict.ErrNotExist) {
		t.Fatalf("get %s %s: got %v, %v, want %v", table, k.Text(), r, err, dict.ErrNotExist)
	}
	for r, err := range s.Rows(table) {
		must(t, err)
		if r.Key == k {
			t.Fatalf("list %s: shows %s", table, k.Text())
		}
	}
}

// wantRows checks Stats.Rows and that Rows yields as many.
func wantRows(t testing.TB, s dict.Store, table string, want int) {
	t.Helper()
	st, err := s.Stats(table)
	must(t, err)
	n := 0
	for _, err := range s.Rows(table) {
		must(t, err)
		n++
	}
	if st.Rows != want || n != want {
		t.Fatalf("%s: Stats says %d rows, Rows yields %d, want %d", table, st.Rows, n, want)
	}
}

// refused checks that an error wraps the sentinel and names the parts.
func refused(t testing.TB, err, sentinel error, parts ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Fatalf("got error %v, want one that is %q", err, sentinel)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Fatalf("error %q does not name %q", err, p)
		}
	}
}

// state is everything a store holds, but for the life of rows.
type state struct {
	Tables []dict.Table
	Rows   map[string][]string
	Stats  map[string]dict.Stats
}

func dump(t testing.TB, s dict.Store) state {
	t.Helper()
	out := state{Rows: map[string][]string{}, Stats: map[string]dict.Stats{}}
	var err error
	out.Tables, err = s.Tables()
	must(t, err)
	for _, tab := range out.Tables {
		out.Stats[tab.Name], err = s.Stats(tab.Name)
		must(t, err)
		for r, err := range s.Rows(tab.Name) {
			must(t, err)
			line := r.Key.Text()
			for _, c := range r.Cells {
				line += fmt.Sprintf(" %s %s %s", c.Field, c.Value.Type(), c.Value.Text())
			}
			out.Rows[tab.Name] = append(out.Rows[tab.Name], line)
		}
		slices.Sort(out.Rows[tab.Name])
	}
	return out
}

// within fails the test if f takes longer than patience.
func within(t testing.TB, what string, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(patience):
		t.Fatalf("%s: not done after %v", what, patience)
	}
}

// eventually fails the test if f does not come true within patience.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not so after %v", what, patience)
		}
	}
}
