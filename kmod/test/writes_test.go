// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"testing"
	"time"

	"nftdict/dict"
)

// TestWrites: who listens to writes alone is told of all but of what is added to numbers:
// that there was some, later; and of very many, that there were others.
func TestWrites(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "hits", dict.KeyIPv4, 0, field("n", dict.Int64), field("m", dict.Int64))
	l := listen(t, f.id, f.heeds)
	told, others := []uint8{}, 0 // the latter are messages without a row
	hear := func() {
		t.Helper()
		commands, data := l.heard(t)
		for i, cmd := range commands {
			if _, row := find(t, data[i], attrRow); cmd == cmdRowNtf && !row {
				others++
			} else {
				told = append(told, cmd)
			}
		}
	}
	step := func(what string, want ...uint8) {
		t.Helper()
		if hear(); !bytes.Equal(told, want) {
			t.Errorf("%s: told %v, want %v", what, told, want)
		}
		told = told[:0]
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for begin := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
			if hear(); time.Since(begin) > 20*time.Second {
				t.Fatalf("%s: %d messages, %d times that there were others", what, len(told), others)
			}
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all := func(cells ...[]byte) []byte { return row([]byte{127, 0, 0, 1}, cells...) }
	h.chain(t)
	must(h.rules(h.compile(t, "dict hits ip saddr n add 1")))
	h.send(t)
	step("a row that a rule makes", cmdRowNtf)
	must(f.put(t, "hits", all(cell("n", dict.Int64Value(-4)))))
	step("somebody writes", cmdRowNtf)
	must(f.put(t, "hits", all(cell("n", dict.Int64Value(-4)))))
	step("the same")
	must(f.rows(t, cmdRowAdd, "hits", all(cell("n", dict.Int64Value(5)))))
	step("somebody adds")
	must(f.rows(t, cmdRowDel, "hits", all(cell("n"))))
	step("a value goes", cmdRowDelNtf)
	must(f.rows(t, cmdRowDel, "hits", all()))
	step("a row goes", cmdRowDelNtf)
	must(f.rows(t, cmdRowAdd, "hits", all(cell("n", dict.Int64Value(5)))))
	step("a row that comes by adding", cmdRowNtf)
	if others != 0 {
		t.Errorf("told %d times of others", others)
	}
	h.send(t)
	step("a rule counts")
	until("a rule has counted", func() bool { return others > 0 })
	must(h.rules(h.compile(t, "dict hits ip saddr m set meta mark")))
	h.marks = 1 << 20
	h.send(t)
	h.send(t)
	step("a rule sets", cmdRowNtf, cmdRowNtf)

	f.table(t, "other", dict.KeyInt, 0, field("n", dict.Int))
	step("a table comes", cmdTableNtf)
	const many, most = 3000, 1024
	var list [][]byte
	for i := range uint32(many) {
		list = append(list, row(intKey(i), cell("n", dict.IntValue(1))))
	}
	others = 0
	must(f.put(t, "other", list...))
	if hear(); others > 0 && len(told) < most {
		t.Errorf("%d writes were told, and then that there were others", len(told))
	}
	// A slow machine writes no more than may be told.
	until("many writes", func() bool { return others >= 2 || len(told)+others >= many })
	told = told[:0]
	f.must(t, cmdTableDel, text(attrTable, "other"))
	step("a table goes", cmdTableDelNtf)
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
