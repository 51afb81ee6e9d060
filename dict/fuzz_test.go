// SPDX-License-Identifier: MIT

package dict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict"
)

// classified fails unless an error wraps a sentinel that bad input may earn
// and stays short on one line.
func classified(t *testing.T, err error) {
	t.Helper()
	for _, s := range []error{dict.ErrInvalid, dict.ErrType, dict.ErrTooLong, dict.ErrRange, dict.ErrExist, dict.ErrNotExist, dict.ErrFull} {
		if errors.Is(err, s) {
			if text := err.Error(); strings.ContainsAny(text, "\n\x00") || !utf8.ValidString(text) {
				t.Fatalf("error %q is not one line of text", text)
			}
			return
		}
	}
	t.Fatalf("error %v wraps no sentinel", err)
}

func FuzzParseText(f *testing.F) {
	for _, text := range []string{"", "5", "+5", "-0x80000000", "0x", "1_000", "١", "true", "::ffff:1.2.3.4", "fe80::1%eth0", "02:00:00:00:00:01", `"a\"b\x00"`, "\xff", "\"\xff\""} {
		for typ := range dict.Types() {
			f.Add(uint8(typ+1), text)
		}
	}
	f.Fuzz(func(t *testing.T, typ uint8, text string) {
		v, err := dict.ParseText(dict.Type(typ), text)
		if err != nil {
			classified(t, err)
			if !v.IsZero() {
				t.Fatalf("a refused text gave %s", v.Text())
			}
			return
		}
		if !dict.Type(typ).Accepts(v.Type()) {
			t.Fatalf("type %s gave %s", dict.Type(typ), v.Type())
		}
		for _, again := range []struct{ name, text string }{{"Text", v.Text()}, {"String", v.String()}} {
			parse := dict.ParseText
			if again.name == "String" {
				parse = dict.ParseValue
			}
			if w, err := parse(dict.Type(typ), again.text); err != nil || w != v {
				t.Fatalf("%s %s of %q: got %s, %v", again.name, again.text, text, w.Text(), err)
			}
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w dict.Value
		if err := json.Unmarshal(data, &w); err != nil || w != v {
			t.Fatalf("json %s: got %s, %v", data, w.Text(), err)
		}
	})
}

func FuzzUnquote(f *testing.F) {
	for _, text := range []string{"", `"`, `""`, `"\`, `"\"`, `"\x"`, `"\x 1"`, `"\x1_"`, `"\xZZ"`, `"a"b"`, "plain", `"é\xff"`, "\"\u00a0\u202e\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := dict.Unquote(dict.Quote(text)); err != nil || got != text {
			t.Fatalf("quoted %q as %s, got %q, %v", text, dict.Quote(text), got, err)
		}
		s, err := dict.Unquote(text)
		if err != nil {
			classified(t, err)
			return
		}
		if got, err := dict.Unquote(dict.Quote(s)); err != nil || got != s {
			t.Fatalf("unquoted %q is %q, quoted and unquoted again %q, %v", text, s, got, err)
		}
	})
}

func FuzzParseKeyText(f *testing.F) {
	for _, text := range []string{"", "5", "-1", "+5", "0x11111166", "4294967296", "10.0.0.1", "::1", "::ffff:1.2.3.4", "fe80::1%1", "FF:00:00:00:00:01", `"al"`, `""`} {
		for typ := range dict.KeyTypes() {
			f.Add(uint8(typ+1), text)
		}
	}
	f.Fuzz(func(t *testing.T, typ uint8, text string) {
		k, err := dict.ParseKeyText(dict.KeyType(typ), text)
		if err != nil {
			classified(t, err)
			if k != (dict.Key{}) {
				t.Fatalf("a refused text gave %s", k.Text())
			}
			return
		}
		if k.Type() != dict.KeyType(typ) {
			t.Fatalf("type %s gave %s", dict.KeyType(typ), k.Type())
		}
		if l, err := dict.ParseKeyText(k.Type(), k.Text()); err != nil || l != k {
			t.Fatalf("Text %s of %q: got %s, %v", k.Text(), text, l.Text(), err)
		}
		if l, err := dict.ParseKey(k.Type(), k.String()); err != nil || l != k {
			t.Fatalf("String %s of %q: got %s, %v", k, text, l, err)
		}
		data, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var l dict.Key
		if err := json.Unmarshal(data, &l); err != nil || l != k {
			t.Fatalf("json %s: got %s, %v", data, l.Text(), err)
		}
	})
}

// FuzzParser parses any text; what it takes prints and parses to the same.
func FuzzParser(f *testing.F) {
	for _, tab := range dict.Standard(100) {
		f.Add(string(dict.AppendTable(nil, tab)))
		f.Add(string(dict.AppendTableBlock(nil, tab)))
	}
	f.Add("set users \"a\" usergroups long_string \"x\\x00\" quota 5 ttl 1h; delete users a port # c\nset free 5 f int 5 g address ::1")
	f.Add("delete table x; flush table y\nadd field t f int default 5 alias a\\\n alias b")
	users, free := usersTable(), dict.Table{Name: "free", Key: dict.KeyInt, Open: true}
	f.Fuzz(func(t *testing.T, text string) {
		p := dict.NewParser(strings.NewReader(text))
		for range 1000 {
			st, err := p.Next()
			if err != nil {
				if err.Error() != "EOF" {
					classified(t, err)
				}
				return
			}
			switch st := st.(type) {
			case *dict.AddTableStmt:
				for _, text := range []string{string(dict.AppendTable(nil, st.Table)), string(dict.AppendTableBlock(nil, st.Table))} {
					again, err := dict.ParseStatement(text)
					if err != nil {
						t.Fatalf("%s\n%v", text, err)
					}
					if d := cmp.Diff(st.Table, again.(*dict.AddTableStmt).Table, equate()); d != "" {
						t.Fatalf("%s\n%s", text, d)
					}
				}
			case *dict.SetStmt:
				for _, tab := range []*dict.Table{&users, &free} {
					r, err := st.Row(tab)
					if err != nil {
						classified(t, err)
						continue
					}
					sameRow(t, tab, r)
				}
			case *dict.AddStmt:
				for _, tab := range []*dict.Table{&users, &free} {
					r, err := st.Row(tab)
					if err != nil {
						classified(t, err)
						continue
					}
					if _, err := tab.CheckAmounts("add", r); err != nil {
						t.Fatalf("%v: %v", r, err)
					}
				}
			case *dict.DeleteStmt:
				if _, _, err := st.Resolve(&users); err != nil {
					classified(t, err)
				}
			}
		}
	})
}

// sameRow checks that a row survives its text and JSON forms.
func sameRow(t *testing.T, tab *dict.Table, r dict.Row) {
	t.Helper()
	text := string(dict.AppendRow(nil, tab, r))
	st, err := dict.ParseStatement(text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	again, err := st.(*dict.SetStmt).Row(tab)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	if d := cmp.Diff(r, again, equate()); d != "" {
		t.Fatalf("%s\n%s", text, d)
	}
	data := tab.AppendRowJSON(nil, r)
	if again, err = tab.ParseRowJSON(data); err != nil {
		t.Fatalf("%s\n%v", data, err)
	}
	if d := cmp.Diff(r, again, equate()); d != "" {
		t.Fatalf("%s\n%s", data, d)
	}
	if data, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	if again = (dict.Row{}); json.Unmarshal(data, &again) != nil {
		t.Fatalf("%s: does not parse", data)
	}
	if d := cmp.Diff(r, again, equate()); d != "" {
		t.Fatalf("%s\n%s", data, d)
	}
}

// FuzzRow writes rows of any values and reads them back.
func FuzzRow(f *testing.F) {
	f.Add("al", "sales", int64(5), int32(-5), true, uint32(60), []byte("\x01\x02\x03\x04\x05\x06"))
	f.Add("int", "ttl", int64(1)<<60+1, int32(0), false, uint32(0), []byte{})
	f.Add("#;{}\\", "\"\n\x7f\u2028<&>", int64(-1), int32(1), false, uint32(1), []byte{255})
	users, free := usersTable(), dict.Table{Name: "free", Key: dict.KeyString, Open: true}
	f.Fuzz(func(t *testing.T, key, text string, big int64, small int32, yes bool, ttl uint32, mac []byte) {
		k, err := dict.StringKey(key)
		if err != nil {
			return
		}
		v, err := dict.StringValue(text)
		if err != nil {
			return
		}
		var m [6]byte
		copy(m[:], mac)
		r := dict.Row{Key: k, TTL: time.Duration(ttl%3e7) * time.Second, Cells: []dict.Cell{
			{Field: "usergroups", Value: v}, {Field: "quota", Value: dict.Int64Value(big)}, {Field: "port", Value: dict.IntValue(small)},
			{Field: "quota_exceeded", Value: dict.BoolValue(yes)}, {Field: "ttl", Value: dict.IntValue(-small)},
		}}
		sameRow(t, &users, r)
		r.Cells = append(r.Cells, dict.Cell{Field: "mac", Value: dict.EtherValue(m)}, dict.Cell{Field: "table", Value: dict.AddrValue(netipAddr("::ffff:1.2.3.4"))})
		sameRow(t, &free, r)
	})
}

// FuzzRowJSON reads any JSON as a row.
func FuzzRowJSON(f *testing.F) {
	f.Add([]byte(`{"key":"al","ttl":60,"cells":{"quota":9007199254740993,"usergroups":"x","port":{"type":"int","value":-5}}}`))
	f.Add([]byte(`{"key":{"type":"string","value":"al"},"cells":{"a":null,"b":true,"c":"\ud800"}}`))
	f.Add([]byte(`{"name":"t","key":"int","fields":[{"name":"a","type":"int","default":5}]}`))
	users, free := usersTable(), dict.Table{Name: "free", Key: dict.KeyString, Open: true}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tab := range []*dict.Table{&users, &free} {
			r, err := tab.ParseRowJSON(data)
			if err != nil {
				classified(t, err)
				continue
			}
			sameRow(t, tab, r)
		}
		var r dict.Row
		if err := r.UnmarshalJSON(data); err != nil {
			classified(t, err)
		}
		var tab dict.Table
		if err := tab.UnmarshalJSON(data); err != nil {
			classified(t, err)
		} else if _, err := tab.Normal(); err != nil {
			t.Fatal(err)
		}
	})
}
