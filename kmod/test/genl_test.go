// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// request is one that is refused, and how.
type request struct {
	name  string
	cmd   uint8
	dump  bool
	attrs [][]byte
	want  unix.Errno
	text  string // a part of it
	bad   []byte // the attribute that the error points to
	miss  uint32 // the type of the one that is missing
}

// check sends the request.
func (q *request) check(t *testing.T, f *family) {
	t.Helper()
	m := f.message(q.cmd, 0, q.attrs...)
	if q.dump {
		m.flags = unix.NLM_F_DUMP
	}
	_, err := f.exchange(m, genlHeader)
	var r *refused
	if !errors.As(err, &r) {
		t.Errorf("%s: %v, want %v", q.name, err, q.want)
		return
	}
	if r.errno != q.want || r.text == "" || !strings.Contains(r.text, q.text) {
		t.Errorf("%s: %v, want %v and text with %q", q.name, err, q.want, q.text)
	}
	data := m.data[genlHeader:]
	switch {
	case q.dump && r.late:
	case q.miss != 0:
		if r.miss != q.miss {
			t.Errorf("%s: %v says that %d is missing, want %d", q.name, err, r.miss, q.miss)
		}
	case r.offset < 0 || r.offset >= len(data):
		t.Errorf("%s: %v points to no attribute, want %x", q.name, err, q.bad)
	case !bytes.HasPrefix(data[r.offset:], q.bad):
		t.Errorf("%s: %v points to %.32x, want %.32x", q.name, err, data[r.offset:], q.bad)
	}
}

