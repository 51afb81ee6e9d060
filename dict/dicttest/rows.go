// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"nftdict/dict"
)

// addr returns the value of an address.
func addr(s string) dict.Value { return dict.AddrValue(netip.MustParseAddr(s)) }

// samples returns values of every type a field can have, the extremes among
// them.
func samples() map[dict.Type][]dict.Value {
	long := strings.Repeat("é", dict.MaxString/2)
	return map[dict.Type][]dict.Value{
		dict.Bool:    {dict.BoolValue(false), dict.BoolValue(true)},
		dict.Int:     {dict.IntValue(0), dict.IntValue(-1), dict.IntValue(math.MinInt32), dict.IntValue(math.MaxInt32)},
		dict.Int64:   {num(0), num(-1), num(math.MinInt64), num(math.MaxInt64), num(1 << 53), num(1<<53 + 1)},
		dict.IPv4:    {addr("0.0.0.0"), addr("255.255.255.255"), addr("10.1.2.3")},
		dict.IPv6:    {addr("::"), addr("::1"), addr("::ffff:10.1.2.3"), addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")},
		dict.Address: {addr("10.1.2.3"), addr("::ffff:10.1.2.3"), addr("0.0.0.0"), addr("::")},
		dict.Ether:   {dict.EtherValue([6]byte{}), dict.EtherValue([6]byte{255, 254, 253, 252, 251, 250})},
		dict.String: {str(""), str("x"), str(long), str(long[2:] + "ab"), str("a, b=c \"q\" \\ \n\t*?[a-z]"), str("true"), str("5"), str("\uFFFD"),
			str(strings.Repeat("a", dict.MaxString)), str(strings.Repeat("a", dict.MaxString-1))},
	}
}

// values: each value of each type comes back as it was, one after the other in
// the same field and all at once in many rows.
func (x *suite) values(t *testing.T) {
	tab := dict.Table{Name: "all", Key: dict.KeyInt, Limit: 1000}
	for _, typ := range dict.Types() {
		tab.Fields = append(tab.Fields, dict.Field{Name: "f_" + typ.String(), Type: typ})
	}
	s := x.with(t, tab)
	n := 0
	for i, typ := range dict.Types() {
		for j, v := range samples()[typ] {
			must(t, s.Put("all", row(dict.IntKey(0), tab.Fields[i].Name, v)))
			r, err := s.Get("all", dict.IntKey(0))
			must(t, err)
			if got, _ := r.Get(tab.Fields[i].Name); got != v {
				t.Fatalf("%s: put %s, got %s %s", typ, v.Text(), got.Type(), got.Text())
			}
			k := dict.IntKey(uint32(100*(i+1) + j))
			must(t, s.Put("all", row(k, tab.Fields[i].Name, v)))
			n++
		}
	}
	for i, typ := range dict.Types() {
		for j, v := range samples()[typ] {
			wantRow(t, s, "all", dict.IntKey(uint32(100*(i+1)+j)), tab.Fields[i].Name, v)
		}
	}
	wantRows(t, s, "all", n+1)

	must(t, s.Put("all", row(dict.IntKey(1), "f_int64", dict.IntValue(-5))))
	wantRow(t, s, "all", dict.IntKey(1), "f_int64", num(-5))
}

// keys: each key of each type is itself and no other.
func (x *suite) keys(t *testing.T) {
	long := strings.Repeat("k", dict.MaxString)
	samples := map[dict.KeyType][]string{
		dict.KeyCtID:    {"0", "5", "0x05000000", "4294967295"},
		dict.KeyMark:    {"0", "5", "0x05000000", "4294967295"},
		dict.KeyInt:     {"0", "5", "0x05000000", "4294967295"},
		dict.KeyIPv4:    {"0.0.0.0", "255.255.255.255", "1.2.3.4", "4.3.2.1"},
		dict.KeyIPv6:    {"::", "::1", "::ffff:1.2.3.4", "2001:db8::1"},
		dict.KeyAddress: {"0.0.0.0", "::", "1.2.3.4", "::ffff:1.2.3.4", "::102:304", "102:304::"},
		dict.KeyEther:   {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:02:03:04:05:06", "06:05:04:03:02:01"},
		dict.KeyString:  {"a", "A", "a-b", "a_b", " a", "a ", "é", `"q"`, "*", "0", long, long[1:], long[2:] + "é"},
	}
	for _, typ := range dict.KeyTypes() {
		tab := dict.Table{Name: "by_" + typ.String(), Key: typ, Limit: 50, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}
		s := x.with(t, tab)
		for i, text := range samples[typ] {
			k, err := dict.ParseKey(typ, text)
			must(t, err)
			wantNone(t, s, tab.Name, k)
			must(t, s.Put(tab.Name, row(k, "n", dict.IntValue(int32(i)))))
		}
		wantRows(t, s, tab.Name, len(samples[typ]))
		for i, text := range samples[typ] {
			k, _ := dict.ParseKey(typ, text)
			wantRow(t, s, tab.Name, k, "n", dict.IntValue(int32(i)))
		}
		for _, text := range samples[typ] {
			k, _ := dict.ParseKey(typ, text)
			must(t, s.Delete(tab.Name, k))
			wantNone(t, s, tab.Name, k)
		}
		wantRows(t, s, tab.Name, 0)
	}

	s := x.with(t, dict.Table{Name: "four", Key: dict.KeyIPv4, Fields: []dict.Field{{Name: "n", Type: dict.Int}}})
	k := dict.AddrKey(netip.MustParseAddr("10.0.0.1"))
	must(t, s.Put("four", row(k, "n", dict.IntValue(1))))
	wantRow(t, s, "four", k, "n", dict.IntValue(1))
	n, err := s.Renew("four", 0, k)
	must(t, err)
	if n != 1 {
		t.Fatalf("renew by an address key: %d rows, want 1", n)
	}
	must(t, s.Delete("four", k))
}

// merge: a put replaces the cells it names and no others.
func (x *suite) merge(t *testing.T) {
	s := x.with(t, people())
	al := key("al")
	must(t, s.Put("people"))
	must(t, s.Put("people", row(al)))
	wantRow(t, s, "people", al)
	must(t, s.Put("people", row(al, "groups", str("sales"), "quota", num(5))))
	wantRow(t, s, "people", al, "quota", num(5), "groups", str("sales"))
	must(t, s.Put("people", row(al, "quota", num(6), "age", dict.IntValue(1))))
	wantRow(t, s, "people", al, "quota", num(6), "age", dict.IntValue(1), "groups", str("sales"))
	must(t, s.Put("people", row(al)))
	wantRow(t, s, "people", al, "quota", num(6), "age", dict.IntValue(1), "groups", str("sales"))
	must(t, s.Put("people", row(al, "age", dict.IntValue(2), "groups", str(""), "age", dict.IntValue(3))))
	wantRow(t, s, "people", al, "quota", num(6), "age", dict.IntValue(3), "groups", str(""))
	must(t, s.Put("people", row(al, "address", addr("10.0.0.1"))))
	must(t, s.Put("people", row(al, "address", addr("::ffff:10.0.0.1"))))
	wantRow(t, s, "people", al, "quota", num(6), "age", dict.IntValue(3), "groups", str(""), "address", addr("::ffff:10.0.0.1"))
	wantRows(t, s, "people", 1)
}

// batch: each row is all or nothing, in the order given.
func (x *suite) batch(t *testing.T) {
	tab := people()
	tab.Limit = 3000
	s := x.with(t, tab)
	var rows []dict.Row
	for i := range 2500 {
		rows = append(rows, row(key(fmt.Sprint("u", i)), "quota", num(int64(i)), "groups", str(fmt.Sprint("g", i))))
	}
	must(t, s.Put("people", rows...))
	wantRows(t, s, "people", len(rows))
	for r, err := range s.Rows("people") {
		must(t, err)
		q, _ := r.Get("quota")
		g, _ := r.Get("groups")
		if n := r.Key.Str()[1:]; len(r.Cells) != 2 || q.String() != n || g.Str() != "g"+n {
			t.Fatalf("row %s holds quota %s and groups %s", r.Key.Text(), q.Text(), g.Text())
		}
	}

	before := dump(t, s)
	err := s.Put("people",
		row(key("u1"), "quota", num(-1), "aplication", str("x")),
		row(key("u2"), "quota", num(-2)),
		row(key("new"), "quota", num(-3), "age", str("old")),
		dict.Row{Key: key("u3"), Cells: cells("quota", num(-4)), TTL: -1},
		row(dict.IntKey(77), "quota", num(-5)),
		row(key("u4"), "quota", num(1), "quota", num(-6)),
		row(key("u4"), "age", dict.IntValue(9)),
		row(key("u5"), "groups", dict.Value{}),
		row(key("last"), "quota", num(-7)),
	)
	refused(t, err, dict.ErrNotExist, "people", `"u1"`, `"aplication"`, `"new"`, `"age"`, `"u3"`, "77", `"u5"`, `"groups"`)
	refused(t, err, dict.ErrType)
	refused(t, err, dict.ErrRange)
	refused(t, err, dict.ErrInvalid)
	for _, ok := range []string{`"u2"`, `"u4"`, `"last"`} {
		if strings.Contains(err.Error(), ok) {
			t.Errorf("error %q names row %s, which was fine", err, ok)
		}
	}
	wantRow(t, s, "people", key("u2"), "quota", num(-2), "groups", str("g2"))
	wantRow(t, s, "people", key("u4"), "quota", num(-6), "age", dict.IntValue(9), "groups", str("g4"))
	wantRow(t, s, "people", key("last"), "quota", num(-7))
	must(t, s.Delete("people", key("last")))
	must(t, s.Delete("people", key("u4"), "age"))
	must(t, s.Put("people", row(key("u2"), "quota", num(2)), row(key("u4"), "quota", num(4))))
	same(t, "what the refused rows left", dump(t, s), before)
}

// names: '-' and '_' are one, aliases are their field, and what comes back is
// canonical.
func (x *suite) names(t *testing.T) {
	tab := people()
	tab.Name = "my-people"
	s := x.with(t, tab)
	al := key("al")
	must(t, s.Put("my_people", row(al, "quota-exceeded", dict.BoolValue(true))))
	wantRow(t, s, "my-people", al, "quota_exceeded", dict.BoolValue(true))
	must(t, s.Put("my-people", row(al, "user-group", str("a"))))
	wantRow(t, s, "my_people", al, "groups", str("a"), "quota_exceeded", dict.BoolValue(true))
	must(t, s.Put("my-people", row(al, "groups", str("b"), "grp", str("c"))))
	wantRow(t, s, "my_people", al, "groups", str("c"), "quota_exceeded", dict.BoolValue(true))
	must(t, s.Delete("my-people", al, "user-group"))
	wantRow(t, s, "my_people", al, "quota_exceeded", dict.BoolValue(true))
	must(t, s.AddFields("my-people", dict.Field{Name: "x-y", Type: dict.Bool}))
	must(t, s.Put("my-people", row(al, "x_y", dict.BoolValue(true))))
	st, err := s.Stats("my-people")
	must(t, err)
	same(t, "figures", st, dict.Stats{Rows: 1, Limit: tab.Limit})
	n, err := s.Renew("my-people", 0, al)
	must(t, err)
	if n != 1 {
		t.Fatalf("renew: %d rows, want 1", n)
	}
	must(t, s.DeleteTable("my-people"))
}

// defaults: they are for rules; Get and Rows show what was written.
func (x *suite) defaults(t *testing.T) {
	s := x.with(t, people())
	al := key("al")
	wantNone(t, s, "people", al)
	must(t, s.Put("people", row(al, "age", dict.IntValue(0))))
	wantRow(t, s, "people", al, "age", dict.IntValue(0))
	must(t, s.Put("people", row(al, "quota_exceeded", dict.BoolValue(false))))
	wantRow(t, s, "people", al, "age", dict.IntValue(0), "quota_exceeded", dict.BoolValue(false))
	must(t, s.Delete("people", al, "quota_exceeded"))
	wantRow(t, s, "people", al, "age", dict.IntValue(0))
	refused(t, s.Delete("people", al, "quota_exceeded"), dict.ErrNotExist, "people", `"al"`, `"quota_exceeded"`)
}

// delete: a row, or the fields named, and nothing when one is missing.
func (x *suite) delete(t *testing.T) {
	s := x.with(t, people())
	al, bo := key("al"), key("bo")
	must(t, s.Put("people",
		row(al, "quota", num(1), "age", dict.IntValue(2), "groups", str("g")),
		row(bo, "quota", num(1), "age", dict.IntValue(2), "groups", str("g"))))
	must(t, s.Delete("people", al, "age", "quota"))
	wantRow(t, s, "people", al, "groups", str("g"))
	before := dump(t, s)
	refused(t, s.Delete("people", al, "groups", "age"), dict.ErrNotExist, "people", `"al"`, `"age"`)
	refused(t, s.Delete("people", al, "groups", "nosuch"), dict.ErrNotExist, "people", `"al"`, `"nosuch"`)
	same(t, "state after refused deletes", dump(t, s), before)
	must(t, s.Delete("people", al, "groups"))
	wantRow(t, s, "people", al)
	wantRows(t, s, "people", 2)
	must(t, s.Put("people", row(al, "age", dict.IntValue(7))))
	wantRow(t, s, "people", al, "age", dict.IntValue(7))
	must(t, s.Delete("people", al))
	wantNone(t, s, "people", al)
	wantRows(t, s, "people", 1)
	must(t, s.Put("people", row(al, "quota", num(9))))
	wantRow(t, s, "people", al, "quota", num(9))
	must(t, s.Delete("people", bo, "groups", "user-group"))
	wantRow(t, s, "people", bo, "quota", num(1), "age", dict.IntValue(2))
}

// flush: dict.Flush empties a table and counts.
func (x *suite) flush(t *testing.T) {
	other := people()
	other.Name = "others"
	s := x.with(t, people(), other)
	for i := range 100 {
		must(t, s.Put("people", row(key(fmt.Sprint(i)), "quota", num(1))))
	}
	must(t, s.Put("others", row(key("al"))))
	n, err := dict.Flush(s, "people")
	must(t, err)
	if n != 100 {
		t.Errorf("flush deleted %d rows, want 100", n)
	}
	wantRows(t, s, "people", 0)
	wantRows(t, s, "others", 1)
	_, err = dict.Flush(s, "nobody")
	refused(t, err, dict.ErrNotExist, "nobody")
}
