// SPDX-License-Identifier: MIT

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

// newPlanStore returns a store with one table and one row.
func newPlanStore(tb testing.TB) *dicttest.Mem {
	tb.Helper()
	m := dicttest.NewMem(nil)
	if err := m.AddTable(dict.Table{Name: "t", Key: dict.KeyInt, Limit: 5000, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}); err != nil {
		tb.Fatal(err)
	}
	if err := m.Put("t", dict.Row{Key: dict.IntKey(0)}); err != nil {
		tb.Fatal(err)
	}
	return m
}

func noNote(*dict.Table) {}

// counted is a store that counts its calls of Put.
type counted struct {
	*dicttest.Mem
	puts int
}

func (c *counted) Put(table string, rows ...dict.Row) error {
	c.puts++
	return c.Mem.Put(table, rows...)
}

func TestPlanBatches(t *testing.T) {
	s := &counted{Mem: newPlanStore(t)}
	var text bytes.Buffer
	const rows = 2*maxBatch + 1
	for i := range rows {
		fmt.Fprintf(&text, "set t %d n %d\n", i, -i)
	}
	p := newPlan(s)
	if faults := p.read(text.Bytes()); len(faults) > 0 {
		t.Fatal(faults)
	}
	if faults := p.apply(t.Context(), noNote); len(faults) > 0 || p.done != rows || s.puts != 3 {
		t.Errorf("%v, %d done in %d puts", faults, p.done, s.puts)
	}
	if stats, err := s.Stats("t"); err != nil || stats.Rows != rows {
		t.Errorf("%+v, %v", stats, err)
	}
}

// Of whose rows the daemon is told: few, and of connections.
func TestPlanRewritten(t *testing.T) {
	m := dicttest.NewStandard(t)
	for n, want := range map[int]int{0: 0, maxRewritten: maxRewritten, 1000: maxRewritten + 1} {
		text := "set hosts 10.0.0.9 hostname tv\n"
		for i := range n {
			text += fmt.Sprintf("set sessions %d final true\n", i)
		}
		p := newPlan(m)
		if faults := p.read([]byte(text)); len(faults) > 0 || len(p.rewritten) != want {
			t.Errorf("%d of %d, want %d: %v", len(p.rewritten), n, want, faults)
		}
	}
	p := newPlan(m)
	if faults := p.read([]byte("delete sessions 7\n")); len(faults) > 0 || len(p.rewritten) != 1 {
		t.Errorf("%v of a row that is deleted: %v", p.rewritten, faults)
	}
}

// TestPlanRefusals finds the lines of rows that were refused amid others.
func TestPlanRefusals(t *testing.T) {
	m := newPlanStore(t)
	if err := m.AddTable(dict.Table{Name: "small", Key: dict.KeyInt, Limit: 2}); err != nil {
		t.Fatal(err)
	}
	p := newPlan(m)
	if faults := p.read([]byte("set small 1; set small 2\nset small 3\nset small 1\n  set small 4\nflush t\n")); len(faults) > 0 {
		t.Fatal(faults)
	}
	faults := p.apply(t.Context(), noNote)
	var at []string
	for _, f := range faults {
		place, _, _ := strings.Cut(f.Error(), ": ")
		at = append(at, place)
		if !errors.Is(f, dict.ErrFull) {
			t.Errorf("%v is not %v", f, dict.ErrFull)
		}
	}
	if got := strings.Join(at, " "); got != "2:1 4:3" || p.done != 3 || p.statements != 6 {
		t.Errorf("refused at %s, %d of %d done", got, p.done, p.statements)
	}
	if _, err := m.Get("t", dict.IntKey(0)); err != nil {
		t.Errorf("what follows a refusal was done: %v", err)
	}
}

// TestPlanAdds sets and adds in turn: amounts count from what the lines before made.
func TestPlanAdds(t *testing.T) {
	m := newPlanStore(t)
	p := newPlan(m)
	if faults := p.read([]byte("set t 1 n 5\nadd t 1 n 5\nadd t 1 n -3; add t 2 n 4\nset t 2 n 1\nadd t 2 n 1\n")); len(faults) > 0 {
		t.Fatal(faults)
	}
	if faults := p.apply(t.Context(), noNote); len(faults) > 0 || p.done != 6 {
		t.Fatalf("%v, %d done", faults, p.done)
	}
	for key, want := range map[uint32]int64{1: 7, 2: 2} {
		row, err := m.Get("t", dict.IntKey(key))
		if v, _ := row.Get("n"); err != nil || v.Int64() != want {
			t.Errorf("row %d: %s, %v, want %d", key, v, err, want)
		}
	}
}

