// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// watched is a watch of all tables that writes down what it tells.
func watched(f *fake, said *[]string) *watch {
	return &watch{store: f.store(), tables: map[uint32]*shadow{}, tell: func(c dict.Change) error {
		words := []string{[]string{dict.Set: "set", dict.Deleted: "deleted"}[c.Kind], c.Table, c.Row.Key.Text()}
		for _, c := range c.Row.Cells {
			words = append(words, c.Field, c.Value.Text())
		}
		*said = append(*said, strings.TrimSpace(strings.Join(words, " ")))
		return nil
	}}
}

// TestWatchMessages: of what is written only what changes is told.
func TestWatchMessages(t *testing.T) {
	f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer {
		return answer{messages: [][]byte{people(1, dict.Field{Name: "name", Type: dict.String})}}
	}}
	var said []string
	w := watched(f, &said)
	bare := func(key uint32) func(*builder) { return func(b *builder) { b.key(dict.IntKey(key)) } }
	without := func(key, index uint32) func(*builder) {
		return func(b *builder) {
			b.key(dict.IntKey(key))
			at := b.nest(rowCell)
			b.uint32(cellField, index)
			b.end(at)
		}
	}
	gone := newBuilder()
	gone.text(attrTable, "people")
	gone.uint32(attrTableID, 1)
	for _, m := range []struct {
		command uint8
		attrs   []byte
		want    string
	}{
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(5))), ""}, // of a table that is not known
		{cmdTableNtf, people(1), ""},
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(5))), "set people 1 age 5"},
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(5))), ""},
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(6)), bare(2)), "set people 1 age 6,set people 2"},
		{cmdRowNtf, told(cell(2, 1, dict.MustString("bo"))), `set people 2 name "bo"`}, // a field that came meanwhile
		{cmdRowDelNtf, told(without(1, 0), without(1, 1)), "deleted people 1 age"},
		{cmdRowDelNtf, told(bare(1)), "deleted people 1"},
		{cmdRowDelNtf, told(bare(1), bare(9)), ""},
		{cmdTableDelNtf, gone.buf, "deleted people 2"},
		{cmdTableDelNtf, gone.buf, ""},
		{99, gone.buf, ""},
	} {
		said = nil
		if err := w.message(m.command, m.attrs); err != nil {
			t.Errorf("message %d: %v", m.command, err)
		}
		if got := strings.Join(said, ","); got != m.want {
			t.Errorf("message %d told %q, want %q", m.command, got, m.want)
		}
	}
	enough := errors.New("enough")
	w.tell = func(dict.Change) error { return enough }
	if err := errors.Join(w.message(cmdTableNtf, people(1)), w.message(cmdRowNtf, told(bare(1)))); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

// TestWatchResync: after a loss the tables are read again, and what became of
// them is told.
func TestWatchResync(t *testing.T) {
	var tables, rows [][]byte
	f := &fake{t: t, version: familyVersion, answer: func(command uint8, _ []byte) answer {
		if command == cmdTableGet {
			return answer{messages: tables}
		}
		return answer{messages: rows}
	}}
	var said []string
	w := watched(f, &said)
	resync := func(want ...string) {
		t.Helper()
		said = nil
		if err := w.resync(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(said)
		if d := cmp.Diff(want, said); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
	}
	tables, rows = [][]byte{people(1)}, [][]byte{told(cell(1, 0, dict.IntValue(5)), cell(2, 0, dict.IntValue(5)))}
	resync("set people 1 age 5", "set people 2 age 5")
	resync()
	rows = [][]byte{told(cell(2, 0, dict.IntValue(6)), cell(3, 0, dict.IntValue(7)))}
	resync("deleted people 1", "set people 2 age 6", "set people 3 age 7")
	rows = [][]byte{told(func(b *builder) { b.key(dict.IntKey(3)) })}
	resync("deleted people 2", "deleted people 3 age")
	tables, rows = nil, nil
	resync("deleted people 3")
	if len(w.tables) != 0 {
		t.Errorf("%d tables left", len(w.tables))
	}

	w.named = map[string]bool{"people": true}
	if err := w.resync(); !errors.Is(err, dict.ErrNotExist) || !strings.Contains(fmt.Sprint(err), "people") {
		t.Errorf("a named table is gone: %v, want %v", err, dict.ErrNotExist)
	}
	f.answer = func(uint8, []byte) answer { return answer{errno: unix.EPERM, text: "no"} }
	if err := w.resync(); !errors.Is(err, dict.ErrPermission) {
		t.Errorf("got %v, want %v", err, dict.ErrPermission)
	}
}
