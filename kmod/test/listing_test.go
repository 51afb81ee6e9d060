// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// keys returns the keys of rows that were told, how often each.
func keys(tb testing.TB, answers [][]byte) map[uint32]int {
	tb.Helper()
	out := map[uint32]int{}
	for _, b := range answers {
		for _, p := range split(tb, b) {
			if p.typ != attrRow {
				continue
			}
			if k, ok := find(tb, p.data, rowKey); ok {
				out[k.num()]++
			}
		}
	}
	return out
}

// TestListing: a listing comes in many messages; while nothing changes it is
// whole and not marked, while rows are counted in neither, and while rows come
// and go it tells each that stays once and is marked as interrupted.
func TestListing(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	f.table(t, "many", dict.KeyInt, 0, field("i", dict.Int), field("s", dict.String))
	const rows = 6000
	for from := 0; from < rows; from += 1000 {
		var list [][]byte
		for i := range 1000 {
			list = append(list, row(intKey(uint32(from+i)), cell("i", dict.IntValue(int32(i%10))), cell("s", dict.MustString(strings.Repeat("x", i%50)))))
		}
		if err := f.put(t, "many", list...); err != nil {
			t.Fatal(err)
		}
	}
	whole := func(what string, answers [][]byte, err error) {
		t.Helper()
		got := keys(t, answers)
		if err != nil || len(got) < rows {
			t.Errorf("%s: %d rows, %v, want %d", what, len(got), err, rows)
		}
		for i := range uint32(rows) {
			if got[i] != 1 {
				t.Fatalf("%s: row %d was told %d times", what, i, got[i])
			}
		}
	}
	answers, interrupted, err := f.dump(cmdRowGet, text(attrTable, "many"))
	whole("nothing changes", answers, err)
	if interrupted || len(answers) < 5 {
		t.Errorf("nothing changes: interrupted %v, %d messages", interrupted, len(answers))
	}
	for _, b := range answers {
		if list := split(t, b); list[0].typ != attrTable || list[1].typ != attrTableID {
			t.Fatalf("a message begins with %d and %d", list[0].typ, list[1].typ)
		}
	}
	for _, c := range []struct {
		name   string
		filter []byte
		want   int
	}{
		{"value", nest(attrRow, cell("i", dict.IntValue(3))), rows / 10},
		{"two values", nest(attrRow, cell("i", dict.IntValue(3)), cell("s", dict.MustString(strings.Repeat("x", 13)))), rows / 50},
		{"field", nest(attrRow, cell("s")), rows},
		{"nothing", nest(attrRow), rows},
		{"value that is nowhere", nest(attrRow, cell("i", dict.IntValue(11))), 0},
	} {
		answers, interrupted, err := f.dump(cmdRowGet, text(attrTable, "many"), c.filter)
		if got := len(keys(t, answers)); got != c.want || interrupted || err != nil {
			t.Errorf("filter by %s: %d rows, interrupted %v, %v, want %d", c.name, got, interrupted, err, c.want)
		}
	}

	// The kernel makes a listing as it is read, a message or two ahead: so what
	// is done after the first message is done in the middle of it.
	second := &family{socket: newSocket(t, unix.NETLINK_GENERIC), id: f.id}
	for what, do := range map[string]func() error{
		"nothing":             func() error { return nil },
		"a row comes":         func() error { return second.put(t, "many", row(intKey(rows))) },
		"a row changes":       func() error { return second.put(t, "many", row(intKey(1), cell("i", dict.IntValue(99)))) },
		"nothing new is put":  func() error { return second.put(t, "many", row(intKey(2), cell("i", dict.IntValue(2)))) },
		"the last row goes":   func() error { return second.rows(t, cmdRowDel, "many", row(intKey(rows-1))) },
		"a row told has gone": func() error { return second.rows(t, cmdRowDel, "many", row(intKey(0))) },
	} {
		answers, interrupted, err := f.dumpDuring(do, cmdRowGet, text(attrTable, "many"))
		if want := !strings.HasPrefix(what, "nothing"); interrupted != want || err != nil {
			t.Errorf("%s: interrupted %v, %v, want %v", what, interrupted, err, want)
		}
		got := keys(t, answers)
		for i := range uint32(rows - 1) {
			if i > 0 && got[i] != 1 {
				t.Errorf("%s: row %d was told %d times", what, i, got[i])
			}
		}
	}
	if err := f.put(t, "many", row(intKey(0)), row(intKey(rows-1))); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	writer := crowd(t, 1, func(int) error {
		s, err := openSocket(unix.NETLINK_GENERIC)
		if err != nil {
			return err
		}
		defer unix.Close(s.fd)
		mine := &family{socket: s, id: f.id}
		for n := uint32(0); !stop.Load(); n++ {
			k := row(intKey(rows + n%100))
			if _, err := mine.do(cmdRowPut, text(attrTable, "many"), k, row(intKey(n%rows), cell("i", dict.IntValue(int32(n))))); err != nil {
				return err
			}
			if _, err := mine.do(cmdRowDel, text(attrTable, "many"), k); err != nil {
				return err
			}
		}
		return nil
	})
	for range 3 {
		answers, _, err := f.dump(cmdRowGet, text(attrTable, "many"))
		whole("rows come and go", answers, err)
	}
	stop.Store(true)
	writer.Wait()
}

