// SPDX-License-Identifier: MIT

package test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// family speaks to the module's generic netlink family.
type family struct {
	*socket
	id    uint16
	group uint32 // of changes
	heeds uint32 // the group of writes
}

const genlHeader = 4

func newFamily(tb testing.TB) *family {
	tb.Helper()
	conn, err := genetlink.Dial(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	f, err := conn.GetFamily("nft_dict")
	if err != nil {
		tb.Fatal(err)
	}
	out := &family{socket: newSocket(tb, unix.NETLINK_GENERIC), id: f.ID}
	for _, g := range f.Groups {
		switch g.Name {
		case "changes":
			out.group = g.ID
		case "writes":
			out.heeds = g.ID
		}
	}
	return out
}

func (f *family) message(cmd uint8, flags uint16, attrs ...[]byte) message {
	return message{typ: f.id, flags: flags, data: append([]byte{cmd, 1, 0, 0}, cat(attrs...)...)}
}

// do sends a request, and returns the attributes of each answer.
func (f *family) do(cmd uint8, attrs ...[]byte) (out [][]byte, err error) {
	messages, err := f.exchange(f.message(cmd, 0, attrs...), genlHeader)
	for _, m := range messages {
		out = append(out, m.data[genlHeader:])
	}
	return out, err
}

// must is do where nothing may go wrong.
func (f *family) must(tb testing.TB, cmd uint8, attrs ...[]byte) [][]byte {
	tb.Helper()
	out, err := f.do(cmd, attrs...)
	if err != nil {
		tb.Fatalf("command %d: %v", cmd, err)
	}
	return out
}

// dump asks for a listing, and returns the attributes of each part of it, and
// whether it was interrupted.
func (f *family) dump(cmd uint8, attrs ...[]byte) (out [][]byte, interrupted bool, err error) {
	messages, err := f.exchange(f.message(cmd, unix.NLM_F_DUMP, attrs...), genlHeader)
	for _, m := range messages {
		interrupted = interrupted || m.flags&unix.NLM_F_DUMP_INTR != 0
		if m.typ == f.id {
			out = append(out, m.data[genlHeader:])
		}
	}
	return out, interrupted, err
}

// table makes a table with fields.
func (f *family) table(tb testing.TB, name string, key dict.KeyType, flags uint32, fields ...[]byte) {
	tb.Helper()
	f.must(tb, cmdTableNew, append([][]byte{text(attrTable, name), num(attrKeyType, uint32(key)), num(attrLimit, 1<<20), num(attrFlags, flags)}, fields...)...)
}

// field declares a field.
func field(name string, t dict.Type, more ...[]byte) []byte {
	return nest(attrField, append([][]byte{text(fieldName, name), num(fieldType, uint32(t))}, more...)...)
}

// row names a row, and what is in it.
func row(key []byte, cells ...[]byte) []byte {
	return nest(attrRow, append([][]byte{attr(rowKey, key)}, cells...)...)
}

// cell is a field of a row, with a value or none.
func cell(name string, v ...dict.Value) []byte {
	parts := [][]byte{text(cellName, name)}
	for _, v := range v {
		parts = append(parts, val(v))
	}
	return nest(rowCell, parts...)
}

// intKey is a number as a key.
func intKey(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// put puts rows; the errors of the first that is refused are the result.
func (f *family) put(tb testing.TB, table string, rows ...[]byte) error {
	tb.Helper()
	return f.rows(tb, cmdRowPut, table, rows...)
}

// rows sends rows, and returns the first refusal of one.
func (f *family) rows(tb testing.TB, cmd uint8, table string, rows ...[]byte) error {
	tb.Helper()
	out, err := f.do(cmd, append([][]byte{text(attrTable, table)}, rows...)...)
	if err != nil {
		return err
	}
	for _, b := range out {
		if p, ok := find(tb, b, attrRefusal); ok {
			errno, _ := find(tb, p.data, refusalError)
			text, _ := find(tb, p.data, refusalMessage)
			return &refused{errno: unix.Errno(errno.num()), text: text.text(), offset: -1}
		}
	}
	return nil
}

// count tells a figure of a table.
func (f *family) count(tb testing.TB, table string, typ uint16) uint64 {
	tb.Helper()
	p, ok := find(tb, f.must(tb, cmdTableGet, text(attrTable, table))[0], typ)
	if !ok {
		tb.Fatalf("table %s tells no attribute %d", table, typ)
	}
	if len(p.data) == 8 {
		return p.num64()
	}
	return uint64(p.num())
}

// tablesTold lists the tables.
func (f *family) tablesTold(tb testing.TB) [][]byte {
	tb.Helper()
	out, _, err := f.dump(cmdTableGet)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func addrOf(s string) netip.Addr { return netip.MustParseAddr(s) }

// Some addresses.
var (
	v4    = netip.MustParseAddr("10.0.0.1")
	v6    = netip.MustParseAddr("2001:db8::1")
	none6 = netip.MustParseAddr("::")

	addr127 = netip.MustParseAddr("127.0.0.1")
)
