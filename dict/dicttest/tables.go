// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
)

// mixed returns a schema that uses everything a schema can say.
func mixed() dict.Table {
	return dict.Table{Name: "mixed-case.Table_1", Key: dict.KeyCtID, Limit: 10, Timeout: 90 * time.Second, Bound: true, Fields: []dict.Field{
		{Name: "yes-or-no", Type: dict.Bool, Default: dict.BoolValue(true), Aliases: []string{"yn", "y-n"}},
		{Name: "n", Type: dict.Int, Default: dict.IntValue(math.MinInt32)},
		{Name: "big", Type: dict.Int64, Default: dict.IntValue(7)},
		{Name: "name", Type: dict.String, Default: str("a \"quoted\"\nname é")},
		{Name: "empty", Type: dict.String, Default: str("")},
		{Name: "any", Type: dict.Address, Default: addr("2001:db8::1")},
		{Name: "four", Type: dict.IPv4, Default: addr("10.0.0.1")},
		{Name: "six", Type: dict.IPv6, Default: addr("::ffff:10.0.0.1")},
		{Name: "mac", Type: dict.Ether, Default: dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1})},
	}}
}

// tables: what is added is listed, as it was declared.
func (x *suite) tables(t *testing.T) {
	s := x.open(t)
	before, err := s.Tables()
	must(t, err)
	all := []dict.Table{
		mixed(), people(), {Name: "zz", Key: dict.KeyMark}, {Name: "Free", Key: dict.KeyInt, Open: true, Fields: []dict.Field{{Name: "f", Aliases: []string{"g"}}}},
		{Name: strings.Repeat("n", dict.MaxName), Key: dict.KeyEther, Limit: 1},
	}
	want := slices.Clone(before)
	for _, tab := range all {
		must(t, s.AddTable(tab))
		n, err := tab.Normal()
		must(t, err)
		want = append(want, n)
		for _, name := range []string{tab.Name, n.Name, strings.ReplaceAll(tab.Name, "_", "-")} {
			got, err := s.Table(name)
			must(t, err)
			same(t, "table "+name, got, n)
		}
		refused(t, s.AddTable(tab), dict.ErrExist, n.Name)
	}
	slices.SortFunc(want, func(a, b dict.Table) int { return strings.Compare(a.Name, b.Name) })
	got, err := s.Tables()
	must(t, err)
	same(t, "tables", got, want)

	refused(t, s.AddTable(dict.Table{Name: "mixed_case.Table-1", Key: dict.KeyInt}), dict.ErrExist, "mixed_case.Table_1")
	got[0].Name, got[0].Key = "altered", 0
	after, err := s.Tables()
	must(t, err)
	same(t, "tables after a caller altered what he got", after, want)
}