// dumpDuring is dump, but does something when the first part is there.
func (f *family) dumpDuring(do func() error, cmd uint8, attrs ...[]byte) (out [][]byte, interrupted bool, err error) {
	m := f.message(cmd, unix.NLM_F_DUMP, attrs...)
	if _, err := f.send(m); err != nil {
		return nil, false, err
	}
	for first := true; ; first = false {
		messages, err := f.receive(0)
		if err == nil && first {
			err = do()
		}
		if err != nil {
			return out, interrupted, err
		}
		for _, m := range messages {
			interrupted = interrupted || m.flags&unix.NLM_F_DUMP_INTR != 0
			if m.typ != f.id {
				return out, interrupted, m.result(genlHeader)
			}
			out = append(out, m.data[genlHeader:])
		}
	}
}

// TestListingOfCounters: counting interrupts no listing.
func TestListingOfCounters(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "quota", dict.KeyIPv4, 0, field("n", dict.Int64))
	var list [][]byte
	for i := range uint32(4000) {
		list = append(list, row(binary.BigEndian.AppendUint32(nil, 0x7f000001+i), cell("n", dict.Int64Value(1))))
	}
	if err := f.put(t, "quota", list...); err != nil {
		t.Fatal(err)
	}
	h.chain(t)
	if err := h.rules(h.compile(t, "dict quota ip saddr n add 1")); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var packets atomic.Int64
	flow := crowd(t, 1, func(int) error {
		for !stop.Load() {
			if err := flood(h, 50, 10); err != nil {
				return err
			}
			packets.Add(50)
		}
		return nil
	})
	for begin := time.Now(); packets.Load() < 50 && time.Since(begin) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	for range 5 {
		if _, interrupted, err := f.dump(cmdRowGet, text(attrTable, "quota")); err != nil || interrupted {
			t.Errorf("while packets count: interrupted %v, %v", interrupted, err)
		}
	}
	stop.Store(true)
	flow.Wait()
}

// listen joins those who are told of changes.
func listen(tb testing.TB, id uint16, group uint32) *family {
	tb.Helper()
	l := &family{socket: newSocket(tb, unix.NETLINK_GENERIC), id: id, group: group}
	if err := unix.SetsockoptInt(l.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(group)); err != nil {
		tb.Fatal(err)
	}
	return l
}

// heard returns the commands of what was told.
func (f *family) heard(tb testing.TB) (out []uint8, data [][]byte) {
	tb.Helper()
	for {
		messages, err := f.receive(unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return out, data
		}
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range messages {
			out, data = append(out, m.data[0]), append(data, m.data[genlHeader:])
		}
	}
}

// TestChanges: who listens learns of every change, in order and once, of those
// in his own namespace only, whoever made it: a request, a rule or time; and of
// nothing where nothing changes.
func TestChanges(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	here := listen(t, f.id, f.group)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	other := newFamily(t)
	there := listen(t, f.id, f.group)
	step := func(what string, want ...uint8) [][]byte {
		t.Helper()
		got, data := here.heard(t)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: told %v, want %v", what, got, want)
		}
		if got, _ := there.heard(t); len(got) != 0 {
			t.Errorf("%s: another namespace was told %v", what, got)
		}
		return data
	}
	f.table(t, "t", dict.KeyInt, 0, field("i", dict.Int), field("s", dict.String))
	step("table", cmdTableNtf)
	f.must(t, cmdFieldNew, text(attrTable, "t"), field("l", dict.Int64))
	step("field", cmdTableNtf)
	k := intKey(5)
	put := func(cells ...[]byte) {
		t.Helper()
		if err := f.put(t, "t", row(k, cells...)); err != nil {
			t.Fatal(err)
		}
	}
	put(cell("i", dict.IntValue(1)), cell("s", dict.MustString("x")))
	step("row", cmdRowNtf)
	put(cell("i", dict.IntValue(1)))
	step("the same")
	put(cell("i", dict.IntValue(2)), cell("s", dict.MustString("x")))
	if data := step("one of two", cmdRowNtf); len(data) == 1 {
		p, _ := find(t, data[0], attrRow)
		n := 0
		for _, c := range split(t, p.data) {
			if c.typ == rowCell {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d cells were told, want the one that changed", n)
		}
	}
	if err := f.rows(t, cmdRowDel, "t", row(k, cell("s"))); err != nil {
		t.Fatal(err)
	}
	step("delete of a cell", cmdRowDelNtf)
	if err := f.rows(t, cmdRowDel, "t", row(k)); err != nil {
		t.Fatal(err)
	}
	step("delete of a row", cmdRowDelNtf)
	put()
	step("empty row", cmdRowNtf)
	f.must(t, cmdFlush, text(attrTable, "t"))
	step("flush", cmdRowDelNtf)
	if err := f.put(t, "t", nest(attrRow, attr(rowKey, k), num(rowTTL, 1))); err != nil {
		t.Fatal(err)
	}
	step("row that ends", cmdRowNtf)
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if got, _ := here.heard(t); len(got) > 0 {
			if !bytes.Equal(got, []uint8{cmdRowDelNtf}) {
				t.Errorf("end of a row: told %v", got)
			}
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("nobody was told of a row's end")
		}
	}
	f.must(t, cmdTableDel, text(attrTable, "t"))
	step("table deleted", cmdTableDelNtf)
	other.table(t, "t", dict.KeyInt, 0, field("i", dict.Int))
	if got, _ := there.heard(t); fmt.Sprint(got) != fmt.Sprint([]uint8{cmdTableNtf}) {
		t.Errorf("the other namespace was told %v of its own table", got)
	}
	step("nothing here")
}
