// SPDX-License-Identifier: MIT

package genl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// everything is a table with fields of all types.
func everything(key dict.KeyType, open bool) *table {
	s := dict.Table{Name: "t", Key: key, Limit: 10, Open: open}
	for _, typ := range dict.Types() {
		f := dict.Field{Name: "f_" + typ.String(), Aliases: []string{"a_" + typ.String()}}
		if !open {
			f.Type = typ
		}
		s.Fields = append(s.Fields, f)
	}
	s, err := s.Normal()
	if err != nil {
		panic(err)
	}
	t := &table{id: 1, schema: s}
	if err := t.finish(); err != nil {
		panic(err)
	}
	return t
}

// FuzzRow: what is read as a row is written as one that reads the same.
func FuzzRow(f *testing.F) {
	values := []dict.Value{
		dict.BoolValue(true), dict.IntValue(-5), dict.Int64Value(1 << 40), dict.MustString("x"), dict.EtherValue([6]byte{2, 5: 1}),
	}
	b := newBuilder()
	for i, v := range values {
		b.reset()
		b.key(dict.IntKey(uint32(i)))
		at := b.nest(rowCell)
		b.uint32(cellField, uint32(i))
		b.value(v)
		b.end(at)
		b.uint32(rowTTL, 5)
		f.Add(append([]byte{}, b.buf...), uint8(dict.KeyInt), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, key uint8, open bool) {
		typ := dict.KeyType(key)
		if !typ.Valid() {
			return
		}
		tab := everything(typ, open)
		row, err := tab.parseRow(data)
		if err != nil {
			return
		}
		checked, err := tab.schema.CheckRow("", row)
		if err != nil {
			return // a value of another type, a cell without a value: the kernel's fault
		}
		b := newBuilder()
		b.checked(tab, &checked)
		again, err := parseOnly(tab, b.buf)
		if err != nil {
			t.Fatalf("%v: written and not read: %v", checked, err)
		}
		equal := cmp.Comparer(func(a, b dict.Value) bool { return a == b })
		if d := cmp.Diff(checked.Cells, again.Cells, equal); len(checked.Cells) > 0 && d != "" || again.Key != checked.Key || again.TTL != checked.TTL {
			t.Fatalf("wrote %v, read %v", checked, again)
		}
		b.reset()
		if b.row(tab, &checked) {
			if again, err = parseOnly(tab, b.buf); err != nil || again.Key != checked.Key || len(again.Cells) != len(checked.Cells) {
				t.Fatalf("wrote %v, read %v, %v", checked, again, err)
			}
		}
	})
}

// parseOnly reads the one row of a message.
func parseOnly(t *table, b []byte) (r dict.Row, err error) {
	d := decoder{table: t}
	err = d.eachRow(b, func(row dict.Row) error {
		r = row
		return nil
	})
	return r, err
}

// FuzzTable: whatever comes as a table is one, or an error; what is one is
// written as one that reads the same.
func FuzzTable(f *testing.F) {
	f.Add(people(1))
	f.Add(people(2, dict.Field{Name: "name", Type: dict.String, Default: dict.MustString("x")}))
	for _, key := range dict.KeyTypes() {
		b := newBuilder()
		b.schema(everything(key, key%2 == 0).schema)
		f.Add(b.buf)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseTable(data, nil)
		if err != nil || found[0].finish() != nil {
			return
		}
		want, err := found[0].schema.Normal()
		if err != nil {
			t.Fatal(err)
		}
		b := newBuilder()
		b.schema(want)
		again, err := parseTable(b.buf, nil)
		if err != nil {
			t.Fatalf("%v: written and not read: %v", want, err)
		}
		if err := again[0].finish(); err != nil {
			t.Fatalf("%v: written and not a table: %v", want, err)
		}
		if d := cmp.Diff(want, again[0].schema, cmp.Comparer(func(a, b dict.Value) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
	})
}

// FuzzAnswers: no message makes a reader fall.
func FuzzAnswers(f *testing.F) {
	f.Add(told(cell(1, 0, dict.IntValue(5))), uint8(cmdRowNtf))
	f.Add(told(cell(1, 0, dict.IntValue(5))), uint8(cmdRowDelNtf))
	f.Add(people(1), uint8(cmdTableNtf))
	f.Add(told(), uint8(cmdTableDelNtf))
	f.Fuzz(func(t *testing.T, data []byte, command uint8) {
		tab := everything(dict.KeyInt, false)
		fake := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer { return answer{messages: [][]byte{people(1)}} }}
		w := watch{store: fake.store(), tell: func(dict.Change) error { return nil }, tables: map[uint32]*shadow{1: newShadow(tab)}}
		_ = w.message(command, data)
		_ = eachRefusal(data, func(uint32, *refusal) error { return nil })
		_ = readOurs(data)
	})
}