func TestPlanInterrupted(t *testing.T) {
	m := newPlanStore(t)
	p := newPlan(m)
	if faults := p.read([]byte("flush t")); len(faults) > 0 {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if faults := p.apply(ctx, noNote); len(faults) != 1 || !errors.Is(faults[0], context.Canceled) || p.done != 0 {
		t.Errorf("%v, %d done", faults, p.done)
	}
}

// TestPlanFollows checks statements against what those before them make.
func TestPlanFollows(t *testing.T) {
	m := newPlanStore(t)
	for text, want := range map[string]string{
		"add field t m bool\nset t 1 m true n 5":                           "",
		"set t 1 m true\nadd field t m bool":                               `1:9: set t 1: field "m": does not exist`,
		"add table u { key mark; open; }\nset u 1 a int 5 b bool true":     "",
		"delete table t\nset t 1":                                          "2:1: set t: does not exist",
		"delete table t\nadd table t { key mark; }\nset t 1\ndelete t 0x1": "",
		"add field t n int":                                                "",
		"add field t n bool":                                               `1:1: table add t: field "n": exists already: its type is int, not bool`,
		"add field t m int\nadd t 1 m 5 n -5":                              "",
		"add t 1 n 5 n 6":                                                  `1:1: add t 1: field "n": invalid: a second amount`,
		"add v 1 n 5":                                                      "1:1: add v: does not exist",
		"flush table v":                                                    "1:1: flush v: does not exist",
		"delete v 1":                                                       "1:1: delete v: does not exist",
		"delete table v":                                                   "1:1: table delete v: does not exist",
		"add field v a int":                                                "1:1: field add v: does not exist",
		"delete t 1 m":                                                     `1:12: delete t 1: field "m": does not exist`,
	} {
		var got []string
		for _, f := range newPlan(m).read([]byte(text)) {
			got = append(got, f.Error())
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, strings.Join(got, "; "), want)
		}
	}
}

func TestPlanJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"dict":[]}`: "",
		`{"dict":[{"row":{"table":"t","key":5,"cells":{"n":-5}}},{"row":{"table":"t","key":5,"ttl":60,"cells":{}}}]}`:                                                   "",
		`{"dict":[{"table":{"name":"u","key":"mark","open":true,"fields":[]}},{"row":{"table":"u","key":1,"cells":{"a":{"type":"int","value":5}}}}]}`:                   "",
		"{\"dict\":[\n{\"row\":{\"table\":\"v\",\"key\":5}},\n {\"row\":{\"table\":\"t\",\"key\":\"x\"}},\n{\"row\":{\"table\":\"t\",\"key\":1,\"cells\":{\"m\":1}}}]}": `2:1: set v: does not exist; 3:2: row t: int "\"x\"": wrong type: want a number; 4:1: row t: 1: field "m": does not exist`,
		`{"dict":[{"row":{"table":"t","key":5,"colour":1}}]}`:        `1:10: invalid: json: unknown field "colour"`,
		`{"dict":[{"column":{}}]}`:                                   `1:10: invalid: json: unknown field "column"`,
		`{"dict":[{}]}`:                                              "1:10: invalid: want a table or a row",
		`{"dict":[{"table":{"name":"t","key":"mark","fields":[]}}]}`: "1:10: table add t: exists already: its key is int, not mark",
		`{"dict":[{"table":{"name":"u","key":"colour"}}]}`:           `1:10: json`,
		`{"dict":{}}`:       `1:10: invalid: want {"dict":[...]}`,
		`{"nftables":[]}`:   `1:12: invalid: want {"dict":[...]}`,
		`{"dict":[{"row":{`: "1:10: invalid: unexpected EOF",
		`{"dict":[]} x`:     "1:13: invalid: want the end of the listing",
		`{"dict":[]`:        "1:11: invalid: want the end of the listing",
	} {
		var got []string
		m := newPlanStore(t)
		p := newPlan(m)
		faults := p.readJSON([]byte(text))
		for _, f := range faults {
			got = append(got, f.Error())
		}
		if have := strings.Join(got, "; "); have != want && (want == "" || !strings.HasPrefix(have, want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", text, have, want)
		}
		if len(faults) > 0 {
			continue
		}
		if faults := p.apply(t.Context(), noNote); len(faults) > 0 || p.done != p.statements {
			t.Errorf("%s: %v", text, faults)
		}
	}
}

// FuzzPlan reads any text: each fault has a place, the places ascend, nothing
// is changed by reading, and what was read without fault is carried out or
// refused by the store with a place.
func FuzzPlan(f *testing.F) {
	for _, text := range []string{
		"set t 1 n 5\nset t 1 n 5 ttl 1m; delete t 1 n\n",
		"set t 1 n 5\nadd t 1 n 5 ttl 1m; add t 2 n -3\nset t 2 n 1",
		"add table u {\n key mark\n filed x\n}\nset t 1 n five\nput\nset t 1 \"",
		"add table t { key int; field m bool default true; }\nflush t\ndelete table t",
		`{"dict":[{"row":{"table":"t","key":5,"cells":{"n":-5}}},{"table":{"name":"u","key":"mark"}}]}`,
		"add table o { key string; open; }\nset o \"a b\" x int 5 y string \"\\x41\"\n# end",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := newPlanStore(t)
		p := newPlan(m)
		read := p.read
		if isJSON([]byte(text)) {
			read = p.readJSON
		}
		faults := read([]byte(text))
		before := dict.Pos{}
		for _, fault := range faults {
			var there *dict.TextError
			if !errors.As(fault, &there) {
				t.Fatalf("no place: %v", fault)
			}
			if there.Line < 1 || there.Line < before.Line || there.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("%d:%d after %d:%d", there.Line, there.Column, before.Line, before.Column)
			}
			before = there.Pos
		}
		if tables, err := m.Tables(); err != nil || len(tables) != 1 {
			t.Fatalf("reading changed the tables: %v, %v", tables, err)
		}
		if len(faults) > 0 {
			return
		}
		for _, fault := range p.apply(t.Context(), noNote) {
			var there *dict.TextError
			if !errors.As(fault, &there) {
				t.Fatalf("no place: %v", fault)
			}
		}
	})
}
