// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// people returns a table as the fake module tells of it.
func people(id uint32, fields ...dict.Field) []byte {
	t, err := dict.Table{Name: "people", Key: dict.KeyInt, Limit: 10, Fields: append([]dict.Field{{Name: "age", Type: dict.Int, Aliases: []string{"years"}}}, fields...)}.Normal()
	if err != nil {
		panic(err)
	}
	b := newBuilder()
	b.uint32(attrTableID, id)
	b.schema(t)
	b.uint32(attrRows, 3)
	b.uint64(attrRefused, 4)
	return b.buf
}

// aged returns a row of people.
func aged(key uint32, age int32) dict.Row {
	return dict.Row{Key: dict.IntKey(key), Cells: []dict.Cell{{Field: "age", Value: dict.IntValue(age)}}}
}

// told returns rows as the fake module tells them.
func told(rows ...func(*builder)) []byte {
	b := newBuilder()
	b.text(attrTable, "people")
	b.uint32(attrTableID, 1)
	for _, r := range rows {
		at := b.nest(attrRow)
		r(b)
		b.end(at)
	}
	return b.buf
}

// cell returns a row with one cell.
func cell(key, index uint32, v dict.Value) func(*builder) {
	return func(b *builder) {
		b.key(dict.IntKey(key))
		at := b.nest(rowCell)
		b.uint32(cellField, index)
		b.value(v)
		b.end(at)
	}
}

// wants checks that an error wraps what it should and says what it should.
func wants(t *testing.T, err, sentinel error, parts ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("got %v, want %v", err, sentinel)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func TestAbsent(t *testing.T) {
	f := &fake{t: t}
	_, err := f.store().Tables()
	wants(t, err, ErrAbsent, "nft_dict", "modprobe")
	wants(t, err, dict.ErrNotSupported)

	f = &fake{t: t, version: familyVersion + 1}
	_, err = f.store().Tables()
	wants(t, err, dict.ErrNotSupported, "version 2", "want 1")
	if errors.Is(err, ErrAbsent) {
		t.Errorf("%v: says that the module is absent", err)
	}
}

// TestUnloaded: where nobody is there to answer, the kernel says ENOENT, too.
func TestUnloaded(t *testing.T) {
	f := &fake{t: t, version: familyVersion}
	for _, text := range []string{"no such table", ""} {
		f.answer = func(uint8, []byte) answer { return answer{errno: unix.ENOENT, text: text} }
		err := f.store().DeleteTable("people")
		wants(t, err, dict.ErrNotExist, "people", text)
		if errors.Is(err, ErrAbsent) {
			t.Errorf("%v: says that the module is absent", err)
		}
		for _, err := range f.store().Rows("people") {
			wants(t, err, dict.ErrNotExist, "people", text)
		}
	}
	f.answer = func(uint8, []byte) answer {
		f.version = 0
		return answer{errno: unix.ENOENT}
	}
	s := f.store()
	wants(t, s.DeleteTable("people"), ErrAbsent)
	wants(t, s.DeleteTable("people"), ErrAbsent)
}

// TestRefusals: the module's errors become those of package dict, and keep
// errno and text.
func TestRefusals(t *testing.T) {
	for errno, want := range map[unix.Errno]error{
		unix.EPERM: dict.ErrPermission, unix.EEXIST: dict.ErrExist, unix.EBUSY: dict.ErrBusy, unix.ENOSPC: dict.ErrFull,
		unix.ENOBUFS: dict.ErrFull, unix.EINVAL: dict.ErrInvalid, unix.ERANGE: dict.ErrRange, unix.EPROTOTYPE: dict.ErrType, unix.ENOMEM: unix.ENOMEM,
	} {
		f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer { return answer{errno: errno, text: "the reason"} }}
		err := f.store().DeleteTable("people")
		wants(t, err, want, "people", "the reason")
		wants(t, err, errno)
		if errno == unix.EPERM {
			wants(t, err, want, "CAP_NET_ADMIN")
		}
	}
}

// TestTableInParts: a schema too long for one message goes on in the next.
func TestTableInParts(t *testing.T) {
	next := newBuilder()
	next.uint32(attrTableID, 1)
	at := next.nest(attrField)
	next.text(fieldName, "name")
	next.uint32(fieldType, uint32(dict.String))
	next.uint32(fieldIndex, 1)
	next.end(at)
	f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer {
		return answer{messages: [][]byte{people(1), next.buf, people(2)}}
	}}
	tables, err := f.store().Tables()
	if err != nil || len(tables) != 2 {
		t.Fatalf("%v, %v", tables, err)
	}
	if len(tables[0].Fields) != 2 || tables[0].Fields[1].Name != "name" || len(tables[1].Fields) != 1 {
		t.Errorf("fields %v and %v", tables[0].Fields, tables[1].Fields)
	}
}