// FuzzDecompile: expressions of others are never taken for ours without their
// text, and never make the reader fall.
func FuzzDecompile(f *testing.F) {
	f.Add(uint8(1), []byte("\x0e\x00\x0b\x00dict x y\x00"), uint8(0))
	f.Add(uint8(1), []byte{}, uint8(3))
	f.Fuzz(func(t *testing.T, family uint8, data []byte, before uint8) {
		var elems []nftext.Element
		for range before % 8 {
			elems = append(elems, nftext.Element{Name: "meta"})
		}
		elems = append(elems, nftext.Element{Name: exprName, Data: data})
		found := (&compiler{}).Decompile(family, elems)
		if found.N == 0 {
			return
		}
		var end int
		var err error
		if found.Class == 0 {
			_, end, err = nftext.Parse(found.Text)
		} else {
			_, end, err = nftext.ParseValue(found.Text)
		}
		if err != nil || end != len(found.Text) || found.N != len(elems) {
			t.Fatalf("%q of %d expressions: %v", found.Text, found.N, err)
		}
	})
}

// FuzzValue: what is compiled of a value, for any register, is found again among
// other expressions.
func FuzzValue(f *testing.F) {
	for i, text := range []string{
		"dict values mark i", "dict values ct mark l int", "dict hosts ip6 saddr username", "dict values mark a ipv6_addr",
		"dict users dict sessions ct id username quota_size", "dict devices ether saddr username", "dict loose mark x string", "dict numbers iif s",
	} {
		f.Add(text, uint8(i), uint32(unix.NFT_REG_1+i), i%2 == 0)
	}
	c := newCompiling()
	f.Fuzz(func(t *testing.T, text string, use uint8, reg uint32, bridge bool) {
		term, n, err := nftext.ParseValue(text)
		if err != nil {
			return
		}
		if n > len(text) || n < 1 {
			t.Fatalf("%q: %d bytes", text, n)
		}
		bound, err := nftext.Bind(term, c.schema)
		if err != nil {
			return
		}
		class, err := bound.(*nftext.Load).Class(nftext.Use(use % 7))
		if err != nil {
			return
		}
		target := nftext.Target{Family: unix.NFPROTO_INET, Class: class, Register: unix.NFT_REG_1 + reg%(unix.NFT_REG32_15-unix.NFT_REG_1+1)}
		if bridge {
			target.Family = unix.NFPROTO_BRIDGE
		}
		code, err := c.compiler.Compile(target, bound)
		if target.Register > unix.NFT_REG_4 && target.Register < unix.NFT_REG32_00 {
			if err == nil {
				t.Fatalf("%s: compiled to register %d, which there is not", term, target.Register)
			}
			return
		}
		if err != nil {
			if registerAt(target.Register)+16 <= registerBytes {
				t.Fatalf("%s to register %d: %v", term, target.Register, err)
			}
			return
		}
		elems := append(split(t, code.Exprs), nftext.Element{Name: "lookup"}, nftext.Element{Name: "byteorder"})
		want := nftext.Found{Text: term.String(), N: len(elems) - 2, Class: class, Register: register(target.Register)}
		if found := c.compiler.Decompile(target.Family, elems); found != want {
			t.Fatalf("%s: found %+v, want %+v", term, found, want)
		}
		if found := c.compiler.Decompile(target.Family, append([]nftext.Element{{Name: "meta"}}, elems...)); found.N != 0 {
			t.Fatalf("%s: found %+v behind another expression", term, found)
		}
	})
}