// schemas: a wrong schema is refused and leaves nothing.
func (x *suite) schemas(t *testing.T) {
	s := x.with(t, people())
	f := func(fields ...dict.Field) dict.Table {
		return dict.Table{Name: "bad", Key: dict.KeyInt, Fields: fields}
	}
	many := make([]dict.Field, dict.MaxFields+1)
	for i := range many {
		many[i] = dict.Field{Name: fmt.Sprintf("f%d", i), Type: dict.Bool}
	}
	for name, c := range map[string]struct {
		table dict.Table
		err   error
		parts []string
	}{
		"no name":               {dict.Table{Key: dict.KeyInt}, dict.ErrInvalid, nil},
		"blank in name":         {dict.Table{Name: "a b", Key: dict.KeyInt}, dict.ErrInvalid, []string{`"a b"`}},
		"digit first":           {dict.Table{Name: "1a", Key: dict.KeyInt}, dict.ErrInvalid, []string{`"1a"`}},
		"slash in name":         {dict.Table{Name: "../a", Key: dict.KeyInt}, dict.ErrInvalid, []string{`"../a"`}},
		"long name":             {dict.Table{Name: strings.Repeat("n", dict.MaxName+1), Key: dict.KeyInt}, dict.ErrTooLong, []string{"nnn"}},
		"no key type":           {dict.Table{Name: "bad"}, dict.ErrInvalid, []string{"bad"}},
		"unknown key type":      {dict.Table{Name: "bad", Key: 99}, dict.ErrInvalid, []string{"bad"}},
		"negative limit":        {dict.Table{Name: "bad", Key: dict.KeyInt, Limit: -1}, dict.ErrRange, []string{"bad", "-1"}},
		"limit over":            {dict.Table{Name: "bad", Key: dict.KeyInt, Limit: dict.MaxLimit + 1}, dict.ErrRange, []string{"bad"}},
		"negative timeout":      {dict.Table{Name: "bad", Key: dict.KeyInt, Timeout: -time.Second}, dict.ErrRange, []string{"bad", "-1s"}},
		"timeout of half":       {dict.Table{Name: "bad", Key: dict.KeyInt, Timeout: 1500 * time.Millisecond}, dict.ErrInvalid, []string{"bad", "1.5s"}},
		"timeout over":          {dict.Table{Name: "bad", Key: dict.KeyInt, Timeout: dict.MaxTTL + time.Second}, dict.ErrRange, []string{"bad"}},
		"bound, key no id":      {dict.Table{Name: "bad", Key: dict.KeyInt, Bound: true}, dict.ErrInvalid, []string{"bad", "ct_id"}},
		"open with a type":      {dict.Table{Name: "bad", Key: dict.KeyInt, Open: true, Fields: []dict.Field{{Name: "f", Type: dict.Bool}}}, dict.ErrInvalid, []string{"bad", `"f"`}},
		"open with a default":   {dict.Table{Name: "bad", Key: dict.KeyInt, Open: true, Fields: []dict.Field{{Name: "f", Default: num(1)}}}, dict.ErrInvalid, []string{"bad", `"f"`}},
		"field without type":    {f(dict.Field{Name: "f"}), dict.ErrInvalid, []string{"bad", `"f"`}},
		"field without name":    {f(dict.Field{Type: dict.Bool}), dict.ErrInvalid, []string{"bad"}},
		"bad field name":        {f(dict.Field{Name: "a,b", Type: dict.Bool}), dict.ErrInvalid, []string{"bad", `"a,b"`}},
		"bad alias":             {f(dict.Field{Name: "a", Type: dict.Bool, Aliases: []string{"b c"}}), dict.ErrInvalid, []string{"bad", `"b c"`}},
		"field twice":           {f(dict.Field{Name: "a-b", Type: dict.Bool}, dict.Field{Name: "a_b", Type: dict.Int}), dict.ErrExist, []string{"bad", `"a_b"`}},
		"alias is a field":      {f(dict.Field{Name: "a", Type: dict.Bool}, dict.Field{Name: "b", Type: dict.Int, Aliases: []string{"a"}}), dict.ErrExist, []string{"bad", `"a"`}},
		"field is an alias":     {f(dict.Field{Name: "a", Type: dict.Bool, Aliases: []string{"b"}}, dict.Field{Name: "b", Type: dict.Int}), dict.ErrExist, []string{"bad", `"b"`}},
		"alias of itself":       {f(dict.Field{Name: "a", Type: dict.Bool, Aliases: []string{"a"}}), dict.ErrExist, []string{"bad", `"a"`}},
		"default of other":      {f(dict.Field{Name: "a", Type: dict.Bool, Default: num(1)}), dict.ErrType, []string{"bad", `"a"`}},
		"default too wide":      {f(dict.Field{Name: "a", Type: dict.Int, Default: num(1)}), dict.ErrType, []string{"bad", `"a"`}},
		"default of family":     {f(dict.Field{Name: "a", Type: dict.IPv4, Default: addr("::1")}), dict.ErrType, []string{"bad", `"a"`}},
		"default of type any":   {f(dict.Field{Name: "a", Type: dict.Address, Default: str("x")}), dict.ErrType, []string{"bad", `"a"`}},
		"more than MaxFields":   {f(many...), dict.ErrFull, []string{"bad", many[dict.MaxFields].Name}},
		"name of another table": {dict.Table{Name: "people", Key: dict.KeyInt}, dict.ErrExist, []string{"people"}},
	} {
		before := dump(t, s)
		refused(t, s.AddTable(c.table), c.err, c.parts...)
		same(t, name+": state after the refusal", dump(t, s), before)
	}
	must(t, s.AddTable(f(many[:dict.MaxFields]...)))
	refused(t, s.AddFields("bad", dict.Field{Name: "more", Type: dict.Bool}), dict.ErrFull, "bad", `"more"`)
	k := dict.IntKey(1)
	last := many[dict.MaxFields-1].Name
	must(t, s.Put("bad", row(k, last, dict.BoolValue(true), "f0", dict.BoolValue(false))))
	wantRow(t, s, "bad", k, "f0", dict.BoolValue(false), last, dict.BoolValue(true))
}

