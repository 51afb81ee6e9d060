// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"testing"
	"time"

	"nftdict/dict"
)

// TestWrites: who listens to writes alone is told of all but of what is added to numbers,
// of which the table has another figure then; and of very many, that there were some.
func TestWrites(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "hits", dict.KeyIPv4, 0, field("n", dict.Int64), field("m", dict.Int64))
	l := listen(t, f.id, f.heeds)
	counts := f.count(t, "hits", attrCounts)
	step := func(what string, counted bool, want ...uint8) {
		t.Helper()
		if got, _ := l.heard(t); !bytes.Equal(got, want) {
			t.Errorf("%s: told %v, want %v", what, got, want)
		}
		now := f.count(t, "hits", attrCounts)
		if (now != counts) != counted {
			t.Errorf("%s: counts %d and then %d", what, counts, now)
		}
		counts = now
	}
	key, all := []byte{127, 0, 0, 1}, func(cells ...[]byte) []byte { return row([]byte{127, 0, 0, 1}, cells...) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h.chain(t)
	must(h.rules(h.compile(t, "dict hits ip saddr n add 1")))
	h.send(t)
	step("a row that a rule makes", false, cmdRowNtf)
	h.send(t)
	step("a rule counts", true)
	step("nothing", false)
	must(f.rows(t, cmdRowAdd, "hits", all(cell("n", dict.Int64Value(5)))))
	step("somebody adds", false)
	must(f.put(t, "hits", all(cell("n", dict.Int64Value(-4)))))
	step("somebody writes", false, cmdRowNtf)
	must(f.put(t, "hits", all(cell("n", dict.Int64Value(-4)))))
	step("the same", false)
	must(f.rows(t, cmdRowDel, "hits", all(cell("n"))))
	step("a value goes", false, cmdRowDelNtf)
	must(f.rows(t, cmdRowDel, "hits", row(key)))
	step("a row goes", false, cmdRowDelNtf)
	must(f.rows(t, cmdRowAdd, "hits", all(cell("n", dict.Int64Value(5)))))
	step("a row that comes by adding", false, cmdRowNtf)
	must(h.rules(h.compile(t, "dict hits ip saddr m set meta mark"), h.compile(t, "dict hits ip saddr n add 1")))
	h.marks = 1 << 20
	h.send(t)
	h.send(t)
	step("a rule sets and another counts", true, cmdRowNtf, cmdRowNtf)

	f.table(t, "other", dict.KeyInt, 0, field("n", dict.Int))
	step("a table comes", false, cmdTableNtf)
	const many, most = 3000, 1024
	var list [][]byte
	for i := range uint32(many) {
		list = append(list, row(intKey(i), cell("n", dict.IntValue(1))))
	}
	must(f.put(t, "other", list...))
	told, rest := 0, 0
	// A slow machine writes no more than may be told.
	for begin := time.Now(); rest < 2 && told+rest < many; time.Sleep(10 * time.Millisecond) {
		_, data := l.heard(t)
		for _, d := range data {
			if _, ok := find(t, d, attrRow); ok {
				told++
			} else if rest++; told < most {
				t.Errorf("%d writes were told, and then that there were others", told)
			}
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("of %d writes %d were told, and %d times that there were others", many, told, rest)
		}
	}
	f.must(t, cmdTableDel, text(attrTable, "other"))
	step("a table goes", false, cmdTableDelNtf)
}

// TestWritesOfFlows: of connections those are told that are in a flowtable.
func TestWritesOfFlows(t *testing.T) {
	g := newGateway(t)
	f := newFamily(t)
	if err := g.batch(g.rule("c", whenFinal(), flowAdd())); err != nil {
		t.Fatal(err)
	}
	fast, slow := g.open(t, "10.1.0.2"), g.open(t, "fd01::2")
	l := listen(t, f.id, f.heeds)
	g.final(t, true, fast)
	g.final(t, false, slow)
	for range 2 {
		fast.round()
		slow.round()
	}
	g.wantFast(t, true, fast)
	if got, _ := l.heard(t); len(got) > 0 {
		t.Errorf("told %v of connections that pass by rules", got)
	}
	g.final(t, false, fast, slow)
	got, data := l.heard(t)
	if !bytes.Equal(got, []uint8{cmdRowNtf}) {
		t.Fatalf("told %v", got)
	}
	r, _ := find(t, data[0], attrRow)
	if key, _ := find(t, r.data, rowKey); !bytes.Equal(key.data, intKey(fast.id)) {
		t.Errorf("told %x, want %x", key.data, intKey(fast.id))
	}
	if err := g.store.Delete(dict.Sessions, dict.CtID(fast.id)); err != nil {
		t.Fatal(err)
	}
	if got, _ := l.heard(t); !bytes.Equal(got, []uint8{cmdRowDelNtf}) {
		t.Errorf("a row went: told %v", got)
	}
	g.recall(t, nil, fast.id)
	g.final(t, true, fast)
	if got, _ := l.heard(t); len(got) > 0 {
		t.Errorf("told %v of one that was taken back", got)
	}
}