// TestInterrupted: a listing of tables that changed meanwhile is made again,
// but not for ever.
func TestInterrupted(t *testing.T) {
	n := 0
	f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer {
		n++
		return answer{messages: [][]byte{people(1)}, interrupted: n < 3}
	}}
	tables, err := f.store().Tables()
	if err != nil || len(tables) != 1 || n != 3 {
		t.Errorf("%v, %v after %d listings, want one table after 3", tables, err, n)
	}
	n = -1000
	_, err = f.store().Tables()
	wants(t, err, dict.ErrBusy)
}

// TestPutRefused: errors of rows come in the order of the rows, those found
// here among those that the module found.
func TestPutRefused(t *testing.T) {
	f := &fake{t: t, version: familyVersion}
	f.answer = func(command uint8, attrs []byte) answer {
		if command == cmdTableGet {
			return answer{messages: [][]byte{people(1)}}
		}
		b := newBuilder()
		for _, r := range []struct {
			index uint32
			errno unix.Errno
		}{{0, unix.ENOSPC}, {2, unix.EPROTOTYPE}} {
			at := b.nest(attrRefusal)
			b.uint32(refusalIndex, r.index)
			b.uint32(refusalError, uint32(r.errno))
			b.text(refusalMessage, fmt.Sprint("reason ", r.index))
			b.end(at)
		}
		return answer{messages: [][]byte{b.buf}}
	}
	s := f.store()
	bad := aged(2, 2)
	bad.Cells[0].Value = dict.BoolValue(true)
	err := s.Put("people", aged(1, 1), bad, aged(3, 3), aged(4, 4))
	wants(t, err, dict.ErrFull)
	wants(t, err, dict.ErrType)
	want := "set people 1: table is full: reason 0\n" +
		`set people 2: field "age": value true: wrong type: bool, want int` + "\n" +
		"set people 4: wrong type: reason 2"
	if err != nil && err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if got, want := f.commands(), []uint8{cmdTableGet, cmdRowPut}; !cmp.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

// TestReplaced: when another table bears the name, the request is made again
// for that one.
func TestReplaced(t *testing.T) {
	id := uint32(1)
	f := &fake{t: t, version: familyVersion}
	f.answer = func(command uint8, attrs []byte) answer {
		asked, err := tableID(attrs)
		switch {
		case command == cmdTableGet:
			return answer{messages: [][]byte{people(id)}}
		case err != nil || asked != id:
			return answer{errno: unix.ESTALE, text: "another table"}
		case command == cmdRowGet:
			return answer{messages: [][]byte{told(cell(1, 0, dict.IntValue(5)))}}
		}
		return answer{}
	}
	s := f.store()
	for _, id = range []uint32{1, 2, 3} {
		if err := s.Put("people", aged(1, 1)); err != nil {
			t.Errorf("put: %v", err)
		}
	}
	id = 4
	if row, err := s.Get("people", dict.IntKey(1)); err != nil || len(row.Cells) != 1 {
		t.Errorf("get: %v, %v", row, err)
	}
	id = 5
	n := 0
	for _, err := range s.Rows("people") {
		if err != nil {
			t.Errorf("list: %v", err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// TestNewField: a row with a field that is not known here makes the schema be
// asked for again, in the middle of a listing.
func TestNewField(t *testing.T) {
	name := dict.Field{Name: "name", Type: dict.String}
	schemas := [][]byte{people(1), people(1, name)}
	f := &fake{t: t, version: familyVersion}
	f.answer = func(command uint8, _ []byte) answer {
		if command == cmdTableGet {
			m := schemas[0]
			if len(schemas) > 1 {
				schemas = schemas[1:]
			}
			return answer{messages: [][]byte{m}}
		}
		return answer{messages: [][]byte{told(cell(1, 0, dict.IntValue(5))), told(cell(2, 1, dict.MustString("bo")))}}
	}
	var got []string
	for r, err := range f.store().Rows("people") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Key, r.Cells[0].Field, r.Cells[0].Value))
	}
	if want := []string{"1age5", "2namebo"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestCached: a call whose table is known is one request, and one that is
// wrong by what is known is checked against what is.
func TestCached(t *testing.T) {
	f := &fake{t: t, version: familyVersion, answer: func(command uint8, _ []byte) answer {
		if command == cmdTableGet {
			return answer{messages: [][]byte{people(1)}}
		}
		return answer{}
	}}
	s := f.store()
	for range 2 {
		if err := s.Put("people", aged(1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := f.commands(), []uint8{cmdTableGet, cmdRowPut, cmdRowPut}; !cmp.Equal(got, want) {
		t.Errorf("two puts asked %v, want %v", got, want)
	}
	wants(t, s.Delete("people", dict.IntKey(1), "nosuch"), dict.ErrNotExist, `"nosuch"`)
	wants(t, s.Put("people", dict.Row{Key: dict.IntKey(1), TTL: time.Millisecond}), dict.ErrInvalid, "1ms")
	if got, want := f.commands(), []uint8{cmdTableGet, cmdTableGet}; !cmp.Equal(got, want) {
		t.Errorf("two errors asked %v, want %v", got, want)
	}
	_, err := s.Get("people", dict.IntKey(1))
	wants(t, err, dict.ErrNotExist, "people", "1")
	if got, want := f.commands(), []uint8{cmdRowGet}; !cmp.Equal(got, want) {
		t.Errorf("a row that is not there asked %v, want %v", got, want)
	}
}

// TestBatches: many rows go in few messages of bounded size.
func TestBatches(t *testing.T) {
	rows, longest, messages := 0, 0, 0
	f := &fake{t: t, version: familyVersion}
	f.answer = func(command uint8, attrs []byte) answer {
		if command == cmdTableGet {
			return answer{messages: [][]byte{people(1)}}
		}
		messages++
		longest = max(longest, len(attrs))
		n := 0
		if err := each(attrs, func(a attr) error {
			if a.typ == attrRow {
				n++
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if rows += n; n > maxRows {
			t.Errorf("%d rows in a message", n)
		}
		return answer{}
	}
	var all []dict.Row
	for i := range uint32(10000) {
		all = append(all, aged(i, 1))
	}
	if err := f.store().Put("people", all...); err != nil {
		t.Fatal(err)
	}
	if rows != len(all) || longest > requestSize+1000 || messages > 10 {
		t.Errorf("%d rows in %d messages of at most %d bytes", rows, messages, longest)
	}
}

// TestClosed: a closed store answers so, and nothing is left open.
func TestClosed(t *testing.T) {
	f := &fake{t: t, version: familyVersion, answer: func(uint8, []byte) answer { return answer{messages: [][]byte{people(1)}} }}
	s := f.store()
	if _, err := s.Table("people"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Table("people"); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
}

// TestOlder: a module that does not know a command is told from one that refuses
// what is asked.
func TestOlder(t *testing.T) {
	f := &fake{t: t, version: familyVersion}
	f.answer = func(command uint8, _ []byte) answer {
		switch command {
		case cmdTableGet:
			return answer{messages: [][]byte{people(1)}}
		case cmdRowAdd, cmdRecall:
			return answer{errno: unix.EOPNOTSUPP}
		}
		return answer{}
	}
	s := f.store()
	wants(t, s.Add("people", aged(1, 1)), dict.ErrNotSupported, "people", "too old", "1.1", "modprobe")
	missing, err := s.Recall([]uint32{2, 1, 2})
	wants(t, err, dict.ErrNotSupported, "too old", "1.2", "modprobe")
	if d := cmp.Diff([]uint32{1, 2}, missing); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	if err := s.Put("people", aged(1, 1)); err != nil {
		t.Error(err)
	}
}

// TestRecallParts: ids are asked about in as many requests as it takes, each once.
func TestRecallParts(t *testing.T) {
	f := &fake{t: t, version: familyVersion}
	asked := map[uint32]int{}
	f.answer = func(_ uint8, attrs []byte) answer {
		b := newBuilder()
		err := each(attrs, func(a attr) error {
			ids, err := a.uint32s()
			if len(ids) > maxIDs || a.typ != attrIDs {
				t.Errorf("%d ids in attribute %d", len(ids), a.typ)
			}
			at := b.begin(attrIDs)
			for _, id := range ids {
				if asked[id]++; id%5000 == 0 {
					b.buf = b.order.AppendUint32(b.buf, id)
				}
			}
			b.end(at)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return answer{messages: [][]byte{b.buf}}
	}
	var ids []uint32
	for id := range uint32(20001) {
		ids = append(ids, 20000-id, id)
	}
	missing, err := f.store().Recall(ids)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]uint32{0, 5000, 10000, 15000, 20000}, missing); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	if n := len(f.commands()); n != 3 || len(asked) != 20001 {
		t.Errorf("%d requests about %d ids, want 3 about 20001", n, len(asked))
	}
	if missing, err := f.store().Recall(nil); missing != nil || err != nil || len(f.commands()) != 0 {
		t.Errorf("recall of none: %v, %v", missing, err)
	}
}