// TestRefusals: whatever a request gets wrong is refused by an errno, a text
// and a pointer to the attribute that is wrong, or the type of the one that is
// missing; and nothing has changed.
func TestRefusals(t *testing.T) {
	h := newHost(t)
	f, r := newFamily(t), newRuleset(t, unix.NFPROTO_IPV4)
	tables(t, f)
	f.table(t, "busy", dict.KeyMark, 0, field("i", dict.Int))
	h.chain(t)
	if err := r.batch(r.rule("c", markKey(), dictExpr(big(exprOp, opMatch), lookup(exprLookup, "busy", "i", dict.Int, byReg(4)), big(exprCmp, cmpExists)))); err != nil {
		t.Fatal(err)
	}
	var many, aliases [][]byte
	for i := range 257 {
		many = append(many, field(fmt.Sprintf("f%d", i), dict.Int))
	}
	for i := range 9 {
		aliases = append(aliases, text(fieldAlias, fmt.Sprintf("a%d", i)))
	}
	name, limit, key := text(attrTable, "new"), num(attrLimit, 5), num(attrKeyType, uint32(dict.KeyInt))
	one := val(dict.IntValue(1))
	unknown, told := num(99, 1), num(attrRows, 1)
	var cases []request
	add := func(name string, cmd uint8, want unix.Errno, text string, bad []byte, attrs ...[]byte) {
		cases = append(cases, request{name: name, cmd: cmd, attrs: attrs, want: want, text: text, bad: bad})
	}
	missing := func(name string, cmd uint8, miss uint32, attrs ...[]byte) {
		cases = append(cases, request{name: name, cmd: cmd, attrs: attrs, want: unix.EINVAL, miss: miss})
	}

	// Tables.
	missing("table without name", cmdTableNew, attrTable, key, limit)
	missing("table without key type", cmdTableNew, attrKeyType, name, limit)
	missing("table without limit", cmdTableNew, attrLimit, name, key)
	for _, bad := range [][]byte{text(attrTable, ""), text(attrTable, "1a"), text(attrTable, "a b"), text(attrTable, strings.Repeat("x", 64)), text(attrTable, "\xc3\xa4"), text(attrTable, "a/b")} {
		add(fmt.Sprintf("table name %q", bad[4:]), cmdTableNew, unix.EINVAL, "name is not", bad, bad, key, limit)
	}
	attrOf := func(what string, want unix.Errno, text string, bad []byte, rest ...[]byte) {
		add(what, cmdTableNew, want, text, bad, append(rest, bad)...)
	}
	attrOf("name without an end", unix.EINVAL, "", attr(attrTable, []byte("name")), key, limit)
	attrOf("key type 0", unix.ERANGE, "", num(attrKeyType, 0), name, limit)
	attrOf("key type 9", unix.ERANGE, "", num(attrKeyType, 9), name, limit)
	attrOf("key type of 2 bytes", unix.EINVAL, "", attr(attrKeyType, []byte{1, 0}), name, limit)
	attrOf("limit 0", unix.ERANGE, "", num(attrLimit, 0), name, key)
	attrOf("limit of 2^31", unix.ERANGE, "", num(attrLimit, 1<<31), name, key)
	attrOf("limit of 8 bytes", unix.EINVAL, "", attr(attrLimit, make([]byte, 8)), name, key)
	attrOf("timeout above a year", unix.ERANGE, "", num(attrTimeout, 31536001), name, key, limit)
	attrOf("timeout of 1 byte", unix.EINVAL, "", attr(attrTimeout, []byte{1}), name, key, limit)
	attrOf("flag 4", unix.EINVAL, "", num(attrFlags, 4), name, key, limit)
	attrOf("bound by numbers", unix.EINVAL, "conntrack", num(attrFlags, tableBound), name, key, limit)
	attrOf("unknown attribute", unix.EINVAL, "", unknown, name, key, limit)
	attrOf("attribute that is only told", unix.EINVAL, "", told, name, key, limit)
	attrOf("field that is no nest", unix.EINVAL, "", attr(attrField, text(fieldName, "x")), name, key, limit)
	add("table that is there", cmdTableNew, unix.EEXIST, "exists", text(attrTable, "int"), text(attrTable, "int"), key, limit)
	add("table of the same name", cmdTableNew, unix.EEXIST, "exists", text(attrTable, "some-name"), text(attrTable, "some-name"), key, limit)

	// Fields, of a table that comes to be and of one that is there.
	fields := func(what string, want unix.Errno, text_ string, bad []byte, fields ...[]byte) {
		add(what+" in a new table", cmdTableNew, want, text_, bad, append([][]byte{name, key, limit}, fields...)...)
		add(what, cmdFieldNew, want, text_, bad, append([][]byte{text(attrTable, "int")}, fields...)...)
	}
	good := field("good", dict.Int)
	fields1 := func(what string, want unix.Errno, text_ string, f []byte) { fields(what, want, text_, f, good, f) }
	inside := func(what string, want unix.Errno, text_ string, bad []byte, parts ...[]byte) {
		fields(what, want, text_, bad, good, nest(attrField, append(parts, bad)...))
	}
	fname, ftype := text(fieldName, "x"), num(fieldType, uint32(dict.Int))
	fields1("field without name", unix.EINVAL, "no name", nest(attrField, ftype))
	fields1("field without type", unix.EINVAL, "no type", nest(attrField, fname))
	inside("field name of 64", unix.EINVAL, "", text(fieldName, strings.Repeat("x", 64)), ftype)
	inside("field name with a blank", unix.EINVAL, "name is not", text(fieldName, "a b"), ftype)
	inside("alias with a blank", unix.EINVAL, "name is not", text(fieldAlias, "a b"), fname, ftype)
	inside("type 0", unix.ERANGE, "", num(fieldType, 0), fname)
	inside("type 9", unix.ERANGE, "", num(fieldType, 9), fname)
	inside("type of 1 byte", unix.EINVAL, "", attr(fieldType, []byte{1}), fname)
	inside("index", unix.EINVAL, "", num(fieldIndex, 1), fname, ftype)
	inside("unknown attribute of a field", unix.EINVAL, "", unknown, fname, ftype)
	inside("empty default", unix.EINVAL, "no value", nest(fieldDefault), fname, ftype)
	inside("default of another type", unix.EPROTOTYPE, "type", nest(fieldDefault, val(dict.BoolValue(true))), fname, ftype)
	fields("default of two values", unix.EINVAL, "more than one", one, nest(attrField, fname, ftype, nest(fieldDefault, val(dict.IntValue(2)), one)))
	fields("default of 3 bytes", unix.EINVAL, "length", attr(2, []byte{1, 2, 3}), nest(attrField, fname, ftype, nest(fieldDefault, attr(2, []byte{1, 2, 3}))))
	fields("default that is no value", unix.EINVAL, "no value", num(9, 1), nest(attrField, fname, ftype, nest(fieldDefault, num(9, 1))))
	fields1("nine aliases", unix.EFBIG, "aliases", nest(attrField, fname, ftype, cat(aliases...)))
	fields1("field twice", unix.EEXIST, "exists", good)
	fields1("alias of a name", unix.EEXIST, "exists", field("y", dict.Int, text(fieldAlias, "good")))
	fields1("alias of itself", unix.EEXIST, "exists", field("y", dict.Int, text(fieldAlias, "y")))
	add("257 fields in a new table", cmdTableNew, unix.EFBIG, "256", many[256], append([][]byte{name, key, limit}, many...)...)
	add("256 fields more", cmdFieldNew, unix.EFBIG, "256", many[248], append([][]byte{text(attrTable, "int")}, many[:250]...)...)
	add("field that is there", cmdFieldNew, unix.EEXIST, "exists", field("i", dict.Int), text(attrTable, "int"), good, field("i", dict.Int))
	add("alias that is there", cmdFieldNew, unix.EEXIST, "exists", field("z", dict.Int, text(fieldAlias, "i")), text(attrTable, "int"), field("z", dict.Int, text(fieldAlias, "i")))
	add("type in an open table", cmdFieldNew, unix.EINVAL, "open", good, text(attrTable, "loose"), good)
	add("default in an open table", cmdFieldNew, unix.EINVAL, "open", nest(attrField, fname, nest(fieldDefault, one)), text(attrTable, "loose"), nest(attrField, fname, nest(fieldDefault, one)))

	// All commands that name a table.
	for cmd, attrs := range map[uint8][][]byte{
		cmdTableDel: nil, cmdTableGet: nil, cmdFieldNew: {good}, cmdRowPut: {row(intKey(1), cell("i", dict.IntValue(1)))}, cmdRowAdd: {row(intKey(1), cell("i", dict.IntValue(1)))}, cmdRowGet: {row(intKey(1))},
		cmdRowDel: {row(intKey(1))}, cmdRowRenew: {row(intKey(1))}, cmdFlush: nil,
	} {
		what := func(s string) string { return fmt.Sprintf("command %d: %s", cmd, s) }
		missing(what("no table"), cmd, attrTable, attrs...)
		for name, want := range map[string]unix.Errno{"nobody": unix.ENOENT, "a b": unix.ENOENT, "": unix.ENOENT} {
			add(what("table "+name), cmd, want, "does not exist", text(attrTable, name), append([][]byte{text(attrTable, name)}, attrs...)...)
		}
		add(what("stale table"), cmd, unix.ESTALE, "another", num(attrTableID, 999), append([][]byte{text(attrTable, "int"), num(attrTableID, 999)}, attrs...)...)
		add(what("id of 2 bytes"), cmd, unix.EINVAL, "", attr(attrTableID, []byte{1, 2}), append([][]byte{text(attrTable, "int"), attr(attrTableID, []byte{1, 2})}, attrs...)...)
		add(what("unknown attribute"), cmd, unix.EINVAL, "", unknown, append([][]byte{text(attrTable, "int"), unknown}, attrs...)...)
	}
	add("delete of a table that is used", cmdTableDel, unix.EBUSY, "rule", text(attrTable, "busy"), text(attrTable, "busy"))

	// Rows.
	tooMany := make([][]byte, 4097)
	for i := range tooMany {
		tooMany[i] = row(intKey(uint32(i)))
	}
	for _, cmd := range []uint8{cmdRowPut, cmdRowAdd, cmdRowGet, cmdRowDel, cmdRowRenew} {
		add(fmt.Sprintf("command %d: 4097 rows", cmd), cmd, unix.E2BIG, "4096", tooMany[4096], append([][]byte{text(attrTable, "int")}, tooMany...)...)
		flat := attr(attrRow, attr(rowKey, intKey(1)))
		add(fmt.Sprintf("command %d: row that is no nest", cmd), cmd, unix.EINVAL, "", flat, text(attrTable, "int"), flat)
	}
	gets := func(what string, want unix.Errno, text_ string, bad []byte, row []byte) {
		add("get: "+what, cmdRowGet, want, text_, bad, text(attrTable, "int"), row)
	}
	gets("key of 3 bytes", unix.EPROTOTYPE, "key", attr(rowKey, []byte{1, 2, 3}), row([]byte{1, 2, 3}))
	gets("no key", unix.EINVAL, "key", nest(attrRow, num(rowTTL, 1)), nest(attrRow, num(rowTTL, 1)))
	gets("cell", unix.EINVAL, "superfluous", cell("i"), row(intKey(1), cell("i")))
	gets("unknown attribute of a row", unix.EINVAL, "", unknown, row(intKey(1), unknown))
	gets("ttl of 1 byte", unix.ERANGE, "ttl", attr(rowTTL, []byte{1}), row(intKey(1), attr(rowTTL, []byte{1})))

	// Listings.
	dumps := func(what string, want unix.Errno, text_ string, bad []byte, attrs ...[]byte) {
		add("dump: "+what, cmdRowGet, want, text_, bad, attrs...)
		cases[len(cases)-1].dump = true
	}
	missing("dump: no table", cmdRowGet, attrTable)
	cases[len(cases)-1].dump = true
	dumps("no such table", unix.ENOENT, "does not exist", text(attrTable, "nobody"), text(attrTable, "nobody"))
	dumps("stale table", unix.ESTALE, "another", num(attrTableID, 999), text(attrTable, "int"), num(attrTableID, 999))
	dumps("unknown attribute", unix.EINVAL, "", unknown, text(attrTable, "int"), unknown)
	filter := func(parts ...[]byte) []byte { return nest(attrRow, parts...) }
	dumps("filter with a key", unix.EINVAL, "filter", row(intKey(1), cell("i")), text(attrTable, "int"), row(intKey(1), cell("i")))
	inFilter := func(what string, want unix.Errno, text_ string, bad, row []byte) {
		dumps("filter: "+what, want, text_, bad, text(attrTable, "int"), row)
	}
	inFilter("no such field", unix.ENOENT, "does not exist", text(cellName, "nothing"), filter(cell("nothing")))
	inFilter("no field", unix.EINVAL, "names no field", nest(rowCell, one), filter(nest(rowCell, one)))
	inFilter("position that is not there", unix.ENOENT, "position", num(cellField, 99), filter(nest(rowCell, num(cellField, 99))))
	inFilter("value of another type", unix.EPROTOTYPE, "type", cell("i", dict.BoolValue(true)), filter(cell("i", dict.BoolValue(true))))
	inFilter("two fields", unix.EINVAL, "malformed", num(cellField, 1), filter(nest(rowCell, text(cellName, "i"), num(cellField, 1))))
	inFilter("bool 2", unix.EINVAL, "bool", attr(1, []byte{2}), filter(nest(rowCell, text(cellName, "b"), attr(1, []byte{2}))))
	dumps("filter: new field of an open table", unix.ENOENT, "does not exist", cell("nothing"), text(attrTable, "loose"), filter(cell("nothing")))

	f.table(t, "some_name", dict.KeyInt, 0)
	before := figures(t, f)
	for i := range cases {
		cases[i].check(t, f)
	}
	if after := figures(t, f); before != after {
		t.Errorf("requests that were refused changed\n%s\nto\n%s", before, after)
	}
	t.Logf("%d requests", len(cases))
}

