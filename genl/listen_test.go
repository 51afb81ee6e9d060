// SPDX-License-Identifier: MIT

package genl

import (
	"fmt"
	"strings"
	"testing"

	"nftdict/dict"
)

// What a listener is told of: rows of tables that it names, all that came or went with
// them, and that there were others.
func TestListenMessages(t *testing.T) {
	there := true
	f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer {
		if !there {
			return answer{errno: 2}
		}
		return answer{messages: [][]byte{people(1, dict.Field{Name: "name", Type: dict.String})}}
	}}
	var said []string
	l := &listener{store: f.store(), named: map[string]struct{}{"people": {}}, tell: func(c dict.Change) error {
		words := []string{[]string{dict.Set: "set", dict.Deleted: "deleted"}[c.Kind], c.Table}
		if c.Row.Key != (dict.Key{}) {
			words = append(words, c.Row.Key.Text())
		}
		for _, c := range c.Row.Cells {
			words = append(words, c.Field, c.Value.Text())
		}
		said = append(said, strings.TrimSpace(strings.Join(words, " ")))
		return nil
	}}
	if err := l.lost(); err != nil || fmt.Sprint(said) != "[set]" {
		t.Errorf("at first it tells %q, %v", said, err)
	}
	head := func(name string, id uint32) []byte {
		b := newBuilder()
		b.text(attrTable, name)
		b.uint32(attrTableID, id)
		return b.buf
	}
	for _, m := range []struct {
		command uint8
		attrs   []byte
		want    string
	}{
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(5)), cell(2, 1, dict.MustString("bo"))), `set people 1 age 5,set people 2 name "bo"`},
		{cmdRowNtf, head("people", 1), "set people"},
		{cmdRowNtf, head("others", 2), ""},
		{cmdRowDelNtf, told(func(b *builder) { b.key(dict.IntKey(1)) }), "deleted people 1"},
		{cmdTableNtf, head("others", 2), ""},
		{cmdTableNtf, people(1, dict.Field{Name: "name", Type: dict.String}), ""}, // it has got a field
		{cmdTableNtf, people(3), "set people"},
		{cmdTableDelNtf, head("people", 1), "set people"},
		{cmdRowNtf, told(cell(1, 0, dict.IntValue(5))), ""},
		{cmdTableDelNtf, head("people", 3), "set people"},
	} {
		said = nil
		if err := l.message(m.command, m.attrs); err != nil {
			t.Errorf("message %d: %v", m.command, err)
		}
		if got := strings.Join(said, ","); got != m.want {
			t.Errorf("message %d told %q, want %q", m.command, got, m.want)
		}
	}
	if len(l.known) != 0 {
		t.Errorf("%d tables are left", len(l.known))
	}
}
