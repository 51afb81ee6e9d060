// SPDX-License-Identifier: MIT

package dict_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nftdict/dict"
)

func equate() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b dict.Value) bool { return a == b }),
		cmp.Comparer(func(a, b dict.Key) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
}

func mustParse(t testing.TB, text string) []dict.Statement {
	t.Helper()
	p := dict.NewParser(strings.NewReader(text))
	var out []dict.Statement
	for {
		s, err := p.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		out = append(out, s)
	}
}

func usersTable() dict.Table {
	return dict.Table{Name: "users", Key: dict.KeyString, Limit: 100, Timeout: 5 * time.Minute, Fields: []dict.Field{
		{Name: "usergroups", Type: dict.String, Aliases: []string{"user_group"}},
		{Name: "quota_exceeded", Type: dict.Bool, Default: dict.BoolValue(false)},
		{Name: "port", Type: dict.Int}, {Name: "quota", Type: dict.Int64}, {Name: "ttl", Type: dict.Int},
		{Name: "addr", Type: dict.Address},
	}}
}

func TestParseStatements(t *testing.T) {
	pos := func(line, col int) dict.Pos { return dict.Pos{Line: line, Column: col} }
	word := func(line, col int, text string) dict.Word { return dict.Word{Pos: pos(line, col), Text: text} }
	quoted := func(line, col int, text string) dict.Word {
		return dict.Word{Pos: pos(line, col), Text: text, Quoted: true}
	}
	for text, want := range map[string][]dict.Statement{
		"":                          nil,
		" \n;;\n\t# only a comment": nil,
		"flush users":               {&dict.FlushStmt{Pos: pos(1, 1), Table: word(1, 7, "users")}},
		"flush table users # all":   {&dict.FlushStmt{Pos: pos(1, 1), Table: word(1, 13, "users")}},
		"delete table users":        {&dict.DeleteTableStmt{Pos: pos(1, 1), Table: word(1, 14, "users")}},
		`delete "table" 5 a b; flush t`: {
			&dict.DeleteStmt{Pos: pos(1, 1), Table: quoted(1, 8, "table"), Key: word(1, 16, "5"), Fields: []dict.Word{word(1, 18, "a"), word(1, 20, "b")}},
			&dict.FlushStmt{Pos: pos(1, 23), Table: word(1, 29, "t")},
		},
		"set é 5\nset t 6": {
			&dict.SetStmt{Pos: pos(1, 1), Table: word(1, 5, "é"), Key: word(1, 7, "5")},
			&dict.SetStmt{Pos: pos(2, 1), Table: word(2, 5, "t"), Key: word(2, 7, "6")},
		},
		"set sessions 5 application \"NET\\\"FLIX\" \\\n  client_port int 443 \"ttl\" 7 ttl 1m30s\r\n": {&dict.SetStmt{
			Pos: pos(1, 1), Table: word(1, 5, "sessions"), Key: word(1, 14, "5"), TTL: 90 * time.Second,
			Cells: []dict.CellText{
				{Field: word(1, 16, "application"), Value: quoted(1, 28, `NET"FLIX`)},
				{Field: word(2, 3, "client_port"), Type: dict.Int, Value: word(2, 19, "443")},
				{Field: quoted(2, 23, "ttl"), Value: word(2, 29, "7")},
			}}},
		`set t k int int int bool "bool"`: {&dict.SetStmt{
			Pos: pos(1, 1), Table: word(1, 5, "t"), Key: word(1, 7, "k"),
			Cells: []dict.CellText{{Field: word(1, 9, "int"), Type: dict.Int, Value: word(1, 17, "int")}, {Field: word(1, 21, "bool"), Value: quoted(1, 26, "bool")}}}},
		`add users al quota -5 "ttl" int64 0x10 ttl 5s; add "table" 1 n 2`: {
			&dict.AddStmt{SetStmt: dict.SetStmt{Pos: pos(1, 1), Table: word(1, 5, "users"), Key: word(1, 11, "al"), TTL: 5 * time.Second,
				Cells: []dict.CellText{{Field: word(1, 14, "quota"), Value: word(1, 20, "-5")}, {Field: quoted(1, 23, "ttl"), Type: dict.Int64, Value: word(1, 35, "0x10")}}}},
			&dict.AddStmt{SetStmt: dict.SetStmt{Pos: pos(1, 48), Table: quoted(1, 52, "table"), Key: word(1, 60, "1"), Cells: []dict.CellText{{Field: word(1, 62, "n"), Value: word(1, 64, "2")}}}},
		},
		"add field users ttl int64 default -5 alias a alias \"b\"": {&dict.AddFieldStmt{
			Pos: pos(1, 1), Table: word(1, 11, "users"), Field: dict.Field{Name: "ttl", Type: dict.Int64, Default: dict.Int64Value(-5), Aliases: []string{"a", "b"}}}},
		"add table a-b {\n\tkey string # of people\n\n  limit 5; timeout 1d\n open;field f;field g alias h }": {&dict.AddTableStmt{
			Pos: pos(1, 1), Table: dict.Table{Name: "a_b", Key: dict.KeyString, Limit: 5, Timeout: 24 * time.Hour, Open: true, Fields: []dict.Field{{Name: "f"}, {Name: "g", Aliases: []string{"h"}}}}}},
		"add table s{key ct_id;bound}": {&dict.AddTableStmt{Pos: pos(1, 1), Table: dict.Table{Name: "s", Key: dict.KeyCtID, Limit: dict.DefaultLimit, Bound: true}}},
	} {
		if d := cmp.Diff(want, mustParse(t, text), equate()); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

func TestDocumentedText(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(doc)) {
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			n += len(mustParse(t, text))
		}
	}
	if n != 10 {
		t.Errorf("doc.go shows %d statements, want 10", n)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]struct {
		err  error
		text string
	}{
		"put x":                                 {dict.ErrInvalid, `1:1: "put": invalid: want add, set, delete or flush`},
		"\n  \"set\" x y":                       {dict.ErrInvalid, `2:3: "set": invalid: want add, set, delete or flush`},
		"{":                                     {dict.ErrInvalid, `1:1: "{": invalid: want add, set, delete or flush`},
		"add":                                   {dict.ErrInvalid, `1:4: end of text: invalid: want table, field or the table's name`},
		"set\n":                                 {dict.ErrInvalid, `1:4: end of line: invalid: want the table's name`},
		"set t;":                                {dict.ErrInvalid, `1:6: ";": invalid: want the row's key`},
		"set t k f":                             {dict.ErrInvalid, `1:10: end of text: invalid: want the value of field "f"`},
		"set t k f int":                         {dict.ErrInvalid, `1:14: end of text: invalid: want the value of field "f"`},
		"set t k f 5 }":                         {dict.ErrInvalid, `1:13: "}": invalid: want a field's name or ttl`},
		"set t k ttl":                           {dict.ErrInvalid, `1:12: end of text: invalid: want a time span`},
		"set t k ttl 5x":                        {dict.ErrInvalid, `1:13: time "5x": invalid: want a span like 1h30m or 90s, at most 365d`},
		"set t k ttl 366d":                      {dict.ErrRange, `1:13: time "366d": out of range: want a span like 1h30m or 90s, at most 365d`},
		"set t k ttl \"5s\"":                    {dict.ErrInvalid, `1:13: time "5s": invalid: quotes are for text`},
		"set t k ttl 5s f 6":                    {dict.ErrInvalid, `1:16: "f": invalid: want the end of the statement`},
		`set t k f "abc`:                        {dict.ErrInvalid, `1:11: string "\"abc": invalid: no closing quote`},
		"set t k f \"a\nb\"":                    {dict.ErrInvalid, `1:11: string "\"a": invalid: no closing quote`},
		`set t k f "a\"`:                        {dict.ErrInvalid, `1:11: string "\"a\\\"": invalid: no closing quote`},
		`set t k f "a\xg0"`:                     {dict.ErrInvalid, `1:11: string "\"a\\xg0\"": invalid: want two hex digits after \x`},
		`set t k f "a"b`:                        {dict.ErrInvalid, `1:14: "b": invalid: want a blank after "a"`},
		`set t k f a"b"`:                        {dict.ErrInvalid, `1:12: "\"": invalid: want a blank after "a"`},
		"delete t":                              {dict.ErrInvalid, `1:9: end of text: invalid: want the row's key`},
		"delete table":                          {dict.ErrInvalid, `1:13: end of text: invalid: want the table's name`},
		"flush a b":                             {dict.ErrInvalid, `1:9: "b": invalid: want the end of the statement`},
		"add table t key string":                {dict.ErrInvalid, `1:13: "key": invalid: want "{" and the table's parts`},
		"add table t {\nkey strng\n}":           {dict.ErrInvalid, `2:5: key type "strng": invalid: want ct_id, ipv4_addr, ipv6_addr, address, ether_addr, mark, int or string`},
		"add table t { key string":              {dict.ErrInvalid, `1:25: end of text: invalid: want key, limit, timeout, bound, open, field or "}"`},
		"add table t { key string limit 5":      {dict.ErrInvalid, `1:26: "limit": invalid: want ";", "}" or the end of the line`},
		"add table t { key int; key int }":      {dict.ErrInvalid, `1:24: "key": invalid: stands twice`},
		"add table t { key int; limit -1}":      {dict.ErrInvalid, `1:30: "-1": invalid: want a number of rows, at most 2147483647`},
		"add table t { size 5 }":                {dict.ErrInvalid, `1:15: "size": invalid: want key, limit, timeout, bound, open, field or "}"`},
		" add table t { limit 5 }":              {dict.ErrInvalid, `1:2: table t: invalid: no key type`},
		"add table t { key int; field f }":      {dict.ErrInvalid, `1:1: table t: field "f": invalid: no type`},
		"add table t { key int; field f flot }": {dict.ErrInvalid, `1:32: "flot": invalid: want the field's type, alias, or the end of the field`},
		"add table t { key int; field f int default x }":           {dict.ErrInvalid, `1:44: int "x": invalid`},
		"add table t { key int; field f int default \"5\" }":       {dict.ErrType, `1:44: int "5": wrong type: quotes are for long_string`},
		"add table t { key int; field f int default 3000000000 }":  {dict.ErrRange, `1:44: int "3000000000": out of range`},
		"add table t { key int; field f int default 1 default 2 }": {dict.ErrInvalid, `1:46: "default": invalid: want default, alias, or the end of the field`},
		"add table t { key int; field f bool; field f int }":       {dict.ErrExist, `1:1: table t: field "f": name "f": exists already`},
		"add table t { key int } set t 5":                          {dict.ErrInvalid, `1:25: "set": invalid: want the end of the statement`},
		"add t":                                                    {dict.ErrInvalid, `1:6: end of text: invalid: want the row's key`},
		"add t k ttl 5s":                                           {dict.ErrInvalid, `1:15: end of text: invalid: want a field and its amount`},
		"add field t f":                                            {nil, ""}, // an open table's
		"set t k f \\ 5":                                           {dict.ErrInvalid, `1:14: end of text: invalid: want the value of field "5"`},
	} {
		p := dict.NewParser(strings.NewReader(text))
		_, err := p.Next()
		if want.err == nil {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		var at *dict.TextError
		if err == nil || err.Error() != want.text || !errors.Is(err, want.err) || !errors.As(err, &at) {
			t.Errorf("%s\n got %v\nwant %s (%v)", text, err, want.text, want.err)
		}
		if _, again := p.Next(); again != err {
			t.Errorf("%s: the next call returns %v", text, again)
		}
	}
}

func TestParseBounds(t *testing.T) {
	for name, text := range map[string]string{
		"word":    "set t " + strings.Repeat("k", dict.MaxLine),
		"blanks":  "set t" + strings.Repeat(" ", dict.MaxLine) + "k",
		"comment": "# " + strings.Repeat("é", dict.MaxLine/2),
	} {
		_, err := dict.NewParser(strings.NewReader("\n" + text + "\n")).Next()
		if !errors.Is(err, dict.ErrTooLong) || !strings.HasPrefix(fmt.Sprint(err), "2:1: line: too long") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	over := "set t k" + strings.Repeat(" ", dict.MaxLine-len("set t k")+1)
	if _, err := dict.ParseStatement(over + "\n"); !errors.Is(err, dict.ErrTooLong) {
		t.Errorf("a line of MaxLine+1 bytes: got %v", err)
	}
	fits := "set t k" + strings.Repeat(" ", dict.MaxLine-len("set t k"))
	if s := mustParse(t, fits+"\n"+fits); len(s) != 2 {
		t.Errorf("lines of MaxLine bytes: %d statements, want 2", len(s))
	}
	var many strings.Builder
	many.WriteString("add table t { key int\n")
	for i := range dict.MaxFields + 1 {
		fmt.Fprintf(&many, "field f%d bool\n", i)
	}
	if _, err := dict.ParseStatement(many.String() + "}"); !errors.Is(err, dict.ErrFull) {
		t.Errorf("too many fields: got %v", err)
	}
	if _, err := dict.ParseStatement("add field t f bool" + strings.Repeat(" alias a", dict.MaxAliases+1)); !errors.Is(err, dict.ErrFull) {
		t.Errorf("too many aliases: got %v", err)
	}
	broken := errors.New("broken pipe")
	_, err := dict.NewParser(io.MultiReader(strings.NewReader("set t k\nset t"), errReader{broken})).Next()
	if err != nil {
		t.Errorf("the statement before a read error: %v", err)
	}
	p := dict.NewParser(io.MultiReader(strings.NewReader("set t"), errReader{broken}))
	if _, err := p.Next(); !errors.Is(err, broken) {
		t.Errorf("a read error: got %v", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestParseOne(t *testing.T) {
	for _, text := range []string{"", "set t k; set t k", "set t k\nfoo"} {
		if s, err := dict.ParseStatement(text); !errors.Is(err, dict.ErrInvalid) {
			t.Errorf("%q: got %v, %v", text, s, err)
		}
	}
	s, err := dict.ParseArgs("set", "users", "al bo", "usergroups", "a;b # {c}", "user_group", `"int"`, "quota", "int64", "5")
	if err != nil {
		t.Fatal(err)
	}
	users := usersTable()
	r, err := s.(*dict.SetStmt).Row(&users)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(dict.AppendRow(nil, &users, r)); got != `set users "al bo" usergroups "int" quota 5` {
		t.Errorf("got %s", got)
	}
	for want, args := range map[string][]string{
		`1:6: end of text: invalid: want the row's key`:           {"set", "t"},
		`1:9: string "\"x": invalid: no closing quote`:            {"set", "é", "é", `"x`},
		`1:1: "set t k": invalid: want add, set, delete or flush`: {"set t k"},
		`1:9: end of text: invalid: want the value of field ""`:   {"set", "t", "k", ""},
		`1:1: end of text: invalid: want a statement`:             {},
	} {
		if _, err := dict.ParseArgs(args...); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", args, err, want)
		}
	}
}

func TestResolve(t *testing.T) {
	users := usersTable()
	free := dict.Table{Name: "free", Key: dict.KeyCtID, Open: true, Fields: []dict.Field{{Name: "f", Aliases: []string{"g"}}}}
	for text, want := range map[string]string{
		"set users al": `set users "al"`,
		`set users "al" user-group sales quota 0x10`:                       `set users "al" usergroups "sales" quota 16`,
		`set users al quota int -5 addr ::1 addr ipv4_addr 1.2.3.4 ttl 61`: `set users "al" quota -5 addr 1.2.3.4 ttl 1m1s`,
		`set users al addr address ::1 quota_exceeded bool true "ttl" 5`:   `set users "al" addr ::1 quota_exceeded true "ttl" 5`,
		`set users al usergroups ""`:                                       `set users "al" usergroups ""`,
		`set users al usergroups a\b*`:                                     `set users "al" usergroups "a\\b*"`,
		`set free 0x5 g int 5 new string x`:                                `set free 5 f int 5 new long_string "x"`,
		`set free 5 f address 1.2.3.4 h ether_addr 02:00:00:00:00:01`:      `set free 5 f ipv4_addr 1.2.3.4 h ether_addr 02:00:00:00:00:01`,

		`set users ""`:                      `1:11: set users: key "": invalid: empty`,
		`set users al aplication x`:         `1:14: set users "al": field "aplication": does not exist`,
		`set users al port 99999999999`:     `1:19: set users "al": field "port": int "99999999999": out of range`,
		`set users al port int64 5`:         `1:1: set users "al": field "port": value 5: wrong type: int64, want int`,
		`set users al port "5"`:             `1:19: set users "al": field "port": int "5": wrong type: quotes are for long_string`,
		`set users al usergroups bool true`: `1:1: set users "al": field "usergroups": value true: wrong type: bool, want long_string`,
		`set free al`:                       `1:10: set free: ct_id "al": invalid`,
		`set free "5"`:                      `1:10: set free: ct_id "5": wrong type: quotes are for string`,
		`set free 5 f 5`:                    `1:14: set free 5: field "f": value "5": invalid: want its type before it, the table is open`,
		`set free 5 "a b" int 5`:            `1:12: set free 5: field "a b": name "a b": invalid: want a letter, then letters, digits, '_', '-' or '.'`,
		`set users al usergroups ` + strings.Repeat("é", 65): `1:25: set users "al": field "usergroups": string "` + strings.Repeat("é", 24) + `"...: too long: 130 bytes, at most 128`,

		`add users al quota -5 ttl 61`:    `add users "al" quota -5 ttl 1m1s`,
		`add free 5 f int 5 new int64 -6`: `add free 5 f int 5 new int64 -6`,
		`add users al quota 1 quota 2`:    `1:1: add users "al": field "quota": invalid: a second amount`,
		`add users al usergroups a`:       `1:1: add users "al": field "usergroups": value "a": wrong type: long_string, want an amount of int or int64`,
		`add users al port much`:          `1:19: add users "al": field "port": int "much": invalid`,
		`add users ""  port 1`:            `1:11: add users: key "": invalid: empty`,

		`delete users al`:                  `delete users "al" `,
		`delete users al user-group "ttl"`: `delete users "al" usergroups ttl`,
		`delete users al x`:                `1:17: delete users "al": field "x": does not exist`,
		`delete free x f`:                  `1:13: delete free: ct_id "x": invalid`,
	} {
		st, err := dict.ParseStatement(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		table := &users
		if st.TableName() == "free" {
			table = &free
		}
		var got string
		switch st := st.(type) {
		case *dict.SetStmt:
			r, err := st.Row(table)
			got = fmt.Sprint(err)
			if err == nil {
				got = string(dict.AppendRow(nil, table, r))
			}
		case *dict.AddStmt:
			r, err := st.Row(table)
			got = fmt.Sprint(err)
			if err == nil {
				got = "add" + strings.TrimPrefix(string(dict.AppendRow(nil, table, r)), "set")
			}
		case *dict.DeleteStmt:
			k, fields, err := st.Resolve(table)
			got = fmt.Sprint(err)
			if err == nil {
				got = "delete " + table.Name + " " + k.Text() + " " + strings.Join(fields, " ")
			}
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAppendTable(t *testing.T) {
	all := append(dict.Standard(4096), usersTable(),
		dict.Table{Name: "table", Key: dict.KeyMark, Open: true, Limit: 7, Fields: []dict.Field{{Name: "ttl"}, {Name: "field", Aliases: []string{"table", "key"}}}},
		dict.Table{Name: "words", Key: dict.KeyInt, Fields: []dict.Field{
			{Name: "default", Type: dict.String, Default: dict.MustString("a \"b\"; }\n#\x7f")}, {Name: "int", Type: dict.String, Default: dict.MustString("int")},
			{Name: "bound", Type: dict.Address, Default: dict.AddrValue(netipAddr("::1")), Aliases: []string{"alias", "bool"}},
		}})
	for _, tab := range all {
		want, err := tab.Normal()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(dict.AppendTable(nil, want)), string(dict.AppendTableBlock(nil, want))} {
			st, err := dict.ParseStatement(text)
			if err != nil {
				t.Fatalf("%s\n%v", text, err)
			}
			if d := cmp.Diff(want, st.(*dict.AddTableStmt).Table, equate()); d != "" {
				t.Errorf("%s (-want +got):\n%s", text, d)
			}
		}
		for _, f := range want.Fields {
			st, err := dict.ParseStatement(string(dict.AppendField(nil, want.Name, f)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(f, st.(*dict.AddFieldStmt).Field, equate()); d != "" {
				t.Errorf("field (-want +got):\n%s", d)
			}
		}
	}
	users := usersTable()
	if got, want := string(dict.AppendTable(nil, users)), `add table users { key string; limit 100; timeout 5m; field usergroups long_string alias user_group; field quota_exceeded bool default false; field port int; field quota int64; field "ttl" int; field addr address; }`; got != want {
		t.Errorf("one line:\n got %s\nwant %s", got, want)
	}
	if got, want := string(dict.AppendTableBlock(nil, dict.Table{Name: "s", Key: dict.KeyCtID, Bound: true, Open: true})), "add table s {\n\tkey ct_id\n\tbound\n\topen\n}"; got != want {
		t.Errorf("block:\n got %s\nwant %s", got, want)
	}
}

func TestAppendChange(t *testing.T) {
	users := usersTable()
	k, _ := dict.StringKey("al")
	for _, c := range []struct {
		change dict.Change
		want   string
	}{
		{dict.Change{Kind: dict.Set, Row: dict.Row{Key: k, Cells: []dict.Cell{{Field: "ttl", Value: dict.IntValue(5)}}}}, `set users "al" "ttl" 5`},
		{dict.Change{Kind: dict.Deleted, Row: dict.Row{Key: k, Cells: []dict.Cell{{Field: "ttl"}, {Field: "port"}}}}, `delete users "al" "ttl" port`},
		{dict.Change{Kind: dict.Deleted, Row: dict.Row{Key: k}}, `delete users "al"`},
	} {
		if got := string(dict.AppendChange(nil, &users, c.change)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		mustParse(t, c.want)
	}
}