// figures is all that the module tells of the tables, but what rules refused.
func figures(tb testing.TB, f *family) string {
	tb.Helper()
	var out []string
	for _, b := range f.tablesTold(tb) {
		out = append(out, fmt.Sprintf("%x", b))
	}
	return strings.Join(out, "\n")
}

// TestRowRefusals: a row that is refused is told by its place in the request,
// an errno, a text, and where in the request the attribute is that is wrong;
// the rows around it are dealt with.
func TestRowRefusals(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	tables(t, f)
	f.must(t, cmdTableNew, text(attrTable, "tiny"), num(attrKeyType, uint32(dict.KeyInt)), num(attrLimit, 2), field("i", dict.Int))
	var fields [][]byte
	for i := range 256 {
		fields = append(fields, field(fmt.Sprintf("s%d", i), dict.String))
	}
	f.table(t, "wide", dict.KeyInt, 0, fields...)
	var wide, open [][]byte
	for i := range 130 {
		wide = append(wide, cell(fmt.Sprintf("s%d", i), dict.MustString(strings.Repeat("x", 128))))
	}
	for i := range 257 {
		open = append(open, cell(fmt.Sprintf("o%d", i), dict.IntValue(1)))
	}
	bare := func(cells ...[]byte) []byte { return nest(attrRow, cells...) }
	value := func(name string, raw []byte) []byte { return nest(rowCell, text(cellName, name), raw) }
	one := dict.IntValue(1)
	for _, c := range []struct {
		name  string
		cmd   uint8
		table string
		row   []byte
		want  unix.Errno
		text  string
		bad   []byte // nil for the row
	}{
		{"no key", cmdRowPut, "int", bare(cell("i", one)), unix.EINVAL, "key", nil},
		{"key of 3 bytes", cmdRowPut, "int", row([]byte{1, 2, 3}, cell("i", one)), unix.EPROTOTYPE, "key", attr(rowKey, []byte{1, 2, 3})},
		{"ipv4 key of 16", cmdRowPut, "ip4", row(make([]byte, 16)), unix.EPROTOTYPE, "key", attr(rowKey, make([]byte, 16))},
		{"ether key of 4", cmdRowPut, "ether", row(make([]byte, 4)), unix.EPROTOTYPE, "key", attr(rowKey, make([]byte, 4))},
		{"empty string key", cmdRowPut, "string", row(nil), unix.EPROTOTYPE, "key", attr(rowKey)},
		{"string key of 129", cmdRowPut, "string", row(make([]byte, 129)), unix.EPROTOTYPE, "key", attr(rowKey, make([]byte, 129))},
		{"string key with NUL", cmdRowPut, "string", row([]byte("a\x00")), unix.EPROTOTYPE, "key", attr(rowKey, []byte("a\x00"))},
		{"key that is not UTF-8", cmdRowPut, "string", row([]byte{0xff}), unix.EPROTOTYPE, "key", attr(rowKey, []byte{0xff})},
		{"ttl above a year", cmdRowPut, "int", row(intKey(1), num(rowTTL, 31536001)), unix.ERANGE, "ttl", num(rowTTL, 31536001)},
		{"ttl of 2 bytes", cmdRowPut, "int", row(intKey(1), attr(rowTTL, []byte{1, 2})), unix.ERANGE, "ttl", attr(rowTTL, []byte{1, 2})},
		{"unknown attribute", cmdRowPut, "int", row(intKey(1), num(77, 1)), unix.EINVAL, "attribute", num(77, 1)},
		{"cell without value", cmdRowPut, "int", row(intKey(1), cell("i")), unix.EINVAL, "no value", cell("i")},
		{"cell without field", cmdRowPut, "int", row(intKey(1), nest(rowCell, val(one))), unix.EINVAL, "names no field", nest(rowCell, val(one))},
		{"cell with two values", cmdRowPut, "int", row(intKey(1), cell("i", dict.IntValue(5), one)), unix.EINVAL, "malformed", val(one)},
		{"no such field", cmdRowPut, "int", row(intKey(1), cell("nothing", one)), unix.ENOENT, "does not exist", text(cellName, "nothing")},
		{"field that is no name", cmdRowPut, "int", row(intKey(1), cell("a b", one)), unix.ENOENT, "name", text(cellName, "a b")},
		{"field that is no name in an open table", cmdRowPut, "loose", row(intKey(1), cell("a b", one)), unix.EINVAL, "name", text(cellName, "a b")},
		{"position that is not there", cmdRowPut, "int", row(intKey(1), nest(rowCell, num(cellField, 8), val(one))), unix.ENOENT, "position", num(cellField, 8)},
		{"wrong type", cmdRowPut, "int", row(intKey(1), cell("i", dict.Int64Value(1))), unix.EPROTOTYPE, "type", cell("i", dict.Int64Value(1))},
		{"int of 3 bytes", cmdRowPut, "int", row(intKey(1), value("i", attr(2, []byte{1, 2, 3}))), unix.EINVAL, "length", attr(2, []byte{1, 2, 3})},
		{"bool 2", cmdRowPut, "int", row(intKey(1), value("b", attr(1, []byte{2}))), unix.EINVAL, "bool", attr(1, []byte{2})},
		{"string of 129", cmdRowPut, "int", row(intKey(1), value("s", attr(8, make([]byte, 129)))), unix.ERANGE, "128", attr(8, make([]byte, 129))},
		{"string with NUL", cmdRowPut, "int", row(intKey(1), value("s", attr(8, []byte{0}))), unix.EINVAL, "UTF-8", attr(8, []byte{0})},
		{"value of the type address", cmdRowPut, "int", row(intKey(1), value("a", attr(6, make([]byte, 4)))), unix.EINVAL, "no value", attr(6, make([]byte, 4))},
		{"too many bytes", cmdRowPut, "wide", row(intKey(1), wide...), unix.EFBIG, "16384", nil},
		{"257 fields in an open table", cmdRowPut, "loose", row(intKey(1), open...), unix.EFBIG, "256", nil},
		{"no connection", cmdRowPut, "bound", row(intKey(1), cell("i", one)), unix.ENOENT, "conntrack", nil},
		{"full table", cmdRowPut, "tiny", row(intKey(9), cell("i", one)), unix.ENOSPC, "full", nil},
		{"delete: no such row", cmdRowDel, "int", row(intKey(77)), unix.ENOENT, "row", nil},
		{"delete: field that is not there", cmdRowDel, "int", row(intKey(1000), cell("i"), cell("l")), unix.ENODATA, "not there", nil},
		{"delete: no such field", cmdRowDel, "int", row(intKey(1000), cell("nothing")), unix.ENODATA, "does not exist", text(cellName, "nothing")},
		{"delete: value", cmdRowDel, "int", row(intKey(1000), cell("i", one)), unix.EINVAL, "superfluous", cell("i", one)},
		{"delete: no key", cmdRowDel, "int", bare(), unix.EINVAL, "key", nil},
		{"renew: cell", cmdRowRenew, "int", row(intKey(1000), cell("i")), unix.EINVAL, "superfluous", cell("i")},
		{"renew: ttl above a year", cmdRowRenew, "int", row(intKey(1000), num(rowTTL, 31536001)), unix.ERANGE, "ttl", num(rowTTL, 31536001)},
		{"renew: key of 16 bytes", cmdRowRenew, "int", row(make([]byte, 16)), unix.EPROTOTYPE, "key", attr(rowKey, make([]byte, 16))},
	} {
		// Two rows around it that are good, but in a table that cannot have them.
		first, last := row(intKey(1000), cell("i", one)), row(intKey(1001), cell("i", one))
		prepared := [][]byte{first, last}
		around := map[string]bool{"int": true, "tiny": true}[c.table]
		if around {
			if err := f.put(t, c.table, prepared...); err != nil {
				t.Fatal(err)
			}
		}
		if c.cmd != cmdRowPut {
			first, last = row(intKey(1000)), row(intKey(1001))
		}
		if c.cmd == cmdRowDel {
			first = row(intKey(1001)) // the one in the middle needs 1000
			last = row(intKey(1000))
		}
		attrs := [][]byte{text(attrTable, c.table), c.row}
		index, count := uint32(0), uint32(0)
		if around {
			attrs = [][]byte{text(attrTable, c.table), first, c.row, last}
			index, count = 1, 2
		}
		out, err := f.do(c.cmd, attrs...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		data := cat(attrs...)
		n, _ := find(t, out[0], attrCount)
		p, ok := find(t, out[0], attrRefusal)
		if !ok || n.num() != count {
			t.Errorf("%s: %d rows done, want %d; refused %v", c.name, n.num(), count, ok)
			continue
		}
		at, _ := find(t, p.data, refusalIndex)
		errno, _ := find(t, p.data, refusalError)
		what, _ := find(t, p.data, refusalMessage)
		if at.num() != index || unix.Errno(errno.num()) != c.want || !strings.Contains(what.text(), c.text) {
			t.Errorf("%s: row %d: %v: %s, want row %d, %v, text with %q", c.name, at.num(), unix.Errno(errno.num()), what.text(), index, c.want, c.text)
		}
		bad := c.bad
		if bad == nil {
			bad = c.row
		}
		offset, ok := find(t, p.data, refusalOffset)
		if start := int(offset.num()) - 16 - genlHeader; !ok || start < 0 || start >= len(data) || !bytes.HasPrefix(data[start:], bad) {
			t.Errorf("%s: the refusal does not point to %.32x", c.name, bad)
		}
	}
}