// fields: they are added to a table in use, all of a call or none.
func (x *suite) fields(t *testing.T) {
	s := x.with(t, people())
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(3))))
	must(t, s.AddFields("people"))
	more := []dict.Field{
		{Name: "shoe-size", Type: dict.Int, Default: dict.IntValue(40), Aliases: []string{"shoe"}},
		{Name: "mac", Type: dict.Ether},
	}
	want, err := people().Normal()
	must(t, err)
	want, err = want.With(more...)
	must(t, err)
	must(t, s.AddFields("people", more...))
	got, err := s.Table("people")
	must(t, err)
	same(t, "schema", got, want)
	wantRow(t, s, "people", key("al"), "age", dict.IntValue(3))
	must(t, s.Put("people", row(key("al"), "shoe", dict.IntValue(44))))
	wantRow(t, s, "people", key("al"), "age", dict.IntValue(3), "shoe_size", dict.IntValue(44))

	before := dump(t, s)
	ok := dict.Field{Name: "fine", Type: dict.Bool}
	for _, c := range []struct {
		table string
		bad   dict.Field
		err   error
		part  string
	}{
		{"people", dict.Field{Name: "age", Type: dict.Int}, dict.ErrExist, "age"},
		{"people", dict.Field{Name: "shoe", Type: dict.Int}, dict.ErrExist, "shoe"},
		{"people", dict.Field{Name: "x", Type: dict.Int, Aliases: []string{"user-group"}}, dict.ErrExist, "user-group"},
		{"people", dict.Field{Name: "fine", Type: dict.Int}, dict.ErrExist, "fine"},
		{"people", dict.Field{Name: "x"}, dict.ErrInvalid, `"x"`},
		{"people", dict.Field{Name: "x", Type: dict.Bool, Default: str("true")}, dict.ErrType, `"x"`},
		{"nobody", dict.Field{Name: "x", Type: dict.Bool}, dict.ErrNotExist, "nobody"},
	} {
		refused(t, s.AddFields(c.table, ok, c.bad), c.err, c.table, c.part)
		same(t, "state after the refusal", dump(t, s), before)
	}
}

// deleteTable: a table goes with all it had.
func (x *suite) deleteTable(t *testing.T) {
	other := people()
	other.Name = "others"
	small := people()
	small.Limit = 1
	s := x.with(t, small, other)
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(3))))
	must(t, s.Put("others", row(key("al"), "age", dict.IntValue(4))))
	refused(t, s.Put("people", row(key("bo"))), dict.ErrFull, "people")
	must(t, s.DeleteTable("people"))
	_, err := s.Table("people")
	refused(t, err, dict.ErrNotExist, "people")
	_, err = s.Get("people", key("al"))
	refused(t, err, dict.ErrNotExist, "people")
	refused(t, s.DeleteTable("people"), dict.ErrNotExist, "people")

	fresh := dict.Table{Name: "people", Key: dict.KeyString, Limit: 5, Fields: []dict.Field{{Name: "age", Type: dict.String}}}
	must(t, s.AddTable(fresh))
	wantRows(t, s, "people", 0)
	wantNone(t, s, "people", key("al"))
	st, err := s.Stats("people")
	must(t, err)
	same(t, "figures of the new table", st, dict.Stats{Limit: 5})
	must(t, s.Put("people", row(key("al"), "age", str("young"))))
	wantRow(t, s, "people", key("al"), "age", str("young"))
	wantRow(t, s, "others", key("al"), "age", dict.IntValue(4))
	must(t, s.DeleteTable("others"))
	wantRow(t, s, "people", key("al"), "age", str("young"))
}

// busy: a table that a rule uses stays.
func (x *suite) busy(t *testing.T) {
	s := x.with(t, people())
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(3))))
	release := x.hold(t, s, "people")
	refused(t, s.DeleteTable("people"), dict.ErrBusy, "people")
	wantRow(t, s, "people", key("al"), "age", dict.IntValue(3))
	must(t, s.AddFields("people", dict.Field{Name: "late", Type: dict.Bool}))
	release()
	must(t, s.DeleteTable("people"))
}
